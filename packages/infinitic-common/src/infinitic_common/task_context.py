"""What the code of a service can know of the task it runs."""

from collections import deque
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar, Token

import attrs

from infinitic_common.client import AsyncClient, Client
from infinitic_common.exceptions import UsageError
from infinitic_common.failures import TaskFailure
from infinitic_common.policies import RetryPolicy

BATCH_KEY = "batchKey"
"""The entry of a task's meta that says which tasks may share a batch."""

TimeOutCallback = Callable[[], object]

_NO_CLIENT = "the worker has no client: pip install infinitic-client, or give the context one"


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
        timeout_seconds: The most that one attempt may last; None for no limit.
        retry_policy: What decides after a failed attempt; None when it is not made again.
        has_timed_out: Whether this attempt has lasted longer than it may: its result no longer
            counts, and its code does well to end.
        client: The client of the worker, for threads; None when no client is installed.
        async_client: The same client, for coroutines.
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
    timeout_seconds: float | None = None
    retry_policy: RetryPolicy | None = None
    has_timed_out: bool = False
    client: Client | None = None
    async_client: AsyncClient | None = None
    _callbacks: deque[TimeOutCallback] | None = attrs.field(default=None, init=False)

    @property
    def idempotency_key(self) -> str:
        """The same in all attempts of the task, and no other task's: its id."""
        return self.task_id

    @property
    def batch_key(self) -> str | None:
        """What the meta ``batchKey`` says; None without one."""
        key = self.meta.get(BATCH_KEY)
        return None if key is None else key.decode("utf-8", "backslashreplace")

    def on_time_out(self, callback: TimeOutCallback) -> None:
        """Call a function, from another thread, once the attempt has lasted too long.

        A coroutine's is called on the event loop. One that comes too late is called at once.
        """
        if self._callbacks is None:
            self._callbacks = deque()
        self._callbacks.append(callback)
        if self.has_timed_out:
            self._call_back()

    def time_out(self) -> None:
        """Tell the code of the task that its time is over; for executors, and for tests.

        Raises what a callback raises.
        """
        self.has_timed_out = True
        self._call_back()

    def _call_back(self) -> None:
        while self._callbacks:
            try:
                callback = self._callbacks.popleft()
            except IndexError:  # the other thread was faster
                return
            callback()


_current: ContextVar[TaskContext | None] = ContextVar("infinitic_task", default=None)
_batch: ContextVar[Mapping[str, TaskContext] | None] = ContextVar("infinitic_batch", default=None)


def set_task_context(context: TaskContext | None) -> Token[TaskContext | None]:
    """Say which task the calling code runs for; for executors, and for tests of services."""
    return _current.set(context)


def set_batch_context(contexts: Mapping[str, TaskContext] | None) -> None:
    """Say which tasks, by id, a batch method runs for; for executors, and for tests of services."""
    _batch.set(contexts)


@contextmanager
def task_context(context: TaskContext) -> Generator[TaskContext, None, None]:
    """Run a block as the code of a task, in tests of services."""
    token = _current.set(context)
    try:
        yield context
    finally:
        _current.reset(token)


@contextmanager
def batch_context(*contexts: TaskContext) -> Generator[Mapping[str, TaskContext], None, None]:
    """Run a block as the code of a batch method, in tests of services."""
    by_id = {context.task_id: context for context in contexts}
    token = _batch.set(by_id)
    try:
        yield by_id
    finally:
        _batch.reset(token)


class CurrentTask:
    """The task that the calling code runs for; see ``TaskContext`` for what is what.

    Every attribute raises ``UsageError`` outside tasks, ``context`` excepted. A batch method runs
    for many tasks: it asks ``context_of`` with the id of one.
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
    def idempotency_key(self) -> str:
        """The same in all attempts of the task, and no other task's: its id."""
        return _running().idempotency_key

    @property
    def batch_key(self) -> str | None:
        """What the meta ``batchKey`` says; None without one."""
        return _running().batch_key

    @property
    def timeout_seconds(self) -> float | None:
        """The most that one attempt may last; None for no limit."""
        return _running().timeout_seconds

    @property
    def retry_policy(self) -> RetryPolicy | None:
        """What decides after a failed attempt; None when it is not made again."""
        return _running().retry_policy

    @property
    def has_timed_out(self) -> bool:
        """Whether this attempt has lasted longer than it may."""
        return _running().has_timed_out

    def on_time_out(self, callback: TimeOutCallback) -> None:
        """Call a function once this attempt has lasted too long; see ``TaskContext``."""
        _running().on_time_out(callback)

    def context_of(self, task_id: str) -> TaskContext:
        """One task of the batch that the calling code runs for.

        Raises:
            UsageError: It is not of this batch, or the calling code runs for no batch.
        """
        context = (_batch.get() or {}).get(task_id)
        if context is None:
            msg = f"task {task_id!r} is none of the batch that this code runs for"
            raise UsageError(msg)
        return context

    @property
    def client(self) -> Client:
        """The client of the worker, for threads.

        Raises:
            UsageError: There is none.
        """
        client = _running().client
        if client is None:
            raise UsageError(_NO_CLIENT)
        return client

    @property
    def async_client(self) -> AsyncClient:
        """The client of the worker, for coroutines.

        Raises:
            UsageError: There is none.
        """
        client = _running().async_client
        if client is None:
            raise UsageError(_NO_CLIENT)
        return client


Task = CurrentTask()
"""The task that the calling code runs for: ``Task.workflow_id``, ``Task.tags`` and so on."""


def _running() -> TaskContext:
    context = _current.get()
    if context is None:
        if _batch.get() is not None:
            msg = "a batch method runs for many tasks: ask Task.context_of(task_id)"
            raise UsageError(msg)
        msg = (
            "Task is only known in the code of a service while it runs a task, in its own thread "
            "or coroutine; tests can set one with task_context(TaskContext(…)), or for longer with "
            "set_task_context"
        )
        raise UsageError(msg)
    return context
