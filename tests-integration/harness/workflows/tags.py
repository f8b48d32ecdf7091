"""Workflows that are found by tag, and unique ones: TAGS and CUSTOMID."""

from datetime import timedelta
from typing import Protocol

from harness.services import UtilService
from infinitic_common import (
    Channel,
    Workflow,
    WorkflowUnknown,
    channel,
    get_workflow_by_tag,
    new_service,
    new_workflow,
)


class Tagged(Protocol):
    A: Channel[str] = channel()

    def own_tags(self) -> set[str]: ...
    def wait(self) -> str: ...
    def receive(self) -> str: ...
    async def receive_awaited(self) -> str: ...
    def add(self, text: str) -> str: ...
    def own_id(self) -> str: ...
    def ok_on_manual_retry(self) -> str: ...
    def child_with(self, tag: str) -> str: ...
    async def child_with_awaited(self, tag: str) -> str: ...
    def child_with_two_custom_ids(self) -> str: ...
    def call_by_tag(self, tag: str) -> str: ...


class TaggedImpl(Workflow, Tagged):
    util = new_service(UtilService)

    def __init__(self) -> None:
        self.text = ""

    def own_tags(self) -> set[str]:
        return set(self.tags)

    def wait(self) -> str:
        self.timer(timedelta(hours=1)).result()
        return "late"

    def receive(self) -> str:
        return self.text + self.A.receive().result() + self.text

    async def receive_awaited(self) -> str:
        return await self.A.receive()

    def add(self, text: str) -> str:
        self.text += text
        return self.text

    def own_id(self) -> str:
        return self.util.workflow_id()

    def ok_on_manual_retry(self) -> str:
        return self.util.ok_on_manual_retry()

    def child_with(self, tag: str) -> str:
        return new_workflow(Tagged, tags={tag}).receive()

    async def child_with_awaited(self, tag: str) -> str:
        child = self.dispatch(new_workflow(Tagged, tags={tag}).receive_awaited)
        return await child

    def child_with_two_custom_ids(self) -> str:
        return new_workflow(Tagged, tags={"customId:a", "customId:b"}).own_id()

    def call_by_tag(self, tag: str) -> str:
        try:
            return get_workflow_by_tag(Tagged, tag).add("x")
        except WorkflowUnknown:
            return "unknown"
