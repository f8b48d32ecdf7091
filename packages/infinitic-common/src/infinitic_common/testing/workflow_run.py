"""A run of workflow code without engine or executor: what happens is said beforehand."""

from collections import deque
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from random import Random
from uuid import UUID

from infinitic_common._timers import INSTANT
from infinitic_common.command_ids import command_id
from infinitic_common.exceptions import InvalidInline, RunCanceled
from infinitic_common.failures import DeferredError
from infinitic_common.history import Command, InlineCommand, SendSignalCommand, TimerCommand
from infinitic_common.ids import derived_id
from infinitic_common.steps import Leaf, Outcome, Resolution, Step, evaluate
from infinitic_common.workflow_run import current_run, set_current_run

_NO_META: Mapping[str, bytes] = {}


class FakeWorkflowRun:
    """A ``WorkflowRun`` for tests of workflow code.

    Events are given beforehand with ``will_complete`` and ``will_fail``; they happen, one by one,
    while the code waits; a timer of no duration is due by itself. A wait that no event ends is an
    error.

    Attributes:
        commands: What the code asked for, by position.
        steps: What the code waited for, by position.
        is_replaying: See ``WorkflowRun``; tests say.
    """

    def __init__(  # noqa: PLR0913 - the context of a run
        self,
        *,
        workflow_name: str = "Workflow",
        workflow_id: str = "workflow-id",
        method_id: str | None = None,
        method_name: str = "method",
        tags: frozenset[str] = frozenset(),
        meta: Mapping[str, bytes] = _NO_META,
        now: datetime = datetime(2026, 1, 1, tzinfo=UTC),
    ) -> None:
        self.workflow_name = workflow_name
        self.workflow_id = workflow_id
        self.method_id = method_id or workflow_id
        self.method_name = method_name
        self.tags = tags
        self.meta = meta
        self.commands: dict[int, Command] = {}
        self.steps: dict[int, Step] = {}
        self._now = now
        self._random = Random(self.method_id)  # noqa: S311 - repeatable on purpose
        self._uuids = 0
        self._is_inline = False
        self._shields = 0
        self._canceled = False
        self.is_replaying = False
        self._events: deque[tuple[Leaf, bytes, DeferredError | None] | None] = deque()
        self._outcomes: dict[Leaf, Outcome] = {}

    @contextmanager
    def active(self) -> Generator[None]:
        """Make it the run whose code executes in this thread."""
        before = current_run()
        set_current_run(self)
        try:
            yield
        finally:
            set_current_run(before)

    def will_complete(self, position: int, value: bytes = b"\xf6", *, index: int = 0) -> None:
        """The command at a position, or its signal of that index, will have this encoded value."""
        self._events.append((Leaf(position, index), value, None))

    def will_fail(self, position: int, error: DeferredError) -> None:
        """The command at a position will fail."""
        self._events.append((Leaf(position), b"", error))

    def will_cancel(self) -> None:
        """The run will be cancelled."""
        self._events.append(None)

    def issue(self, command: Command) -> int:
        """See ``WorkflowRun``."""
        self._refuse_inline()
        position = self._next()
        self.commands[position] = command
        if isinstance(command, SendSignalCommand):
            self._outcomes[Leaf(position)] = Outcome(len(self._outcomes), b"\xf6")
        if isinstance(command, TimerCommand) and command.duration_ms == 0:
            self._outcomes[Leaf(position)] = Outcome(len(self._outcomes), INSTANT.encode(self._now))
        return position

    def command_id(self, position: int) -> str:
        """See ``WorkflowRun``."""
        return command_id(self.workflow_id, self.method_id, position)

    def wait(self, step: Step) -> Resolution:
        """See ``WorkflowRun``.

        Raises:
            AssertionError: No event ends it.
        """
        self._refuse_inline()
        self._raise_cancellation()
        self.steps[self._next()] = step
        while (resolution := self.peek(step)) is None:
            if not self._events:
                msg = f"the code waits for {step}, and nothing more will happen"
                raise AssertionError(msg)
            event = self._events.popleft()
            if event is None:
                self._canceled = True
                self._raise_cancellation()
                continue
            leaf, value, error = event
            self._outcomes[leaf] = Outcome(len(self._outcomes), value, error)
        return resolution

    @contextmanager
    def shield(self) -> Generator[None]:
        """See ``WorkflowRun``."""
        self._shields += 1
        try:
            yield
        finally:
            self._shields -= 1
        self._raise_cancellation()

    def _raise_cancellation(self) -> None:
        if self._canceled and not self._shields:
            self._canceled = False
            raise RunCanceled(
                self.workflow_name, self.workflow_id, self.method_name, self.method_id
            )

    def peek(self, step: Step) -> Resolution | None:
        """See ``WorkflowRun``."""
        return evaluate(step, self._outcomes.get)

    def value_of(self, leaf: Leaf) -> bytes:
        """See ``WorkflowRun``."""
        return self._outcomes[leaf].value

    def inline(self, block: Callable[[], bytes]) -> bytes:
        """See ``WorkflowRun``."""
        self._refuse_inline()
        self._is_inline = True
        try:
            value = block()
        finally:
            self._is_inline = False
        self.commands[self._next()] = InlineCommand(value)
        return value

    def now(self) -> datetime:
        """See ``WorkflowRun``."""
        return self._now

    def random(self) -> Random:
        """See ``WorkflowRun``."""
        return self._random

    def uuid(self) -> UUID:
        """See ``WorkflowRun``."""
        self._uuids += 1
        return UUID(derived_id(self.workflow_id, self.method_id, "uuid", self._uuids))

    def _next(self) -> int:
        return len(self.commands) + len(self.steps)

    def _refuse_inline(self) -> None:
        if self._is_inline:
            msg = "an inline block uses no stub, no deferred and no other inline"
            raise InvalidInline(msg)
