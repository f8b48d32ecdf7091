"""Handles of what a client started, one for each colour."""

from collections.abc import Generator
from datetime import timedelta
from typing import ClassVar, Generic, TypeVar, cast

from infinitic_client._core import ClientCore
from infinitic_client._running import LoopRunner
from infinitic_client._sending import Handle

R_co = TypeVar("R_co", covariant=True)


class _Handled:
    """What both colours know without asking anybody."""

    __infinitic_deferred__: ClassVar[bool] = True

    def __init__(self, core: ClientCore, handle: Handle) -> None:
        self._core = core
        self._handle = handle

    @property
    def id(self) -> str:
        """Id of the workflow, of the method run on a running workflow, or of the signal."""
        return self._handle.id

    @property
    def name(self) -> str:
        """Name of the workflow."""
        return self._handle.workflow_name

    @property
    def workflow_id(self) -> str:
        """Id of the workflow."""
        return self._handle.workflow_id

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.id} of workflow {self.name} ({self.workflow_id})>"


class AsyncDeferred(_Handled, Generic[R_co]):
    """A method run that an ``AsyncInfiniticClient`` started; ``await`` it for its result."""

    def __await__(self) -> Generator[object, None, R_co]:
        return self.result().__await__()

    async def result(self, timeout: timedelta | None = None) -> R_co:  # noqa: ASYNC109 - the name of both colours
        """Wait for the result; may be asked for again.

        Args:
            timeout: The longest wait; None for no limit but that of the contract.

        Raises:
            WorkflowFailed: and the other children of ``DeferredException``: there is no result.
            DeferredTimeout: The wait lasted longer than ``timeout``; the workflow goes on.
        """
        return cast("R_co", await self._core.result(self._handle, timeout))

    async def cancel(self) -> None:
        """Cancel the workflow, or just the method run that was started on a running one."""
        await self._core.cancel(self._handle)

    async def retry(self) -> None:
        """Run again the code of the workflow, where it is stalled."""
        await self._core.retry(self._handle)


class Deferred(_Handled, Generic[R_co]):
    """A method run that an ``InfiniticClient`` started."""

    def __init__(self, core: ClientCore, runner: LoopRunner, handle: Handle) -> None:
        super().__init__(core, handle)
        self._runner = runner

    def result(self, timeout: timedelta | None = None) -> R_co:
        """Wait for the result; may be asked for again.

        Args:
            timeout: The longest wait; None for no limit but that of the contract.

        Raises:
            WorkflowFailed: and the other children of ``DeferredException``: there is no result.
            DeferredTimeout: The wait lasted longer than ``timeout``; the workflow goes on.
        """
        return cast("R_co", self._runner.run(self._core.result(self._handle, timeout)))

    def cancel(self) -> None:
        """Cancel the workflow, or just the method run that was started on a running one."""
        self._runner.run(self._core.cancel(self._handle))

    def retry(self) -> None:
        """Run again the code of the workflow, where it is stalled."""
        self._runner.run(self._core.retry(self._handle))
