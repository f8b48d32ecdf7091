"""The component: running workflows by tag."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import TYPE_CHECKING

from infinitic_common.contracts import contract_of
from infinitic_common.exceptions import UndecodableMessage
from infinitic_common.ids import derived_id
from infinitic_common.messages import (
    AddTagToWorkflow,
    GetWorkflowIdsByTag,
    RemoveTagFromWorkflow,
    WorkflowIdsByTag,
    from_received,
    to_outgoing,
    topic_of,
)
from infinitic_common.requesters import ClientRequester
from infinitic_common.tag_sets import TagBatch
from infinitic_common.transport import (
    Consumption,
    Counts,
    ReceivedMessage,
    Subscription,
    Topic,
    TopicKind,
)

if TYPE_CHECKING:
    from infinitic_common.component import ComponentHost
    from infinitic_common.configuration import WorkflowConfiguration, StorageConfiguration

_LOGGER = logging.getLogger(__name__)


def set_key(workflow_name: str, tag: str) -> str:
    """The storage key of the ids that have a tag."""
    return f"workflow:{workflow_name}|tag:{tag}|setIds"


class WorkflowTagEngine:
    """Knows which running workflows of one name have which tags.

    Args:
        workflow: The contract of the workflow, or its name.
        concurrency: Tags handled at once.
        storage: A storage of its own; None for the worker's.
    """

    label = "WorkflowTagEngine"

    def __init__(
        self,
        workflow: type | str,
        *,
        concurrency: int = 1,
        storage: StorageConfiguration | None = None,
    ) -> None:
        self._name = workflow if isinstance(workflow, str) else contract_of(workflow).name
        self._concurrency = concurrency
        self._storage = storage
        self._host: ComponentHost | None = None
        self._consumption: Consumption | None = None

    @classmethod
    def from_configuration(cls, configuration: WorkflowConfiguration) -> WorkflowTagEngine:
        """The tag engine that a workflow's entry of a configuration describes.

        Raises:
            ValueError: The entry has no tag engine.
        """
        engine = configuration.tag_engine
        if engine is None:
            msg = f"the entry of workflow {configuration.name} has no tagEngine"
            raise ValueError(msg)
        return cls(configuration.name, concurrency=engine.concurrency, storage=engine.storage)

    @property
    def counts(self) -> Counts:
        """Messages received and not yet settled."""
        return Counts() if self._consumption is None else self._consumption.counts

    def __str__(self) -> str:
        return f"{self.label} {self._name} (concurrency {self._concurrency})"

    async def start(self, host: ComponentHost) -> None:
        """Begin to receive."""
        self._host = host
        subscription = Subscription(
            topics=(Topic(TopicKind.WORKFLOW_TAG_ENGINE, self._name),),
            name="workflow-tag-engine",
            ordered=True,
            max_batch_messages=500,
            max_in_flight_batches=self._concurrency,
        )
        self._consumption = await host.transport.consume(subscription, self._handle)

    async def stop(self, grace_seconds: float) -> None:
        """Stop receiving; finish what is in flight within the grace period."""
        if self._consumption is not None:
            await self._consumption.stop(grace_seconds)

    async def _handle(self, received: Sequence[ReceivedMessage]) -> Sequence[ReceivedMessage]:
        """One read and one write for what arrived; then the answers."""
        batch = TagBatch()
        questions: list[GetWorkflowIdsByTag] = []
        unreadable: list[ReceivedMessage] = []
        for each in received:
            try:
                message = from_received(each)
            except UndecodableMessage as error:
                _LOGGER.error("message %s cannot be read: %s", each.id, error)  # noqa: TRY400 - the bytes, not our code
                unreadable.append(each)
                continue
            match message:
                case AddTagToWorkflow(tag=tag):
                    batch.add(set_key(self._name, tag), message.workflow_id)
                case RemoveTagFromWorkflow(tag=tag):
                    batch.remove(set_key(self._name, tag), message.workflow_id)
                case GetWorkflowIdsByTag(tag=tag):
                    batch.ask(set_key(self._name, tag))
                    questions.append(message)
                case _:
                    unreadable.append(each)
        await self._carry_out(batch, questions)
        return unreadable

    async def _carry_out(self, batch: TagBatch, questions: list[GetWorkflowIdsByTag]) -> None:
        host = self._host
        if host is None:
            return
        storage = host.storage(self._storage) if self._storage is not None else host.storage()
        sets = await batch.carry_out(storage.key_sets)
        for question in questions:
            if isinstance(question.requester, ClientRequester):
                answer = WorkflowIdsByTag(
                    derived_id("answer", question.message_id),
                    question.requester.client_name,
                    question.request_id,
                    tuple(sorted(sets[set_key(self._name, question.tag)])),
                )
                await host.transport.publish(topic_of(answer), [to_outgoing(answer)])
