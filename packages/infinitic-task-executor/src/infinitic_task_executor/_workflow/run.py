"""One run of a method: a greenlet that is suspended while the workflow waits."""

from collections.abc import Callable, Coroutine, Generator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from inspect import iscoroutine
from typing import Any, NoReturn, cast

import attrs
from greenlet import (  # type: ignore[import-untyped]  # its stubs are a package of their own
    GreenletExit,
    getcurrent,
    greenlet,
)

from infinitic_common import exceptions
from infinitic_common.decorators import CheckMode
from infinitic_common.exceptions import InvalidInline
from infinitic_common.history import (
    Command,
    CommandIssued,
    Entry,
    InlineCommand,
    RunCanceled,
    SendSignalCommand,
    StepEnded,
)
from infinitic_common.steps import Leaf, Resolution, Step, evaluate, step_to_plain
from infinitic_common.workflow_run import set_current_run
from infinitic_common.workflow_tasks import StepAwaited, WorkflowTask
from infinitic_task_executor._workflow.coroutines import allow_asyncio, drive, refuse_asyncio
from infinitic_task_executor._workflow.definition import WorkflowDefinition, WorkflowMethod
from infinitic_task_executor._workflow.facts import RunFacts
from infinitic_task_executor._workflow.location import location
from infinitic_task_executor._workflow.properties import Properties
from infinitic_task_executor._workflow.replay import Replay
from infinitic_task_executor._workflow.seen import Seen


@attrs.frozen
class Returned:
    """The code returned an encoded value."""

    value: bytes


@attrs.frozen
class Raised:
    """The code raised."""

    exception: BaseException


Stop = StepAwaited | Returned | Raised
"""How the code stopped."""


class Discarded(GreenletExit):  # type: ignore[misc]  # untyped for mypy, see its import
    """Unwinds the frames of a run that is thrown away."""


