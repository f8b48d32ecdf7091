"""Sagas: acts that are undone when a later one fails, or when the run is cancelled."""

from collections.abc import Callable, Coroutine
from datetime import timedelta
from inspect import iscoroutine
from types import TracebackType
from typing import ParamSpec, Self, cast

from infinitic_common._calls import issue
from infinitic_common._running import running
from infinitic_common._timers import timer_command
from infinitic_common.exceptions import RunCanceled, UsageError
from infinitic_common.serialization import SerdeError
from infinitic_common.steps import Leaf
from infinitic_common.stubs import MethodCall, call_of, is_stub_call

P = ParamSpec("P")


class Saga:
    """Compensations of what a block of code did; see ``Workflow.saga``.

    ``undo(method, …)`` registers one, usually just before the act: an act of which nobody knows
    whether it took place is then undone too, so a compensation must be right in both cases.

    When the block raises, or the run is cancelled in it, they run one after the other, the last
    first, while cancellations wait; then what the block raised goes on. Mistakes of the code itself
    (``UsageError``, values that cannot be sent) undo nothing: they are corrected, and the workflow
    task is retried. A compensation that fails stalls the run there: once its task is retried with
    success the others follow.
    """

    __slots__ = ("_method_id", "_undos")

    def __init__(self) -> None:
        self._method_id = running("saga()").method_id
        self._undos: list[tuple[Callable[[], object], bool]] = []

    def __call__(self, method: Callable[P, object], *args: P.args, **kwargs: P.kwargs) -> None:
        """Register a compensation.

        Args:
            method: A method of a stub, ``stub.channel.send``, or any function that waits for
                deferreds as workflow code does, plain or ``async``.
            args: Its arguments, as they are now.
            kwargs: Its arguments by name.

        Raises:
            InvalidArguments: The arguments do not fit the method of a stub.
            SerializationError: An argument is not of the type of its parameter.
            UsageError: The saga belongs to another method run.
        """
        self._check()
        if is_stub_call(method):
            call = call_of(method, args, kwargs)
            self._undos.append((lambda: issue(call).result(), isinstance(call, MethodCall)))
        else:
            self._undos.append((lambda: _completed(method(*args, **kwargs)), False))

    def compensate(self) -> None:
        """Undo now what was done so far, and forget it: for code that gives up without raising.

        Raises:
            RunCanceled: The run was cancelled meanwhile.
        """
        self._check()
        with running("a saga").shield():
            waited = True
            while self._undos:
                undo, waited = self._undos.pop()
                _ = undo()
            if not waited:
                _settle()

    def _check(self) -> None:
        run = running("a saga")
        if run.method_id != self._method_id:
            msg = (
                f"a saga of method run {self._method_id} is used in {run.method_id} "
                f"({run.workflow_name}.{run.method_name}): each run has its own"
            )
            raise UsageError(msg)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if _undoes(error):
            self.compensate()
        self._undos.clear()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.__exit__(kind, error, trace)


def _settle() -> None:
    """Wait once: what code did since its last wait is lost with what it then raises."""
    run = running("a saga")
    _ = run.wait(Leaf(run.issue(timer_command(run, timedelta(0)))))


def _undoes(error: BaseException | None) -> bool:
    """Neither the end of the process nor a mistake that will be corrected is a failure."""
    return isinstance(error, Exception | RunCanceled) and not isinstance(
        error, UsageError | SerdeError
    )


def _completed(value: object) -> object:
    """The value; of a coroutine that of its end: the waits of workflows never reach an event loop."""
    if not iscoroutine(value):
        return value
    coroutine = cast("Coroutine[object, None, object]", value)
    try:
        coroutine.send(None)
    except StopIteration as stop:
        return cast("object", stop.value)
    coroutine.close()
    msg = "a compensation awaited something that is not of its workflow: await deferreds only"
    raise UsageError(msg)
