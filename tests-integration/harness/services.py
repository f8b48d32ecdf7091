"""The service that the cases of the conformance catalogue call."""

import time
from collections import Counter, defaultdict
from datetime import timedelta
from typing import Protocol

from harness.times import Time
from infinitic_common import Task, delegated, timeout

TAGS = frozenset({"foo", "bar"})
META = {"foo": b"bar"}


DELEGATED: defaultdict[str, list[tuple[str, str]]] = defaultdict(list)
"""Service and id of the tasks that each workflow delegated."""

COUNTED: Counter[str] = Counter()
"""How often each key was counted."""


class PlainError(Exception):
    """What the catalogue calls a plain exception."""


class CustomError(Exception):
    """One with properties."""

    def __init__(self) -> None:
        super().__init__("custom")
        self.custom_string = "42"
        self.custom_int = 42
        self.custom_double = 42.0
        self.custom_list = list(range(10))


class ParentService(Protocol):
    def parent(self) -> str: ...


class UtilService(ParentService, Protocol):
    """Short tasks, and what they know of themselves."""

    def concat(self, first: str, second: str) -> str: ...
    def reverse(self, text: str) -> str: ...
    def sleep(self, milliseconds: int) -> int: ...
    async def reverse_later(self, text: str) -> str: ...
    def workflow_id(self) -> str: ...
    def workflow_name(self) -> str: ...
    def tags(self) -> set[str]: ...
    def meta(self) -> dict[str, bytes]: ...
    def fail(self) -> str: ...
    def fail_custom(self) -> str: ...
    def fail_after(self, milliseconds: int, message: str) -> str: ...
    def ok_on_manual_retry(self) -> str: ...
    @timeout(timedelta(milliseconds=100))
    def with_service_timeout(self, milliseconds: int) -> int: ...
    def with_execution_timeout(self, milliseconds: int) -> int: ...
    def cancel(self, workflow: str, workflow_id: str) -> None: ...
    def count(self, key: str) -> int: ...
    @delegated
    def delegate(self, number: int) -> str: ...
    @delegated
    def delegate_to_itself(self) -> str: ...


class UtilServiceImpl(UtilService):
    """Plain functions, which run in threads, but for one."""

    def __init__(self, clock: Time) -> None:
        self._clock = clock

    def parent(self) -> str:
        return "ok"

    def concat(self, first: str, second: str) -> str:
        return first + second

    def reverse(self, text: str) -> str:
        return text[::-1]

    def sleep(self, milliseconds: int) -> int:
        self._clock.sleep(milliseconds / 1000)
        return milliseconds

    async def reverse_later(self, text: str) -> str:
        return text[::-1]

    def workflow_id(self) -> str:
        return str(Task.workflow_id)

    def workflow_name(self) -> str:
        return str(Task.workflow_name)

    def tags(self) -> set[str]:
        return set(Task.tags)

    def meta(self) -> dict[str, bytes]:
        return dict(Task.meta)

    def fail(self) -> str:
        message = "sorry"
        raise PlainError(message)

    def fail_custom(self) -> str:
        raise CustomError

    def fail_after(self, milliseconds: int, message: str) -> str:
        self._clock.sleep(milliseconds / 1000)
        raise PlainError(message)

    def ok_on_manual_retry(self) -> str:
        if Task.retry_sequence == 0:
            message = "not yet"
            raise PlainError(message)
        return "ok"

    def with_service_timeout(self, milliseconds: int) -> int:
        return self.sleep(milliseconds)

    @timeout(timedelta(milliseconds=100))
    def with_execution_timeout(self, milliseconds: int) -> int:
        # The limit is that of the executor's own clock, which no test moves.
        end = time.monotonic() + milliseconds / 1000
        while time.monotonic() < end and not Task.has_timed_out:
            time.sleep(0.005)
        return milliseconds

    def count(self, key: str) -> int:
        COUNTED[key] += 1
        return COUNTED[key]

    def delegate(self, number: int) -> str:
        DELEGATED[str(Task.workflow_id)].append((Task.service_name, Task.task_id))
        return f"dummy {number}"

    def delegate_to_itself(self) -> str:
        Task.client.complete_delegated_task("UtilService", Task.task_id, "early")
        return "dummy"

    def cancel(self, workflow: str, workflow_id: str) -> None:
        from harness.workflows import contract_named  # noqa: PLC0415 - which call this service

        self._clock.sleep(0.05)
        client = Task.client
        client.cancel(client.get_workflow_by_id(contract_named(workflow), workflow_id))


class LimitedService(Protocol):
    """A task under the limit that the worker's configuration gives."""

    def effective_timeout(self) -> float | None: ...


class LimitedServiceImpl:
    def effective_timeout(self) -> float | None:
        return Task.timeout_seconds