class CodeRun(RunFacts):
    """The code of one method run; see the port ``WorkflowRun`` for what its code uses.

    All calls must come from one thread: a greenlet never leaves the thread it started in.
    """

    def __init__(
        self, definition: WorkflowDefinition, task: WorkflowTask, check_mode: CheckMode | None
    ) -> None:
        """Prepare the run that a task is about; nothing runs yet."""
        super().__init__(task)
        self._definition = definition
        self._check_mode = check_mode
        self._seen = Seen()
        self._replay = Replay(task, self._refuse)
        self._history: Sequence[Entry] = task.history
        self._position = 0
        self._issued: list[CommandIssued] = []
        self._signals_used: dict[int, int] = {}
        self._properties: Properties | None = None
        self._waiting = -1
        self._shields = 0
        self._cancellation_raised = False
        self._is_coroutine = False
        self._inline = False
        self._closing = False
        self._broken: BaseException | None = None
        self._greenlet = greenlet(self._body)
        self._hub = getcurrent()
        self._suspended: greenlet = self._greenlet

    # --- what the executor calls ------------------------------------------------------------

    @property
    def version(self) -> int:
        """Version of the class that runs."""
        return self._definition.version

    @property
    def discarding_channels(self) -> tuple[str, ...]:
        """Channels of this workflow that drop what nobody waits for."""
        return self._definition.discarding_channels

    def start(self) -> Stop:
        """Run from the first line, through all that the history has, until something is unknown."""
        self._seen.see(self._history, self._replay.start + 1)
        return self._switch()

    def can_resume(self, task: WorkflowTask) -> bool:
        """Tell whether the history of a task ends the wait that this run is suspended in."""
        last = task.history[task.visible - 1]
        return (
            task.visible > self._seen.count
            and isinstance(last, StepEnded | RunCanceled)
            and last.position == self._waiting
        )

    def resume(self, task: WorkflowTask) -> Stop:
        """Go on from the wait that the run is suspended in."""
        self._task = task
        self._issued = []
        self._signals_used = {}
        self._see(task.history, task.visible)
        return self._switch()

    def new_commands(self) -> tuple[CommandIssued, ...]:
        """Commands of this task that the history does not have."""
        return tuple(self._issued)

    def signals_used(self) -> dict[int, int]:
        """Signals that the code has had of each receive, where that is new in this task."""
        return dict(self._signals_used)

    def changed_properties(self) -> tuple[dict[str, bytes], tuple[str, ...]]:
        """Encoded properties that differ from what the engine knows, and names that are gone."""
        return self._properties.changes() if self._properties is not None else ({}, ())

    def close(self) -> None:
        """Throw the run away: unwinds its frames; what they do meanwhile has no effect."""
        if not self._greenlet:
            return
        self._closing = True
        set_current_run(self)
        try:
            self._suspended.throw(Discarded)
        finally:
            set_current_run(None)

    # --- what the code calls ----------------------------------------------------------------

    def issue(self, command: Command) -> int:
        """See the port."""
        self._refuse_misuse()
        position = self._take()
        if self._closing:
            return position
        if position > self._replay.last:
            self._issued.append(CommandIssued(position, command, location()))
            order = None
        else:
            order = self._replay.command(position, command)
        if isinstance(command, SendSignalCommand):
            self._seen.bear(position, command, order)
        return position

    def wait(self, step: Step) -> Resolution:
        """See the port."""
        resolution = self._wait(step)
        if resolution.error is None:
            for leaf in resolution.leaves:
                if self._seen.is_signal(leaf):
                    self._signals_used[leaf.position] = leaf.index + 1
        return resolution

    def _wait(self, step: Step) -> Resolution:
        self._refuse_misuse()
        if self._closing:
            raise Discarded
        if self._seen.canceled:
            self._raise_cancellation()
        position = self._take()
        resolution: Resolution | None
        if position > self._replay.last:
            resolution = evaluate(step, self._seen.outcome_of)
        else:
            end = self._replay.end_of_wait(position, step)
            if end is not None:
                self._signals_used = {}
                self._see(self._history, end + 1)
                return self._ended(position, step)
            resolution = evaluate(step, self._seen.outcome_of)
            resolution = self._replay.open_wait(position, step, resolution)
        return resolution or self._suspend(position, step)

    @contextmanager
    def shield(self) -> Generator[None]:
        """See the port."""
        self._shields += 1
        try:
            yield
        finally:
            self._shields -= 1
        self._raise_cancellation()

    @property
    def is_replaying(self) -> bool:
        """See the port; a run that is thrown away does nothing new either."""
        return self._closing or self._seen.count < self._task.visible

    def peek(self, step: Step) -> Resolution | None:
        """See the port."""
        self._refuse_misuse()
        return evaluate(step, self._seen.outcome_of)

    def value_of(self, leaf: Leaf) -> bytes:
        """See the port."""
        outcome = self._seen.outcome_of(leaf)
        if outcome is None or outcome.error is not None:
            msg = f"the command at position {leaf.position} has no value (index {leaf.index})"
            raise LookupError(msg)
        return outcome.value

    def inline(self, block: Callable[[], bytes]) -> bytes:
        """See the port."""
        self._refuse_misuse()
        if self._closing:
            raise Discarded
        position = self._take()
        if position <= self._replay.last:
            recorded, order = self._replay.inline(position)
            self._seen.bear(position, recorded, order)
            return recorded.value
        value = self._run_inline(block)
        command = InlineCommand(value)
        self._issued.append(CommandIssued(position, command, location()))
        self._seen.bear(position, command, None)
        return value

    def now(self) -> datetime:
        """See the port."""
        return datetime.fromtimestamp(self._seen.at / 1000, UTC)

    # --- running ----------------------------------------------------------------------------

    def _body(self) -> Stop:
        try:
            return Returned(self._call())
        except BaseException as exception:  # noqa: BLE001 - user code cannot end the worker
            return Raised(exception)

    def _call(self) -> bytes:
        method = self._definition.method(self._task.method_name)
        self._replay.mode = self._check_mode or method.check_mode or CheckMode.SIMPLE
        instance = self._instance()
        self._properties = Properties(self._definition, instance)
        self._properties.resume(self._seen)
        value = self._value(method, instance)
        data = method.encode_result(value)
        self._replay.end(self._position, method.location)
        return data

    def _instance(self) -> object:
        try:
            return self._definition.create()
        except exceptions.InfiniticError:
            raise
        except Exception as error:
            msg = (
                f"no instance of version {self.version} of workflow {self.workflow_name} can be "
                f"made: {type(error).__name__}: {error}"
            )
            raise exceptions.InvalidImplementation(msg) from error

    def _value(self, method: WorkflowMethod, instance: object) -> object:
        value = method.call(instance, self._task.arguments)
        if not iscoroutine(value):
            return value
        self._is_coroutine = True
        refuse_asyncio()
        try:
            return drive(cast("Coroutine[Any, None, object]", value))
        finally:
            allow_asyncio()
            self._is_coroutine = False

    def _switch(self) -> Stop:
        self._hub = getcurrent()
        set_current_run(self)
        if self._is_coroutine:
            refuse_asyncio()
        try:
            stop: Stop = self._suspended.switch()
        finally:
            set_current_run(None)
        if self._broken is not None:
            return Raised(self._broken)
        return stop

    def _suspend(self, position: int, step: Step) -> Resolution:
        self._waiting = position
        self._replay.forget()
        self._suspended = getcurrent()
        if self._is_coroutine:
            allow_asyncio()
        shielded = self._shields > 0
        self._hub.switch(StepAwaited(position, step_to_plain(step), location(), shielded))
        return self._ended(position, step)

    def _ended(self, position: int, step: Step) -> Resolution:
        if self._seen.canceled:
            self._raise_cancellation()
        resolution = evaluate(step, self._seen.outcome_of)
        return resolution or self._replay.lasts_on(position, step)

    def _raise_cancellation(self) -> None:
        """Raise it once, where the code does not shield itself."""
        if self._seen.canceled and not self._cancellation_raised and not self._shields:
            self._cancellation_raised = True
            task = self._task
            names = (task.workflow_name, task.workflow_id, task.method_name, task.method_id)
            raise exceptions.RunCanceled(*names)

    def _see(self, entries: Sequence[Entry], until: int) -> None:
        self._history = entries
        self._seen.see(entries, until)
        if self._properties is not None:
            self._properties.resume(self._seen)

    def _take(self) -> int:
        position = self._position
        self._position = position + 1
        return position

    # --- inline -----------------------------------------------------------------------------

    def _run_inline(self, block: Callable[[], bytes]) -> bytes:
        self._inline = True
        if self._is_coroutine:
            allow_asyncio()
        try:
            return block()
        except BaseException as error:  # noqa: BLE001 - it is raised again
            # A block that failed is not recorded: the task fails, come what may.
            self._refuse(error)
        finally:
            self._inline = False
            if self._is_coroutine:
                refuse_asyncio()

    def _refuse(self, error: BaseException) -> NoReturn:
        """The task fails with this error, whatever the code makes of it."""
        self._broken = error
        raise error

    def _refuse_misuse(self) -> None:
        if self._inline:
            msg = (
                f"an inline block of {self._task.workflow_name}.{self._task.method_name} used a "
                "stub, a deferred or another inline block: get the value first, then compute inline"
            )
            raise InvalidInline(msg)
        if self._broken is not None:
            raise self._broken
