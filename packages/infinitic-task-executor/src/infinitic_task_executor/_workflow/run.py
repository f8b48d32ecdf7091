"""One run of a method: a greenlet that is suspended while the workflow waits."""

from collections.abc import Callable, Coroutine, Mapping, Sequence
from datetime import UTC, datetime
from inspect import iscoroutine
from random import Random
from typing import Any, NoReturn, cast
from uuid import UUID

import attrs
from greenlet import (  # type: ignore[import-untyped]  # its stubs are a package of their own
    GreenletExit,
    getcurrent,
    greenlet,
)

from infinitic_common.command_ids import command_id
from infinitic_common.decorators import CheckMode
from infinitic_common.exceptions import InvalidInline, WorkflowChanged
from infinitic_common.history import (
    Command,
    CommandIssued,
    Entry,
    InlineCommand,
    SendSignalCommand,
    StepEnded,
)
from infinitic_common.ids import derived_id
from infinitic_common.steps import Leaf, Resolution, Step, evaluate, step_to_plain
from infinitic_common.workflow_run import set_current_run
from infinitic_common.workflow_tasks import StepAwaited, WorkflowTask
from infinitic_task_executor._workflow.checks import (
    describe_command,
    describe_entry,
    describe_step,
    same_command,
    same_step,
)
from infinitic_task_executor._workflow.coroutines import allow_asyncio, drive, refuse_asyncio
from infinitic_task_executor._workflow.definition import WorkflowDefinition, WorkflowMethod
from infinitic_task_executor._workflow.location import location
from infinitic_task_executor._workflow.properties import Properties
from infinitic_task_executor._workflow.recorded import NOTHING_RECORDED, Recorded
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


