"""Handles of what a client started, one for each colour."""

from collections.abc import Generator
from datetime import timedelta
from typing import ClassVar, Generic, TypeVar, cast

from infinitic_client import _commands, _results
from infinitic_client._core import ClientCore
from infinitic_client._running import LoopRunner
from infinitic_client._sending import Handle
from infinitic_common.deferred import DeferredStatus

R_co = TypeVar("R_co", covariant=True)


class _Handled:
    """What both colours know without asking anybody."""

    __infinitic_deferred__: ClassVar[bool] = True

    def __init__(self, core: ClientCore, handle: Handle) -> None:
        self._core = core
        self._handle = handle

    @property
    def id(self) -> str:
        """Id of the workflow, of the method run on a running workflow, or of the signal.

        Of a start with a custom id it is that of the instance which has it.

        Raises:
            NotForTags: It is a method run on workflows by tag.
        """
        self._handle.refuse_by_tag("the id")
        return self._handle.id

    @property
    def name(self) -> str:
        """Name of the workflow."""
        return self._handle.workflow_name

    @property
    def workflow_id(self) -> str:
        """Id of the workflow.

        Raises:
            NotForTags: It was sent to workflows by tag.
        """
        self._handle.refuse_by_tag("the id")
        return self._handle.workflow_id

    def __repr__(self) -> str:
        handle = self._handle
        where = handle.workflow_id if handle.tag is None else f"tag '{handle.tag}'"
        return f"<{type(self).__name__} {handle.id} of workflow {self.name} ({where})>"


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
            NotForTags: It is a method run on workflows by tag.
            DeferredTimeout: The wait lasted longer than ``timeout``; the workflow goes on.
        """
        return cast("R_co", await _results.result(self._core, self._handle, timeout))

    async def cancel(self) -> None:
        """Cancel the workflow, or just the method run that was started on a running one."""
        await _commands.cancel_run(self._core, self._handle)

    async def retry(self) -> None:
        """Run again the code of the workflow, where it is stalled."""
        await _commands.retry_run(self._core, self._handle)

    async def status(self) -> DeferredStatus:
        """How the method run stands, as the state engine tells; see ``DeferredStatus``.

        A run that failed and may go on after a retry is ``FAILED`` until then.

        Raises:
            UsageError: It is a signal.
            NotForTags: It is a method run on workflows by tag.
        """
        return await _results.status(self._core, self._handle)


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
            NotForTags: It is a method run on workflows by tag.
            DeferredTimeout: The wait lasted longer than ``timeout``; the workflow goes on.
        """
        return cast("R_co", self._runner.run(_results.result(self._core, self._handle, timeout)))

    def cancel(self) -> None:
        """Cancel the workflow, or just the method run that was started on a running one."""
        self._runner.run(_commands.cancel_run(self._core, self._handle))

    def retry(self) -> None:
        """Run again the code of the workflow, where it is stalled."""
        self._runner.run(_commands.retry_run(self._core, self._handle))

    def status(self) -> DeferredStatus:
        """How the method run stands, as the state engine tells; see ``DeferredStatus``.

        A run that failed and may go on after a retry is ``FAILED`` until then.

        Raises:
            UsageError: It is a signal.
            NotForTags: It is a method run on workflows by tag.
        """
        return self._runner.run(_results.status(self._core, self._handle))
