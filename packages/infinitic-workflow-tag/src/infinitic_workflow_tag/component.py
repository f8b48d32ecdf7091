"""The component: running workflows by tag, and by custom id."""

import asyncio
import logging
from collections.abc import Iterable, Sequence
from itertools import chain
from typing import Self

import attrs

from infinitic_common.arguments import demand_counts
from infinitic_common.configuration import (
    ConfigurationError,
    Problem,
    StorageConfiguration,
    WorkflowConfiguration,
)
from infinitic_common.contracts import contract_of
from infinitic_common.publishing import publish_all
from infinitic_common.storage import KeySetStorage, KeyValueStorage, Page
from infinitic_common.tag_engine import DEFAULT_BATCH, Surroundings, TagEngine
from infinitic_common.transport import ReceivedMessage, TopicKind
from infinitic_workflow_tag._core.asked import Asked, UniqueStart, read
from infinitic_workflow_tag._core.claims import claim, claim_key_of
from infinitic_workflow_tag._core.turn import Found, PageKey, Turn, decide, pages_of, sets_of

_LOGGER = logging.getLogger(__name__)


class WorkflowTagEngine(TagEngine[Asked]):
    """Knows which running workflows of one workflow have which tags, and tells them commands."""

    label = "WorkflowTagEngine"
    kind = TopicKind.WORKFLOW_TAG_ENGINE

    def __init__(
        self,
        workflow: type | str,
        *,
        concurrency: int = 1,
        max_batch_messages: int = DEFAULT_BATCH,
        fanout_page_size: int = 5000,
        storage: StorageConfiguration | None = None,
    ) -> None:
        """Take what to keep; nothing starts yet.

        Args:
            workflow: The contract of the workflow, or its name.
            concurrency: Batches handled at once, of different tags.
            max_batch_messages: The most messages in one batch; nothing waits for them.
            fanout_page_size: Workflows told at once when a command addresses many by tag.
            storage: A storage of its own; None for the worker's.

        Raises:
            InvalidSetting: A number is none, or less than 1; the storage is no configuration.
        """
        super().__init__(
            workflow if isinstance(workflow, str) else contract_of(workflow).name,
            concurrency=concurrency,
            max_batch_messages=max_batch_messages,
            storage=storage,
        )
        demand_counts(fanout_page_size=fanout_page_size)
        self._page_size = fanout_page_size

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
            fanout_page_size=engine.fanout_page_size,
            storage=engine.storage,
        )

    @property
    def workflow_name(self) -> str:
        """The workflow whose tags it keeps."""
        return self._name

    def read(self, received: ReceivedMessage) -> Asked:
        """See ``TagEngine``."""
        return read(received)

    async def turn(self, asked: Sequence[Asked], surroundings: Surroundings) -> None:
        """Settle custom ids, read, change, then publish: each step is durable before the next.

        What is published tells what is already stored, so that nobody acts on what a crash takes
        back. A crash in between is healed by redelivery: the claim is found to be its own, changes
        of sets change nothing twice, and everything is published again with the same ids.
        """
        transport = surroundings.transport
        settled = await _claimed(asked, surroundings.records)
        sets, pages = await self._find(settled, surroundings.sets)
        turn = decide(settled, Found(sets, pages, transport.now(), transport.max_message_bytes))
        await turn.changes.carry_out(surroundings.sets)
        for wave in (turn.tags, chain.from_iterable(turn.commands), turn.answers):
            await publish_all(transport, wave)
        self._log(turn)

    def _settings(self) -> list[str]:
        return [*super()._settings(), f"pages of {self._page_size}"]

    async def _find(
        self, asked: Sequence[Asked], storage: KeySetStorage
    ) -> tuple[dict[str, frozenset[str]], dict[PageKey, Page]]:
        whole = sets_of(asked)
        sets = await storage.get(sorted(whole)) if whole else {}
        return sets, await self._pages(pages_of(asked), storage)

    async def _pages(self, keys: Iterable[PageKey], storage: KeySetStorage) -> dict[PageKey, Page]:
        wanted = sorted(keys, key=lambda key: (key[0], key[1] or ""))
        pages = await asyncio.gather(
            *(storage.get_page(key, self._page_size, cursor) for key, cursor in wanted)
        )
        return dict(zip(wanted, pages, strict=True))

    def _log(self, turn: Turn) -> None:
        for tag, note in turn.notes:
            about = {"workflow_name": self._name, "tag": tag, "component": self.label}
            _LOGGER.info("%s", note, extra=about)


async def _claimed(asked: Sequence[Asked], records: KeyValueStorage) -> list[Asked]:
    """The batch, each start of it with the workflow that has its custom id from now on.

    A claim that somebody else wrote meanwhile is read again, and decided again.
    """
    settled = list(asked)
    open_keys = {key for one in asked if (key := claim_key_of(one)) is not None}
    while open_keys:
        claims = claim(asked, await records.get(sorted(open_keys)))
        written = await records.put(claims.writes) if claims.writes else {}
        open_keys = {key for key, is_written in written.items() if not is_written}
        for place, holder in claims.holders.items():
            one = asked[place]
            if isinstance(one, UniqueStart):
                settled[place] = attrs.evolve(one, holder=holder)
    return settled