class CodeRun:
    """The code of one method run; see the port ``WorkflowRun`` for what its code uses.

    All calls must come from one thread: a greenlet never leaves the thread it started in.
    """

    def __init__(
        self, definition: WorkflowDefinition, task: WorkflowTask, check_mode: CheckMode | None
    ) -> None:
        """Prepare the run that a task is about; nothing runs yet."""
        self._definition = definition
        self._task = task
        self._check_mode = check_mode
        self._mode = CheckMode.SIMPLE
        self._seen = Seen()
        self._recorded = Recorded(task.history, task.visible)
        self._last_recorded = self._recorded.last
        self._history: Sequence[Entry] = task.history
        self._position = 0
        self._issued: list[CommandIssued] = []
        self._properties: Properties | None = None
        self._waiting = -1
        self._is_coroutine = False
        self._inline = False
        self._closing = False
        self._broken: BaseException | None = None
        self._random: Random | None = None
        self._uuids = 0
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
        self._seen.see(self._history, self._recorded.start + 1)
        return self._switch()

    def can_resume(self, task: WorkflowTask) -> bool:
        """Tell whether the history of a task ends the wait that this run is suspended in."""
        last = task.history[task.visible - 1]
        return (
            task.visible > self._seen.count
            and isinstance(last, StepEnded)
            and last.position == self._waiting
        )

    def resume(self, task: WorkflowTask) -> Stop:
        """Go on from the wait that the run is suspended in."""
        self._task = task
        self._issued = []
        self._see(task.history, task.visible)
        return self._switch()

    def new_commands(self) -> tuple[CommandIssued, ...]:
        """Commands of this task that the history does not have."""
        return tuple(self._issued)

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

    @property
    def workflow_id(self) -> str:
        """See the port."""
        return self._task.workflow_id

    @property
    def workflow_name(self) -> str:
        """See the port."""
        return self._task.workflow_name

    @property
    def method_id(self) -> str:
        """See the port."""
        return self._task.method_id

    @property
    def method_name(self) -> str:
        """See the port."""
        return self._task.method_name

    @property
    def tags(self) -> frozenset[str]:
        """See the port."""
        return self._task.tags

    @property
    def meta(self) -> Mapping[str, bytes]:
        """See the port."""
        return self._task.meta

    def issue(self, command: Command) -> int:
        """See the port."""
        self._refuse_misuse()
        position = self._take()
        if self._closing:
            return position
        if position > self._last_recorded:
            self._issued.append(CommandIssued(position, command, location()))
            order = None
        else:
            order = self._check_command(position, command)
        if isinstance(command, SendSignalCommand):
            self._seen.bear(position, command, order)
        return position

    def command_id(self, position: int) -> str:
        """See the port."""
        return command_id(self._task.workflow_id, self._task.method_id, position)

    def wait(self, step: Step) -> Resolution:
        """See the port."""
        self._refuse_misuse()
        if self._closing:
            raise Discarded
        position = self._take()
        if position <= self._last_recorded:
            resolution = self._replay_wait(position, step)
        else:
            resolution = evaluate(step, self._seen.outcome_of)
        return resolution or self._suspend(position, step)

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
        if position <= self._last_recorded:
            return self._replay_inline(position)
        value = self._run_inline(block)
        command = InlineCommand(value)
        self._issued.append(CommandIssued(position, command, location()))
        self._seen.bear(position, command, None)
        return value

    def now(self) -> datetime:
        """See the port."""
        return datetime.fromtimestamp(self._seen.at / 1000, UTC)

    def random(self) -> Random:
        """See the port."""
        if self._random is None:
            seed = f"{self._task.workflow_id}/{self._task.method_id}"
            self._random = Random(seed)  # noqa: S311 - must be the same under replay
        return self._random

    def uuid(self) -> UUID:
        """See the port."""
        self._uuids += 1
        return UUID(derived_id(self._task.workflow_id, self._task.method_id, "uuid", self._uuids))

    # --- running ----------------------------------------------------------------------------

    def _body(self) -> Stop:
        try:
            return Returned(self._call())
        except BaseException as exception:  # noqa: BLE001 - user code cannot end the worker
            return Raised(exception)

    def _call(self) -> bytes:
        method = self._definition.method(self._task.method_name)
        self._mode = self._check_mode or method.check_mode or CheckMode.SIMPLE
        instance = self._definition.create()
        self._properties = Properties(self._definition, instance)
        self._properties.resume(self._seen)
        value = self._value(method, instance)
        data = method.encode_result(value)
        self._check_end()
        return data

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
        self._recorded, self._last_recorded = NOTHING_RECORDED, -1
        self._suspended = getcurrent()
        if self._is_coroutine:
            allow_asyncio()
        self._hub.switch(StepAwaited(position, step_to_plain(step), location()))
        return self._resolved(position, step)

    def _resolved(self, position: int, step: Step) -> Resolution:
        resolution = evaluate(step, self._seen.outcome_of)
        if resolution is None:
            self._fail_changed(position, "a wait that is over", describe_step(step, location()))
        return resolution

    def _see(self, entries: Sequence[Entry], until: int) -> None:
        self._history = entries
        self._seen.see(entries, until)
        if self._properties is not None:
            self._properties.resume(self._seen)

    def _take(self) -> int:
        position = self._position
        self._position = position + 1
        return position

    # --- replaying --------------------------------------------------------------------------

    def _replay_wait(self, position: int, step: Step) -> Resolution | None:
        recorded = self._recorded.step(position)
        if recorded is not None and not same_step(recorded.step, step):
            self._changed(position, describe_step(step, location()))
        end = self._recorded.end(position)
        if end is not None:
            self._see(self._history, end + 1)
            return self._resolved(position, step)
        if recorded is not None:
            return None
        resolution = evaluate(step, self._seen.outcome_of)
        if resolution is None or self._recorded.command(position):
            self._changed(position, describe_step(step, location()))
        return resolution

    def _check_command(self, position: int, command: Command) -> int:
        recorded = self._recorded.command(position)
        if recorded is None or not same_command(recorded[0].command, command, self._mode):
            self._changed(position, describe_command(command, location()))
        return recorded[1]

    def _replay_inline(self, position: int) -> bytes:
        recorded = self._recorded.command(position)
        command = recorded and recorded[0].command
        if recorded is None or not isinstance(command, InlineCommand):
            self._changed(position, f"an inline block ({location()})")
        self._seen.bear(position, command, recorded[1])
        return command.value

    def _check_end(self) -> None:
        beyond = self._recorded.beyond(self._position) if self._last_recorded >= 0 else None
        if beyond is not None and self._mode is not CheckMode.NONE:
            self._changed(beyond.position, "its end")

    def _changed(self, position: int, attempted: str) -> NoReturn:
        recorded = self._recorded.command(position)
        entry = recorded[0] if recorded else self._recorded.step(position)
        self._fail_changed(position, describe_entry(entry), attempted)

    def _fail_changed(self, position: int, recorded: str, attempted: str) -> NoReturn:
        task = self._task
        names = (task.workflow_name, task.method_name)
        self._broken = WorkflowChanged(*names, position, recorded, attempted)
        raise self._broken

    # --- inline -----------------------------------------------------------------------------

    def _run_inline(self, block: Callable[[], bytes]) -> bytes:
        self._inline = True
        if self._is_coroutine:
            allow_asyncio()
        try:
            return block()
        except BaseException as error:
            self._broken = (
                error  # a block that failed is not recorded: the task fails, come what may
            )
            raise
        finally:
            self._inline = False
            if self._is_coroutine:
                refuse_asyncio()

    def _refuse_misuse(self) -> None:
        if self._inline:
            msg = (
                f"an inline block of {self._task.workflow_name}.{self._task.method_name} used a "
                "stub, a deferred or another inline block: get the value first, then compute inline"
            )
            raise InvalidInline(msg)
        if self._broken is not None:
            raise self._broken
