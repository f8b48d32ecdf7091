"""What code of coroutines asks of running workflows and of delegated tasks."""

from collections.abc import Callable
from datetime import timedelta

from infinitic_client import _commands, _delegated, _questions
from infinitic_client._core import ClientCore
from infinitic_common.deferred import DeferredStatus


class AsyncCommands:
    """The commands and questions of ``AsyncInfiniticClient``."""

    _core: ClientCore

    async def cancel(self, stub: object, method_id: str | None = None) -> None:
        """Cancel a method run of the workflow, or workflows, of a stub, or all its runs.

        Whoever waits gets ``WorkflowCanceled``; children are cancelled too. An unknown workflow is
        ignored.

        Args:
            stub: A stub by id or by tag.
            method_id: The method run; None for all, which ends the workflow.

        Raises:
            InvalidStub: It is no stub of running workflows.
        """
        await _commands.cancel(self._core, stub, method_id)

    async def complete_timers(self, stub: object, method_id: str | None = None) -> None:
        """End now the running timers of a method run of a workflow, or of all its runs.

        Args:
            stub: A stub by id or by tag.
            method_id: The method run; None for all.

        Raises:
            InvalidStub: It is no stub of running workflows.
        """
        await _commands.complete_timers(self._core, stub, method_id)

    async def retry_workflow_task(self, stub: object) -> None:
        """Run again the code of a workflow, where it is stalled; once its code is mended.

        Args:
            stub: A stub by id or by tag.

        Raises:
            InvalidStub: It is no stub of running workflows.
        """
        await _commands.retry_workflow_task(self._core, stub)

    async def retry_tasks(
        self,
        stub: object,
        task_id: str | None = None,
        *,
        status: DeferredStatus | None = None,
        service: Callable[..., object] | str | None = None,
        all: bool = False,  # noqa: A002 - a call reads all=True
    ) -> None:
        """Run again the tasks of a workflow that match every filter given.

        Args:
            stub: A stub by id or by tag.
            task_id: Id of the task.
            status: Its status.
            service: Its service, by contract or by name.
            all: Without any filter: every task, also completed ones.

        Raises:
            InvalidStub: It is no stub of running workflows.
            UsageError: No filter is given, and ``all`` is False.
        """
        filters = _commands.TaskFilters(task_id, status, service)
        await _commands.retry_tasks(self._core, stub, filters, everything=all)

    async def complete_delegated_task(
        self,
        service: Callable[..., object] | str,
        task_id: str,
        value: object,
        *,
        method: str | None = None,
    ) -> None:
        """Give a delegated task its value; it may come before the code of the task has returned.

        Args:
            service: Its service, by contract or by name.
            task_id: Its id, ``Task.task_id`` in its code.
            value: What its caller gets.
            method: The method, where the contract has several: the value is checked by its type.
                Without a contract that tells the type, the value describes itself.

        Raises:
            InvalidStub: The id or the name is empty.
            MethodNotFound: The contract has no such method.
            SerializationError: The value cannot be sent, or is not what the method declares.
        """
        await _delegated.complete(self._core, service, task_id, value, method)

    async def fail_delegated_task(
        self, service: Callable[..., object] | str, task_id: str, error: BaseException | str
    ) -> None:
        """Tell that a delegated task failed: its caller gets ``TaskFailed``.

        Args:
            service: Its service, by contract or by name.
            task_id: Its id, ``Task.task_id`` in its code.
            error: Why, as an exception or as a text.

        Raises:
            InvalidStub: The id or the name is empty.
        """
        await _delegated.fail(self._core, service, task_id, error)

    async def get_ids(self, stub: object, *, timeout: timedelta | None = None) -> frozenset[str]:  # noqa: ASYNC109 - as for threads
        """Ids of the running workflows that have the tag of a stub by tag.

        Args:
            stub: A stub by tag.
            timeout: The longest wait for the tag engine; None for no limit.

        Raises:
            InvalidIdTagSelection: The stub is by id.
            InvalidStub: It is no stub of running workflows.
            DeferredTimeout: There was no answer in time.
        """
        return await _questions.get_ids(self._core, stub, timeout)

    async def get_status(self, stub: object, *, timeout: timedelta | None = None) -> str | None:  # noqa: ASYNC109 - as for threads
        """What the workflow of a stub by id does, in one word as ``WAITING``; None if unknown.

        The words: ``RUNNING``, ``WAITING``, ``HAS_FAILED_TASK``, ``HAS_FAILED_EXECUTOR``, and of
        one that has ended lately ``COMPLETED`` or ``CANCELED``.

        Args:
            stub: A stub by id.
            timeout: The longest wait for the state engine; None for no limit.

        Raises:
            InvalidIdTagSelection: The stub is by tag.
            InvalidStub: It is no stub of a running workflow.
            DeferredTimeout: There was no answer in time.
        """
        return await _questions.get_status(self._core, stub, timeout)

    async def get_state(
        self,
        stub: object,
        *,
        timeout: timedelta | None = None,  # noqa: ASYNC109 - as for threads
    ) -> dict[str, object] | None:
        """All that is known about the workflow of a stub by id, as plain data; None if unknown.

        Its ``methods`` list their ``tasks``, each with id, service, status, attempt and last
        failure.

        Args:
            stub: A stub by id.
            timeout: The longest wait for the state engine; None for no limit.

        Raises:
            InvalidIdTagSelection: The stub is by tag.
            InvalidStub: It is no stub of a running workflow.
            DeferredTimeout: There was no answer in time.
        """
        return await _questions.get_state(self._core, stub, timeout)

    async def get_state_json(self, stub: object, *, timeout: timedelta | None = None) -> str | None:  # noqa: ASYNC109 - as for threads
        """What ``get_state`` gives, as JSON: values decoded, meta in Base64.

        Args:
            stub: A stub by id.
            timeout: The longest wait for the state engine; None for no limit.

        Raises:
            InvalidIdTagSelection: The stub is by tag.
            InvalidStub: It is no stub of a running workflow.
            DeferredTimeout: There was no answer in time.
        """
        return await _questions.get_state_json(self._core, stub, timeout)

    async def get_property(
        self,
        stub: object,
        name: str,
        *,
        timeout: timedelta | None = None,  # noqa: ASYNC109 - as for threads
    ) -> object:
        """The value of a property of the workflow of a stub by id; None if there is none.

        It has the type that the contract gives the attribute, else it is plain data.

        Args:
            stub: A stub by id.
            name: The attribute of the workflow's class.
            timeout: The longest wait for the state engine; None for no limit.

        Raises:
            InvalidIdTagSelection: The stub is by tag.
            InvalidStub: It is no stub of a running workflow.
            DeferredTimeout: There was no answer in time.
        """
        return await _questions.get_property(self._core, stub, name, timeout)
