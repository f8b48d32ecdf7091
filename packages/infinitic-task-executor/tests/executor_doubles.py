"""Doubles: workflows that are plain functions, and the least of a state engine."""

# ruff: noqa: D102, INP001, S101 - these are read beside the tests

from collections.abc import Callable, Mapping, Sequence
from typing import cast

import attrs

from infinitic_common.decorators import CheckMode
from infinitic_common.failures import DeferredError
from infinitic_common.history import (
    CommandCompleted,
    CommandFailed,
    CommandIssued,
    CommandRetried,
    Entry,
    InlineCommand,
    MethodStarted,
    RunCanceled,
    RunFailed,
    SendSignalCommand,
    SignalReceived,
    StepEnded,
    StepStarted,
    TaskCommand,
)
from infinitic_common.policies import RetryPolicy
from infinitic_common.serialization import content_hash, decode_untyped, encode_untyped
from infinitic_common.steps import AllOf, Leaf, Outcome, evaluate, step_from_plain
from infinitic_common.workflow_run import WorkflowRun, current_run
from infinitic_common.workflow_tasks import WorkflowTask, WorkflowTaskResult
from infinitic_task_executor._workflow.execution import Execution
from infinitic_task_executor._workflow.runner import RunnerSettings, WorkflowTaskRunner

Program = Callable[..., object]
NONE = encode_untyped(None)


class Instance:
    """An instance whose attributes are its properties."""


@attrs.frozen
class FunctionMethod:
    """A method that is a plain function of the instance and the arguments."""

    function: Program
    check_mode: CheckMode | None = None
    retry: RetryPolicy | None = None
    location: str = "here"

    def call(self, instance: object, arguments: tuple[bytes, ...]) -> object:
        return self.function(instance, *(decode_untyped(data) for data in arguments))

    def encode_result(self, value: object) -> bytes:
        return encode_untyped(value)


@attrs.frozen(kw_only=True)
class FunctionWorkflow:
    """A workflow of one method, which has any name."""

    function: Program
    retry: RetryPolicy | None = None
    version: int = 0
    check_mode: CheckMode | None = None
    initial: Mapping[str, object] = attrs.field(factory=dict[str, object])
    discarding_channels: tuple[str, ...] = ()

    def create(self) -> object:
        instance = Instance()
        copies = decode_untyped(encode_untyped(dict(self.initial)))
        vars(instance).update(cast("dict[str, object]", copies))
        return instance

    def method(self, name: str) -> FunctionMethod:
        del name
        return FunctionMethod(self.function, self.check_mode, self.retry)

    def properties_of(self, instance: object) -> Mapping[str, bytes]:
        return {name: encode_untyped(value) for name, value in vars(instance).items()}

    def set_property(self, instance: object, name: str, data: bytes) -> None:
        setattr(instance, name, decode_untyped(data))

    def remove_property(self, instance: object, name: str) -> None:
        vars(instance).pop(name, None)


