"""What the code of a service can know of the task it runs."""

from contextvars import ContextVar, Token

import attrs

from infinitic_common.exceptions import UsageError
from infinitic_common.failures import TaskFailure


@attrs.define(kw_only=True, eq=False)
class TaskContext:
    """The task that is running.

    Attributes:
        worker_name: The worker that runs it.
        service_name: Name of the service.
        method_name: Name of the method, as named for other processes.
        task_id: Its id, the same in all its attempts.
        workflow_id: The workflow that asked for it; None when none did.
        workflow_name: Name of that workflow.
        workflow_version: Version of that workflow's class.
        retry_sequence: Manual retries before this attempt.
        retry_index: Automatic retries before this attempt, in this sequence.
        last_error: Failure of the attempt before, in this sequence; those before it are chained.
        tags: Tags given to the stub.
        meta: Meta given to the stub; changes go with the task, to its next attempt and its result.
        client: The client of the worker; None when no client is installed.
    """

    worker_name: str = ""
    service_name: str = ""
    method_name: str = ""
    task_id: str = ""
    workflow_id: str | None = None
    workflow_name: str | None = None
    workflow_version: int | None = None
    retry_sequence: int = 0
    retry_index: int = 0
    last_error: TaskFailure | None = None
    tags: frozenset[str] = frozenset()
    meta: dict[str, bytes] = attrs.field(factory=dict[str, bytes])
    client: object = None


_current: ContextVar[TaskContext | None] = ContextVar("infinitic_task", default=None)


def set_task_context(context: TaskContext | None) -> Token[TaskContext | None]:
    """Say which task the calling code runs for; for executors, and for tests of services."""
    return _current.set(context)


class CurrentTask:
    """The task that the calling code runs for; see ``TaskContext`` for what is what.

    Every attribute raises ``UsageError`` outside tasks, ``context`` excepted.
    """

    __slots__ = ()

    @property
    def context(self) -> TaskContext | None:
        """All of it; None outside tasks."""
        return _current.get()

    @property
    def worker_name(self) -> str:
        """The worker that runs the task."""
        return _running().worker_name

    @property
    def service_name(self) -> str:
        """Name of the service."""
        return _running().service_name

    @property
    def method_name(self) -> str:
        """Name of the method."""
        return _running().method_name

    @property
    def task_id(self) -> str:
        """Id of the task, the same in all its attempts."""
        return _running().task_id

    @property
    def workflow_id(self) -> str | None:
        """The workflow that asked for the task."""
        return _running().workflow_id

    @property
    def workflow_name(self) -> str | None:
        """Name of that workflow."""
        return _running().workflow_name

    @property
    def workflow_version(self) -> int | None:
        """Version of that workflow's class."""
        return _running().workflow_version

    @property
    def retry_sequence(self) -> int:
        """Manual retries before this attempt."""
        return _running().retry_sequence

    @property
    def retry_index(self) -> int:
        """Automatic retries before this attempt, in this sequence."""
        return _running().retry_index

    @property
    def last_error(self) -> TaskFailure | None:
        """Failure of the attempt before, in this sequence."""
        return _running().last_error

    @property
    def tags(self) -> frozenset[str]:
        """Tags given to the stub."""
        return _running().tags

    @property
    def meta(self) -> dict[str, bytes]:
        """Meta given to the stub; changes go with the task."""
        return _running().meta

    @property
    def client(self) -> object:
        """The client of the worker."""
        return _running().client


Task = CurrentTask()
"""The task that the calling code runs for: ``Task.workflow_id``, ``Task.tags`` and so on."""


def _running() -> TaskContext:
    context = _current.get()
    if context is None:
        msg = (
            "Task is only known in the code of a service while it runs a task, in its own thread "
            "or coroutine; tests can set one with set_task_context(TaskContext(…))"
        )
        raise UsageError(msg)
    return context
