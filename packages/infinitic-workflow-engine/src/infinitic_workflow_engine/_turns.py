"""One turn: load, apply, run workflow code, commit, publish, confirm. In that order."""

from __future__ import annotations

import itertools
import logging
from collections.abc import Awaitable, Coroutine, Iterable, Sequence
from typing import cast

import attrs

from infinitic_common.telemetry import NO_TELEMETRY, Telemetry
from infinitic_common.transport import Deferral, ReceivedMessage, Transport
from infinitic_common.workflow_tasks import (
    WorkflowTask,
    WorkflowTaskHandler,
    WorkflowTaskResult,
)
from infinitic_workflow_engine._cache import StateCache
from infinitic_workflow_engine._closing import Closing
from infinitic_workflow_engine._core.emissions import drop_done
from infinitic_workflow_engine._core.outbox import OutboxEntry
from infinitic_workflow_engine._core.state import WorkflowState
from infinitic_workflow_engine._core.turn import Limits, Turn
from infinitic_workflow_engine._group import CannotApply, Group
from infinitic_workflow_engine._publishing import publish
from infinitic_workflow_engine._reporting import report
from infinitic_workflow_engine._storage.states import WorkflowStateStorage
from infinitic_workflow_engine._telling import Telling

_LOGGER = logging.getLogger(__name__)


PATIENCE_SECONDS = 0.02
"""How long a turn waits for workflow code, before it goes on without the slow ones."""


_Late = tuple[Group, WorkflowTask, Awaitable[WorkflowTaskResult]]
"""A group, and what comes of the task that it waits for."""


@attrs.define
class _Outcome:
    """What comes of groups besides committed states.

    Attributes:
        again: Messages to try again.
        late: Those whose workflow code takes long.
        repeat: Groups to apply once more.
    """

    again: list[ReceivedMessage] = attrs.field(factory=list[ReceivedMessage])
    late: list[Deferral] = attrs.field(factory=list[Deferral])
    repeat: list[Group] = attrs.field(factory=list[Group])

    def give_up_late(self) -> set[str]:
        """The whole batch is tried again, those that take long included: answers their ids."""
        given_up = {message.key or "" for late in self.late for message in late.messages}
        for deferral in self.late:
            cast("Coroutine[object, object, object]", deferral.answer).close()
        self.late = []
        return given_up