@attrs.define(eq=False)
class FakeEngine:
    """The state of one method run, and the rules of the engine that its executor depends on."""

    handler: WorkflowTaskRunner
    arguments: tuple[bytes, ...] = ()
    workflow_id: str = "w"
    log: list[Entry] = attrs.field(factory=lambda: cast("list[Entry]", []))
    state_version: int = 0
    turn: int = 0
    workflow_version: int | None = None
    results: list[WorkflowTaskResult] = attrs.field(factory=list[WorkflowTaskResult])
    value: object = None
    ended: bool = False
    error: DeferredError | None = None
    properties: dict[str, bytes] = attrs.field(factory=dict[str, bytes])
    pending: StepStarted | None = None
    commit: bool = True
    canceled: bool = False
    _clock: int = 1_000
    _known: set[bytes] = attrs.field(factory=set[bytes])
    _values: dict[bytes, bytes] = attrs.field(factory=dict[bytes, bytes])
    _snapshot: dict[str, bytes] | None = None

    # --- what happens -----------------------------------------------------------------------

    async def start(self) -> WorkflowTaskResult:
        self.log.append(MethodStarted(self._tick()))
        return await self.run()

    def complete(self, position: int, value: object) -> None:
        self.log.append(CommandCompleted(position, encode_untyped(value)))

    def fail(self, position: int, error: DeferredError) -> None:
        self.log.append(CommandFailed(position, error))

    def retry(self, position: int) -> None:
        self.log.append(CommandRetried(position, 1))

    def signal(self, position: int, value: object) -> None:
        self.log.append(SignalReceived(position, "s", encode_untyped(value)))

    def set_property(self, name: str, value: object) -> None:
        self._store(name, encode_untyped(value))

    async def cancel(self) -> WorkflowTaskResult | None:
        """Interrupt the pending wait, or note it when the code shields itself."""
        if self.pending is None or self.canceled:
            return None
        self.canceled = True
        if self.pending.shielded:
            self.log.append(RunCanceled(None, self._tick()))
            return None
        self.log.append(RunCanceled(self.pending.position, self._tick(), *self._properties()))
        return await self.run()

    async def resume(self) -> WorkflowTaskResult | None:
        """End the pending wait when it is over, and run the code on."""
        if self.pending is None or not self.can_resume():
            return None
        self._end_step(self.pending.position)
        return await self.run()

    def can_resume(self) -> bool:
        assert self.pending is not None
        step = step_from_plain(self.pending.step)
        return evaluate(step, self._outcome_of) is not None

    async def run(self) -> WorkflowTaskResult:
        """Run the workflow task that the end of the log asks for."""
        self.turn += 1
        (result,) = await self.handler.run([self.task()])
        self.apply(result)
        if self.commit:
            self.state_version += 1
            self.handler.confirm({self.workflow_id: self.state_version})
        return result

    def task(self) -> WorkflowTask:
        return WorkflowTask(
            task_id=f"t{self.turn}",
            workflow_name="W",
            workflow_id=self.workflow_id,
            workflow_version=self.workflow_version,
            tags=frozenset({"tag"}),
            meta={"m": b"1"},
            method_id=self.workflow_id,
            method_name="method",
            arguments=self.arguments,
            history=self.log,
            visible=len(self.log),
            state_version=self.state_version,
            turn=self.turn,
        )

    # --- rules ------------------------------------------------------------------------------

    def apply(self, result: WorkflowTaskResult) -> None:
        self.results.append(result)
        if result.error is not None:
            self.error, self.pending = result.error, None
            self.log.append(RunFailed(result.error))
            return
        self.error = None
        self.workflow_version = result.workflow_version
        self.log.extend(result.commands)
        for name, data in result.properties.items():
            self._store(name, data)
        for name in result.removed_properties:
            del self.properties[name]
        self.pending = None
        if result.step is not None:
            started = StepStarted(*attrs.astuple(result.step, recurse=False))
            self.pending = attrs.evolve(started, signals_used=result.signals_used)
            self.log.append(self.pending)
        elif result.value is not None:
            self.ended, self.value = True, decode_untyped(result.value)

    async def resume_failed(self) -> WorkflowTaskResult | None:
        """Run failed code again from its last wait, if that is over (again)."""
        ends = [entry.position for entry in self.log if isinstance(entry, StepEnded)]
        if self.error is None or not ends:
            return None
        steps = (entry for entry in self.log if isinstance(entry, StepStarted))
        step = next(entry.step for entry in steps if entry.position == ends[-1])
        if evaluate(step_from_plain(step), self._outcome_of) is None:
            return None
        self._end_step(ends[-1])
        return await self.run()

    def _end_step(self, position: int) -> None:
        self.log.append(StepEnded(position, self._tick(), *self._properties()))

    def _properties(self) -> tuple[dict[str, bytes] | None, dict[bytes, bytes]]:
        changed = self.properties != (self._snapshot or {})
        self._snapshot = dict(self.properties)
        new = {digest: self._values[digest] for digest in self.properties.values()}
        new = {digest: data for digest, data in new.items() if digest not in self._known}
        self._known |= new.keys()
        return (self._snapshot, new) if changed else (None, {})

    def _store(self, name: str, data: bytes) -> None:
        digest = content_hash(data)
        self._values[digest] = data
        self.properties[name] = digest

    def _tick(self) -> int:
        self._clock += 1_000
        return self._clock

    def _outcome_of(self, leaf: Leaf) -> Outcome | None:
        found: Outcome | None = None
        signals: list[Outcome] = []
        for order, entry in enumerate(self.log):
            if getattr(entry, "position", None) != leaf.position:
                continue
            match entry:
                case CommandCompleted():
                    found = Outcome(order, entry.value)
                case CommandFailed():
                    found = Outcome(order, error=entry.error)
                case CommandRetried():
                    found = None
                case SignalReceived():
                    signals.append(Outcome(order, entry.value))
                case CommandIssued(command=InlineCommand() as inline):
                    found = Outcome(order, inline.value)
                case CommandIssued(command=SendSignalCommand()):
                    found = Outcome(order, NONE)
                case _:
                    pass
        return signals[leaf.index] if leaf.index < len(signals) else found


def runner(
    *definitions: FunctionWorkflow,
    concurrency: int = 1,
    timeout: float | None = 60.0,
    always_replay: bool = False,
    max_live_runs: int = 1000,
    check_mode: CheckMode | None = None,
) -> WorkflowTaskRunner:
    """A runner of these versions of a workflow."""
    settings = RunnerSettings("test", concurrency, timeout, always_replay, max_live_runs)
    by_version = {definition.version: definition for definition in definitions}
    return WorkflowTaskRunner(settings, Execution(by_version, check_mode, "worker"))


# --- what programs say ----------------------------------------------------------------------


def here() -> WorkflowRun:
    """The run of the calling code."""
    run = current_run()
    assert run is not None
    return run


def task(name: str = "do", *arguments: object, service: str = "S") -> int:
    """Issue a task; gives its position."""
    return here().issue(TaskCommand(service, name, tuple(map(encode_untyped, arguments))))


class Failed(Exception):  # noqa: N818 - named as the framework's own
    """What a program gets from a wait that failed."""

    def __init__(self, error: DeferredError) -> None:
        super().__init__(repr(error))
        self.error = error


def wait(*positions: int) -> object:
    """Wait for one command, or for all of several; gives values."""
    leaves: Sequence[Leaf] = [Leaf(position) for position in positions]
    resolution = here().wait(leaves[0] if len(leaves) == 1 else AllOf(tuple(leaves)))
    if resolution.error is not None:
        raise Failed(resolution.error)
    values = [decode_untyped(here().value_of(leaf)) for leaf in resolution.leaves]
    return values[0] if len(leaves) == 1 else values


def call(name: str = "do", *arguments: object) -> object:
    """Run a task and wait for it."""
    return wait(task(name, *arguments))
