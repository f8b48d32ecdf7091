"""Tasks of services as messages, and executors that run them."""

# ruff: noqa: INP001, S101 - these are read beside the tests

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from typing import TypeVar

import attrs
from host_doubles import Host

from infinitic_common.failures import ExceptionDetail, TaskFailure
from infinitic_common.messages import ExecuteTask
from infinitic_common.requesters import Requester, WorkflowRequester
from infinitic_common.serialization import encode_untyped
from infinitic_task_executor import ServiceExecutor

FAILURE = TaskFailure("other", 0, 0, None, "", ExceptionDetail("ValueError", "before"))
REQUESTER = WorkflowRequester("Order", "w", "process", "m", 4, 2)

T = TypeVar("T")


@attrs.frozen
class Tasks:
    """Asks for the tasks of a service."""

    service_name: str

    def asked(  # noqa: PLR0913 - what differs between tasks
        self,
        method: str,
        *arguments: object,
        task_id: str = "t",
        retry_sequence: int = 0,
        retry_index: int = 0,
        last_failure: TaskFailure | None = None,
        tags: frozenset[str] = frozenset(),
        meta: Mapping[str, bytes] | None = None,
        requester: Requester = REQUESTER,
    ) -> ExecuteTask:
        """A message that asks for an attempt."""
        return ExecuteTask(
            message_id=f"message {task_id}",
            service_name=self.service_name,
            task_id=task_id,
            method_name=method,
            arguments=tuple(map(encode_untyped, arguments)),
            tags=tags,
            meta=meta or {},
            requester=requester,
            retry_sequence=retry_sequence,
            retry_index=retry_index,
            last_failure=last_failure,
        )


@asynccontextmanager
async def started(
    executor: ServiceExecutor, max_message_bytes: int = 100_000
) -> AsyncIterator[Host]:
    """A worker that runs an executor."""
    host = Host()
    host.transport.max_message_bytes = max_message_bytes
    await executor.start(host)
    try:
        yield host
    finally:
        await executor.stop(1.0)


async def told(host: Host, kind: type[T], message: ExecuteTask) -> T:
    """What is published about a task, which is of that kind."""
    before = len(host.transport.messages)
    assert not await host.transport.deliver(message)
    (report,) = host.transport.messages[before:]
    assert isinstance(report, kind)
    return report


async def until(condition: Callable[[], bool]) -> None:
    """Wait for what others do."""
    async with asyncio.timeout(30):
        while not condition():  # noqa: ASYNC110 - it looks at what others do
            await asyncio.sleep(0.001)
