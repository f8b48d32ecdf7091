"""What workflows and tasks know of themselves: CONTEXT."""

from typing import Protocol

from harness.services import META, TAGS, LimitedService, UtilService
from infinitic_common import Workflow, new_service


class Context(Protocol):
    def own_id(self) -> str: ...
    def own_tags(self) -> set[str]: ...
    def own_meta(self) -> dict[str, bytes]: ...
    def own_names(self) -> tuple[str, str]: ...
    async def ids_in_coroutine(self) -> tuple[str, str]: ...
    def id_in_task(self) -> str: ...
    def name_in_task(self) -> str: ...
    def tags_in_task(self) -> set[str]: ...
    def tags_in_plain_task(self) -> set[str]: ...
    def meta_in_task(self) -> dict[str, bytes]: ...
    def timeout_in_task(self) -> float | None: ...


class ContextImpl(Workflow, Context):
    util = new_service(UtilService, tags=TAGS, meta=META)
    plain = new_service(UtilService)
    limited = new_service(LimitedService)

    def __init__(self) -> None:
        self.noted_id = self.workflow_id
        self.noted_tags = set(self.tags)

    def own_id(self) -> str:
        return self.noted_id

    def own_tags(self) -> set[str]:
        return self.noted_tags

    def own_meta(self) -> dict[str, bytes]:
        return dict(self.meta)

    def own_names(self) -> tuple[str, str]:
        return self.workflow_name, self.method_name

    async def ids_in_coroutine(self) -> tuple[str, str]:
        await self.util.reverse_later("ab")
        return self.workflow_id, self.method_id

    def id_in_task(self) -> str:
        return self.util.workflow_id()

    def name_in_task(self) -> str:
        return self.util.workflow_name()

    def tags_in_task(self) -> set[str]:
        return self.util.tags()

    def tags_in_plain_task(self) -> set[str]:
        return self.plain.tags()

    def meta_in_task(self) -> dict[str, bytes]:
        return self.util.meta()

    def timeout_in_task(self) -> float | None:
        return self.limited.effective_timeout()
