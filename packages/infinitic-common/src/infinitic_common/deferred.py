"""Deferreds: what workflow code holds of results that are not there yet."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Generator, Iterator, Sequence
from datetime import timedelta
from enum import StrEnum
from typing import ClassVar, Generic, TypeVar, cast, final

from infinitic_common import failures
from infinitic_common._contracts.channels import ChannelContract
from infinitic_common._running import running
from infinitic_common._timers import timer_command
from infinitic_common.exceptions import DeferredTimeout, UsageError
from infinitic_common.failures import DeferredError
from infinitic_common.outcomes import to_exception
from infinitic_common.steps import AllOf, AnyOf, FirstOf, Leaf, Resolution, Step
from infinitic_common.stub_options import checked_seconds
from infinitic_common.workflow_run import WorkflowRun

R_co = TypeVar("R_co", covariant=True)
Other = TypeVar("Other")


class DeferredStatus(StrEnum):
    """How a deferred stands, as of the point that the code has reached."""

    ONGOING = "ONGOING"
    COMPLETED = "COMPLETED"
    FAILED = "FAILED"
    CANCELED = "CANCELED"
    TIMED_OUT = "TIMED_OUT"
    UNKNOWN = "UNKNOWN"


_STATUS: dict[type, DeferredStatus] = {
    failures.TaskFailedError: DeferredStatus.FAILED,
    failures.WorkflowFailedError: DeferredStatus.FAILED,
    failures.WorkflowExecutorFailedError: DeferredStatus.FAILED,
    failures.TaskTimedOutError: DeferredStatus.TIMED_OUT,
    failures.WorkflowTimedOutError: DeferredStatus.TIMED_OUT,
    failures.WorkflowCanceledError: DeferredStatus.CANCELED,
    failures.WorkflowUnknownError: DeferredStatus.UNKNOWN,
}


def status_of(error: DeferredError | None) -> DeferredStatus:
    """The status of what ended with that error, or with a value (None)."""
    return DeferredStatus.COMPLETED if error is None else _STATUS[type(error)]


class Deferred(ABC, Generic[R_co]):
    """The future result of a task, a workflow, a timer, a channel, or of a combination of them.

    It belongs to the method run that made it, and is no value: it cannot be an argument, a result
    or a property. ``a & b`` waits for both and gives a pair, ``a | b`` waits for the first that
    succeeds and gives its value; ``all_of`` and ``any_of`` take more.
    """

    __slots__ = ()
    __infinitic_deferred__: ClassVar[bool] = True

    @property
    def id(self) -> str | None:
        """Id of the task, workflow, method run, timer or signal; None for a combination."""
        return None

    @property
    def status(self) -> DeferredStatus:
        """How it stands now; changes only while the code waits for something."""
        resolution = running("the status of a deferred").peek(self._step())
        return DeferredStatus.ONGOING if resolution is None else status_of(resolution.error)

    @property
    def is_ongoing(self) -> bool:
        """Whether it has no result yet."""
        return self.status is DeferredStatus.ONGOING

    @property
    def is_completed(self) -> bool:
        """Whether it has a value."""
        return self.status is DeferredStatus.COMPLETED

    @property
    def is_failed(self) -> bool:
        """Whether it failed."""
        return self.status is DeferredStatus.FAILED

    @property
    def is_canceled(self) -> bool:
        """Whether the workflow it stands for was cancelled."""
        return self.status is DeferredStatus.CANCELED

    @property
    def is_timed_out(self) -> bool:
        """Whether it gave no result within the time its contract allows."""
        return self.status is DeferredStatus.TIMED_OUT

    @property
    def is_unknown(self) -> bool:
        """Whether the workflow it stands for does not exist."""
        return self.status is DeferredStatus.UNKNOWN

    def result(self, timeout: timedelta | None = None) -> R_co:
        """Wait for the value.

        Of a channel each call gives the next signal.

        Args:
            timeout: The longest wait, which survives restarts; None for no limit.

        Raises:
            TaskFailed: and the other children of ``DeferredException``: there is no value.
            DeferredTimeout: The wait lasted longer than ``timeout``; what it waits for goes on.
            UsageError: ``timeout`` is no duration.
        """
        run = running("waiting for a deferred")
        _ = checked_seconds(timeout, f"result of {self}")
        step = self._step()
        if timeout is None or run.peek(step) is not None:
            resolution = run.wait(step)
        else:
            resolution = self._wait_at_most(run, step, timeout)
        if resolution.error is not None:
            raise to_exception(resolution.error)
        value = self._value(run)
        self._advance(resolution)
        return cast("R_co", value)

    def _wait_at_most(self, run: WorkflowRun, step: Step, timeout: timedelta) -> Resolution:
        limit = Leaf(run.issue(timer_command(run, timeout)))
        resolution = run.wait(FirstOf((step, limit)))
        if limit in resolution.leaves:
            raise DeferredTimeout(timeout.total_seconds(), str(self))
        return resolution

    def __await__(self) -> Generator[object, None, R_co]:
        # Runs are suspended as greenlets, not by yielding; the protocol wants a generator.
        yield from ()
        return self.result()

    def __and__(self, other: "Deferred[Other]") -> "Deferred[tuple[R_co, Other]]":
        return AllDeferred((self, other), tuple)

    def __or__(self, other: "Deferred[Other]") -> "Deferred[R_co | Other]":
        return AnyDeferred((self, other))

    def __repr__(self) -> str:
        return f"<deferred of {self}>"

    @abstractmethod
    def _step(self) -> Step:
        """What is waited for next."""

    @abstractmethod
    def _value(self, run: WorkflowRun) -> object:
        """The value of the step just waited for, which succeeded."""

    def _members(self) -> Iterator["Deferred[object]"]:
        """The deferreds that this one combines, to any depth."""
        return iter(())

    def _advance(self, resolution: Resolution) -> None:
        """The step just waited for has been given to the code."""
        leaves = set(resolution.leaves)
        for signals in {one for one in self._members() if isinstance(one, SignalDeferred)}:
            signals.consume(leaves)


class CommandDeferred(Deferred[R_co]):
    """The result of one command.

    Args:
        run: The run that issued the command.
        position: Of the command.
        decode: Makes the value.
        label: What it is the result of, for messages.
    """

    __slots__ = ("_decode", "_label", "_method_id", "_position")

    def __init__(
        self, run: WorkflowRun, position: int, decode: Callable[[bytes], object], label: str
    ) -> None:
        self._method_id = run.method_id
        self._label = label
        self._position = position
        self._decode = decode

    @property
    def id(self) -> str:
        """See ``Deferred``."""
        return self._checked().command_id(self._position)

    def _checked(self) -> WorkflowRun:
        run = running("using a deferred")
        if run.method_id != self._method_id:
            msg = (
                f"the deferred of {self} belongs to method run {self._method_id} and is used in "
                f"{run.method_id} ({run.workflow_name}.{run.method_name}): share values, not deferreds"
            )
            raise UsageError(msg)
        return run

    def _step(self) -> Step:
        self._checked()
        return Leaf(self._position)

    def _value(self, run: WorkflowRun) -> object:
        return self._decode(run.value_of(Leaf(self._position)))

    def __str__(self) -> str:
        return self._label


@final
class SignalDeferred(CommandDeferred[R_co]):
    """The signals of a receive, one for each wait; beyond its limit the last one again."""

    __slots__ = ("_limit", "_next")

    def __init__(
        self, run: WorkflowRun, position: int, contract: ChannelContract, limit: int | None
    ) -> None:
        super().__init__(run, position, contract.codec.decode, f"channel '{contract.name}'")
        self._limit = limit
        self._next = 0

    def _leaf(self) -> Leaf:
        index = self._next if self._limit is None else min(self._next, self._limit - 1)
        return Leaf(self._position, index)

    def _step(self) -> Step:
        self._checked()
        return self._leaf()

    def _value(self, run: WorkflowRun) -> object:
        return self._decode(run.value_of(self._leaf()))

    def _members(self) -> Iterator[Deferred[object]]:
        yield self

    def consume(self, leaves: set[Leaf]) -> None:
        """Go on to the next signal when the one to come was among these."""
        if self._leaf() in leaves:
            self._next += 1


class _Combination(Deferred[R_co]):
    __slots__ = ("_parts",)

    def __init__(self, parts: Sequence[object]) -> None:
        for part in parts:
            if not isinstance(part, Deferred):
                msg = f"{part!r} is no deferred: combine what dispatch, timer and receive give"
                raise UsageError(msg)
        self._parts = tuple(cast("Sequence[Deferred[object]]", parts))

    def __str__(self) -> str:
        return f"{len(self._parts)} deferreds"

    def _members(self) -> Iterator[Deferred[object]]:
        for part in self._parts:
            yield from part._members()  # noqa: SLF001 - a deferred like this one


@final
class AllDeferred(_Combination[R_co]):
    """All of several deferreds; ``build`` makes the value from the list of theirs."""

    __slots__ = ("_build",)

    def __init__(
        self, parts: Sequence[Deferred[object]], build: Callable[[list[object]], object]
    ) -> None:
        super().__init__(parts)
        self._build = build

    def _step(self) -> Step:
        return AllOf(tuple([part._step() for part in self._parts]))  # noqa: SLF001

    def _value(self, run: WorkflowRun) -> object:
        return self._build([part._value(run) for part in self._parts])  # noqa: SLF001


@final
class AnyDeferred(_Combination[R_co]):
    """The first of several deferreds that succeeds."""

    __slots__ = ()

    def _step(self) -> Step:
        return AnyOf(tuple([part._step() for part in self._parts]))  # noqa: SLF001

    def _value(self, run: WorkflowRun) -> object:
        ended = [(part, run.peek(part._step())) for part in self._parts]  # noqa: SLF001
        orders = [
            (resolution.order, index)
            for index, (_, resolution) in enumerate(ended)
            if resolution is not None and resolution.error is None
        ]
        return self._parts[min(orders)[1]]._value(run)  # noqa: SLF001
