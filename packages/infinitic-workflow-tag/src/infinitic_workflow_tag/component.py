"""The component: running workflows by tag."""

import asyncio
import logging
from collections.abc import Sequence
from typing import Self, cast

from infinitic_common.component import ComponentHost
from infinitic_common.configuration import (
    ConfigurationError,
    Problem,
    StorageConfiguration,
    WorkflowConfiguration,
)
from infinitic_common.contracts import contract_of
from infinitic_common.exceptions import UndecodableMessage
from infinitic_common.messages import WorkflowTagMessage, from_received, to_outgoing, topic_of
from infinitic_common.storage import KeySetStorage
from infinitic_common.transport import (
    Consumption,
    Counts,
    OutgoingMessage,
    ReceivedMessage,
    Subscription,
    Topic,
    TopicKind,
    Transport,
)
from infinitic_workflow_tag._core import answers, decide

_LOGGER = logging.getLogger(__name__)

_MAX_BATCH = 1000


class WorkflowTagEngine:
    """Knows which running workflows of one workflow have which tags."""

    label = "WorkflowTagEngine"

    def __init__(
        self,
        workflow: type | str,
        *,
        concurrency: int = 1,
        max_batch_messages: int = _MAX_BATCH,
        storage: StorageConfiguration | None = None,
    ) -> None:
        """Take what to keep; nothing starts yet.

        Args:
            workflow: The contract of the workflow, or its name.
            concurrency: Batches handled at once, of different tags.
            max_batch_messages: The most messages in one batch; nothing waits for them.
            storage: A storage of its own; None for the worker's.

        Raises:
            ValueError: ``concurrency`` is less than 1.
        """
        if concurrency < 1:
            msg = f"concurrency={concurrency}: give 1 or more, or leave the tag engine out"
            raise ValueError(msg)
        self._name = workflow if isinstance(workflow, str) else contract_of(workflow).name
        self._concurrency = concurrency
        self._max_batch_messages = max_batch_messages
        self._storage = storage
        self._sets: KeySetStorage | None = None
        self._transport: Transport | None = None
        self._consumption: Consumption | None = None

    @classmethod
    def from_configuration(cls, configuration: WorkflowConfiguration) -> Self:
        """Make the tag engine that a configuration asks for.

        Raises:
            ConfigurationError: It asks for none.
        """
        engine = configuration.tag_engine
        if engine is None:
            problem = Problem(
                f"workflows.{configuration.name}", "no tag engine", "add `tagEngine:`"
            )
            raise ConfigurationError([problem])
        return cls(
            configuration.name,
            concurrency=engine.concurrency,
            max_batch_messages=engine.batch.max_messages,
            storage=engine.storage,
        )

    @property
    def workflow_name(self) -> str:
        """The workflow whose tags it keeps."""
        return self._name

    @property
    def counts(self) -> Counts:
        """See ``Component``."""
        return Counts() if self._consumption is None else self._consumption.counts

    def __str__(self) -> str:
        settings = f"concurrency {self._concurrency}, batches of {self._max_batch_messages}"
        return f"{self.label} {self._name} ({settings})"

    async def start(self, host: ComponentHost) -> None:
        """See ``Component``."""
        self._transport = host.transport
        self._sets = host.storage(self._storage).key_sets
        subscription = Subscription(
            topics=(Topic(TopicKind.WORKFLOW_TAG_ENGINE, self._name),),
            name="workflow-tag-engine",
            ordered=True,
            max_batch_messages=self._max_batch_messages,
            max_in_flight_messages=self._max_batch_messages * self._concurrency,
            max_in_flight_batches=self._concurrency,
        )
        self._consumption = await host.transport.consume(subscription, self._handle)

    async def stop(self, grace_seconds: float) -> None:
        """See ``Component``."""
        if self._consumption is not None:
            await self._consumption.stop(grace_seconds)

    async def _handle(self, batch: Sequence[ReceivedMessage]) -> Sequence[ReceivedMessage]:
        """One read and one update for what arrived, then the answers; gives back the unreadable."""
        messages, unreadable = _read(batch)
        turn = decide(messages)
        sets = await turn.sets.carry_out(cast("KeySetStorage", self._sets))
        bursts: dict[Topic, list[OutgoingMessage]] = {}
        for answer in answers(turn, sets):
            bursts.setdefault(topic_of(answer), []).append(to_outgoing(answer))
        transport = cast("Transport", self._transport)
        await asyncio.gather(*(transport.publish(topic, burst) for topic, burst in bursts.items()))
        return unreadable


def _read(
    batch: Sequence[ReceivedMessage],
) -> tuple[list[WorkflowTagMessage], list[ReceivedMessage]]:
    messages, unreadable = list[WorkflowTagMessage](), list[ReceivedMessage]()
    for received in batch:
        try:
            messages.append(_message(received))
        except UndecodableMessage as error:
            tag = {"tag": received.key, "component": WorkflowTagEngine.label}
            _LOGGER.warning("message %s cannot be read: %s", received.id, error, extra=tag)
            unreadable.append(received)
    return messages, unreadable


def _message(received: ReceivedMessage) -> WorkflowTagMessage:
    message = from_received(received)
    if not isinstance(message, WorkflowTagMessage):
        msg = f"{type(message).__name__} is no message about tags of workflows"
        raise UndecodableMessage(msg)
    return message
