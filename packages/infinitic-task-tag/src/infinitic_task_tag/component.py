"""The component: running tasks by tag, and tasks whose outcome comes from elsewhere."""

import logging
from collections.abc import Collection, Sequence
from typing import Self

from infinitic_common.configuration import (
    ConfigurationError,
    Problem,
    ServiceConfiguration,
    StorageConfiguration,
)
from infinitic_common.contracts import contract_of
from infinitic_common.exceptions import UndecodableMessage
from infinitic_common.messages import ServiceTagMessage, from_received
from infinitic_common.publishing import publish_all
from infinitic_common.tag_engine import DEFAULT_BATCH, Surroundings, TagEngine
from infinitic_common.transport import ReceivedMessage, TopicKind
from infinitic_task_tag._core.delegated import (
    DelegatedMessage,
    Limits,
    Settled,
    record_key,
    settle,
)
from infinitic_task_tag._core.tags import TagMessage, answers, changes_of, key_of, questions_in

_LOGGER = logging.getLogger(__name__)


class ServiceTagEngine(TagEngine[ServiceTagMessage]):
    """Knows which running tasks of one service have which tags, and who waits for delegated ones."""

    label = "TaskTagEngine"
    kind = TopicKind.SERVICE_TAG_ENGINE

    def __init__(
        self,
        service: type | str,
        *,
        concurrency: int = 1,
        max_batch_messages: int = DEFAULT_BATCH,
        storage: StorageConfiguration | None = None,
    ) -> None:
        """Take what to keep; nothing starts yet.

        Args:
            service: The contract of the service, or its name.
            concurrency: Batches handled at once, of different tags.
            max_batch_messages: The most messages in one batch; nothing waits for them.
            storage: A storage of its own; None for the worker's.

        Raises:
            ValueError: A number is less than 1.
        """
        super().__init__(
            service if isinstance(service, str) else contract_of(service).name,
            concurrency=concurrency,
            max_batch_messages=max_batch_messages,
            storage=storage,
        )

    @classmethod
    def from_configuration(cls, configuration: ServiceConfiguration) -> Self:
        """Make the tag engine that a configuration asks for.

        Raises:
            ConfigurationError: It asks for none.
        """
        engine = configuration.tag_engine
        if engine is None:
            problem = Problem(f"services.{configuration.name}", "no tag engine", "add `tagEngine:`")
            raise ConfigurationError([problem])
        return cls(
            configuration.name,
            concurrency=engine.concurrency,
            max_batch_messages=engine.batch.max_messages,
            storage=engine.storage,
        )

    @property
    def service_name(self) -> str:
        """The service whose tags it keeps."""
        return self._name

    def read(self, received: ReceivedMessage) -> ServiceTagMessage:
        """See ``TagEngine``."""
        message = from_received(received)
        if not isinstance(message, ServiceTagMessage):
            msg = f"{type(message).__name__} is no message about tags of tasks"
            raise UndecodableMessage(msg)
        return message

    async def turn(self, asked: Sequence[ServiceTagMessage], surroundings: Surroundings) -> None:
        """See ``TagEngine``: tags and delegated tasks have different keys, so no common order."""
        await _keep_tags([one for one in asked if isinstance(one, TagMessage)], surroundings)
        await self._settle([one for one in asked if not isinstance(one, TagMessage)], surroundings)

    async def _settle(
        self, messages: Sequence[DelegatedMessage], surroundings: Surroundings
    ) -> None:
        """Tell outcomes, then note that they are told.

        In this order nothing is lost: a crash in between leaves the task waiting, so that the
        message, delivered again, tells the same again, which the workflow knows by its id. The
        other way round the outcome would be noted, and never told. A record that somebody else
        wrote meanwhile is read again; what was told for it stands, as a workflow takes the first
        outcome of a task and no other.
        """
        transport, records = surroundings.transport, surroundings.records
        pending: list[DelegatedMessage] = list(messages)
        while pending:
            limits = Limits(transport.now(), transport.max_message_bytes, transport.name)
            found = await records.get(sorted({record_key(message.task_id) for message in pending}))
            settled = settle(pending, found, limits)
            await publish_all(transport, settled.messages)
            written = await records.put(settled.writes) if settled.writes else {}
            refused = {key for key, is_written in written.items() if not is_written}
            self._log(settled, refused)
            pending = [one for one in pending if record_key(one.task_id) in refused]

    def _log(self, settled: Settled, refused: Collection[str]) -> None:
        for level, notes in ((logging.WARNING, settled.warnings), (logging.INFO, settled.remarks)):
            for task_id, text in notes:
                about = {"service_name": self._name, "task_id": task_id, "component": self.label}
                if record_key(task_id) not in refused:
                    _LOGGER.log(level, "%s", text, extra=about)


async def _keep_tags(messages: Sequence[TagMessage], surroundings: Surroundings) -> None:
    """One read and one update for what arrived, then the answers."""
    questions, changes = questions_in(messages), changes_of(messages)
    keys = sorted({key_of(question) for question in questions})
    before = await surroundings.sets.get(keys) if keys else {}
    await changes.carry_out(surroundings.sets)
    sets = {key: changes.after(key, values) for key, values in before.items()}
    transport = surroundings.transport
    await publish_all(transport, answers(questions, sets, transport.max_message_bytes))