class Turns:
    """Takes groups of messages through turns.

    A group whose state was written by somebody else meanwhile is applied again, on what is stored
    now; nothing of its first try was published. A group with a message that cannot be applied is
    applied up to that message.

    Args:
        transport: Takes the emissions, and gives the time.
        storage: Has the states.
        handler: Runs workflow code in this process; None to have it run elsewhere.
        limits: What time may do to a workflow.
        cached_entries: Bound of the cache of states.
        telemetry: Is told how runs end, and how often the cache helps.
        telling: Tells listeners of what happens; None to tell nobody.
    """

    def __init__(  # noqa: PLR0913 - what turns stand on
        self,
        transport: Transport,
        storage: WorkflowStateStorage,
        handler: WorkflowTaskHandler | None,
        *,
        limits: Limits,
        cached_entries: int,
        telemetry: Telemetry = NO_TELEMETRY,
        telling: Telling | None = None,
    ) -> None:
        self._transport = transport
        self._storage = storage
        self._handler = handler
        self._limits = limits
        self._telemetry = telemetry
        self._telling = telling
        self._cache = StateCache(cached_entries)
        self._numbers = itertools.count(1)
        self.closing = Closing(storage, self._cache)

    async def take(self, groups: Iterable[Group]) -> list[ReceivedMessage | Deferral]:
        """Take groups of different workflows through a turn.

        Answers the messages to try again, and those of workflows whose code takes long: they go
        on alone, while the others are committed.
        """
        outcome = _Outcome()
        await self._take(list(groups), outcome, PATIENCE_SECONDS)
        return [*outcome.again, *outcome.late]

    async def _take(self, pending: list[Group], outcome: _Outcome, patience: float | None) -> None:
        while pending:
            try:
                pending = await self._turn(pending, outcome, patience)
            except BaseException:
                given_up = outcome.give_up_late()
                self._discard([*(group.workflow_id for group in pending), *given_up])
                raise

    async def _turn(
        self, groups: list[Group], outcome: _Outcome, patience: float | None
    ) -> list[Group]:
        """One turn; answers the groups that need another one."""
        states, loaded = await self._load([group.workflow_id for group in groups])
        number, now = next(self._numbers), self._transport.now()
        for group in groups:
            group.from_cache = group.workflow_id not in loaded
            group.begin(self._new_turn(group, number, now, states[group.workflow_id]))
        return await self._go_on(groups, outcome, patience)

    async def _go_on(
        self, groups: list[Group], outcome: _Outcome, patience: float | None
    ) -> list[Group]:
        done, repeat = await self._apply(groups, outcome, patience)
        lost = await self._commit(done) | await self._outdated(done)
        won = [group for group in done if group.workflow_id not in lost]
        await self._publish(won)
        self._confirm_published(won)
        _log_notes(won)
        return repeat + [group for group in done if group.workflow_id in lost]

    async def _publish(self, groups: list[Group]) -> None:
        """What was decided leaves, and beside it what is told of it."""
        emissions = (emission for group in groups for emission in group.turn.emissions)
        if self._telling is None:
            await publish(self._transport, emissions)
            return
        told = self._telling.begin(group.turn for group in groups)
        try:
            await publish(self._transport, emissions)
        except BaseException:
            if told is not None:
                told.cancel()
            raise
        await self._telling.finish(told)

    async def _finish_late(self, late: list[_Late]) -> list[ReceivedMessage]:
        """Take groups whose code takes long to their end, together: each alone costs a write."""
        outcome = _Outcome()
        try:
            results = [await result for _, _, result in late]
            waiting = [(group, task) for group, task, _ in late]
            active = self._take_results(waiting, results, outcome)
            repeat = outcome.repeat + await self._go_on(active, outcome, None)
            outcome.repeat = []
            await self._take(repeat, outcome, None)
        except BaseException:
            self._discard([group.workflow_id for group, _, _ in late])
            raise
        return outcome.again

    def _new_turn(self, group: Group, number: int, now: int, state: WorkflowState | None) -> Turn:
        return Turn(
            workflow_id=group.workflow_id,
            number=number,
            now=now,
            max_message_bytes=self._transport.max_message_bytes,
            state=state,
            limits=self._limits,
            events=None if self._telling is None else [],
        )

    async def _load(
        self, workflow_ids: Sequence[str]
    ) -> tuple[dict[str, WorkflowState | None], set[str]]:
        """The states, and which of them were read from the store."""
        await self.closing.wait_for(workflow_ids)
        states: dict[str, WorkflowState | None] = {i: self._cache.get(i) for i in workflow_ids}
        missing = [i for i, state in states.items() if state is None]
        if missing:
            states.update(await self._storage.get_states(missing))
        self._telemetry.states_read(len(states) - len(missing), len(missing))
        return states, set(missing)

    async def _apply(
        self, groups: list[Group], outcome: _Outcome, patience: float | None
    ) -> tuple[list[Group], list[Group]]:
        """Apply all messages, running workflow code in rounds; answers done ones and repeats."""
        done: list[Group] = []
        active = groups
        while active:
            waiting: list[tuple[Group, WorkflowTask]] = []
            for group in active:
                try:
                    task = group.advance(local=self._handler is not None)
                except CannotApply as error:
                    self._set_aside(group, error, outcome)
                    continue
                if task is None:
                    done.append(group)
                else:
                    waiting.append((group, task))
            active = await self._run(waiting, outcome, patience)
        repeat, outcome.repeat = outcome.repeat, []
        return done, repeat

    async def _run(
        self,
        waiting: list[tuple[Group, WorkflowTask]],
        outcome: _Outcome,
        patience: float | None,
    ) -> list[Group]:
        if self._handler is None or not waiting:
            return []
        tasks = [task for _, task in waiting]
        return self._take_results(
            waiting, await self._handler.run(tasks, patience=patience), outcome
        )

    def _take_results(
        self,
        waiting: list[tuple[Group, WorkflowTask]],
        results: Sequence[WorkflowTaskResult | Awaitable[WorkflowTaskResult]],
        outcome: _Outcome,
    ) -> list[Group]:
        active: list[Group] = []
        late: list[_Late] = []
        for (group, task), result in zip(waiting, results, strict=True):
            if not isinstance(result, WorkflowTaskResult):
                late.append((group, task, result))
                continue
            try:
                group.take_result(task, result)
            except CannotApply as error:
                self._set_aside(group, error, outcome)
            else:
                active.append(group)
        if late:
            messages = [received for group, _, _ in late for received, _ in group.messages]
            outcome.late.append(Deferral(messages, self._finish_late(late)))
        return active

    def _set_aside(self, group: Group, error: CannotApply, outcome: _Outcome) -> None:
        _LOGGER.error(
            "%s", error, exc_info=error.__cause__, extra={"workflow_id": group.workflow_id}
        )
        self._discard([group.workflow_id])
        outcome.again.append(error.received)
        rest = group.without(error.received)
        if rest.messages:
            outcome.repeat.append(rest)

    # --- commit -----------------------------------------------------------------------------

    async def _commit(self, groups: list[Group]) -> set[str]:
        """Write the states that changed; answers the workflows whose state was not current."""
        changed = [state for group in groups if (state := group.turn.state) and group.turn.changed]
        for group in groups:
            if group.turn.state is not None and group.turn.changed:
                drop_done(group.turn.state)
                group.turn.state.outbox.add(group.turn.causes, group.turn.effects)
        written = await self._storage.update_states(changed) if changed else {}
        lost = {workflow_id for workflow_id, done in written.items() if not done}
        if lost:
            self._discard(lost)
        self._keep([group for group in groups if group.workflow_id not in lost])
        return lost

    async def _outdated(self, groups: list[Group]) -> set[str]:
        """The workflows that were left as they are because of something remembered and outdated.

        What a turn writes is judged by the store. What it does not write is not: without a look
        there, the result of a task that another process has dispatched since would be dropped.
        """
        unwritten = {
            group.workflow_id: state.version
            for group in groups
            if group.from_cache and not group.turn.changed and (state := group.turn.state)
        }
        if not unwritten:
            return set()
        stored = await self._storage.get_states(list(unwritten))
        outdated = {
            workflow_id
            for workflow_id, version in unwritten.items()
            if (state := stored.get(workflow_id)) is None or state.version != version
        }
        self._discard(outdated)
        return outdated

    def _keep(self, groups: list[Group]) -> None:
        versions: dict[str, int] = {}
        ended: list[tuple[str, str]] = []
        for group in groups:
            state = group.turn.state
            if state is None:
                continue
            self._cache.put(state)
            versions[group.workflow_id] = state.version
            ended += [(group.workflow_id, method_id) for method_id in group.turn.ended_methods]
        if self._telemetry.is_on:
            report(self._telemetry, (group.turn for group in groups))
        if self._handler is not None:
            self._handler.confirm(versions)
            if ended:
                self._handler.forget([w for w, _ in ended], [m for _, m in ended])

    def _discard(self, workflow_ids: Iterable[str]) -> None:
        ids = list(workflow_ids)
        for workflow_id in ids:
            self._cache.drop(workflow_id)
        if self._handler is not None:
            self._handler.discard(ids)

    def _confirm_published(self, groups: list[Group]) -> None:
        """The broker has everything of these turns: the next write need not remember it."""
        for group in groups:
            turn, state = group.turn, group.turn.state
            if state is None:
                continue
            published: list[OutboxEntry] = list(turn.repeated.values())
            if turn.changed and turn.effects:
                published.append(state.outbox.entries[-1])
            state.outbox.confirmed += published
            self.closing.note(state)


def _log_notes(groups: list[Group]) -> None:
    for group in groups:
        for note in group.turn.notes:
            _LOGGER.warning("%s", note, extra={"workflow_id": group.workflow_id})
