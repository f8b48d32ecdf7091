"""What fails, and who is told: ERRORS."""

from typing import Protocol

from harness.services import PlainError, UtilService
from harness.workflows.echo import Echo
from infinitic_common import (
    TaskFailed,
    Workflow,
    WorkflowFailed,
    WorkflowUnknown,
    get_workflow_by_id,
    new_service,
    new_workflow,
)
from infinitic_common.failures import TaskFailure


class Failures(Protocol):
    def raises(self) -> str: ...
    async def raises_in_coroutine(self) -> str: ...
    def caught(self) -> str: ...
    async def caught_in_coroutine(self) -> str: ...
    def caught_twice(self) -> str: ...
    def failing(self) -> str: ...
    async def failing_in_coroutine(self) -> str: ...
    def failing_custom(self) -> str: ...
    def not_waited_for(self) -> int: ...
    def failing_branch(self) -> int: ...
    def failing_child(self) -> str: ...
    def failing_child_in_branch(self) -> int: ...
    def failing_child_caught(self) -> str: ...
    def failing_branch_waited_for(self) -> str: ...
    def ok_on_manual_retry(self) -> str: ...
    async def ok_on_manual_retry_awaited(self) -> str: ...
    def unknown(self) -> str: ...
    def unknown_caught(self) -> str: ...
    def own_error_caught(self) -> str: ...


class FailuresImpl(Workflow, Failures):
    util = new_service(UtilService)
    echo = new_workflow(Echo)

    def _me(self) -> Failures:
        return get_workflow_by_id(Failures, self.workflow_id)

    def raises(self) -> str:
        self.util.reverse("ab")
        message = "a bug"
        raise PlainError(message)

    async def raises_in_coroutine(self) -> str:
        await self.util.reverse_later("ab")
        message = "a bug"
        raise PlainError(message)

    def caught(self) -> str:
        try:
            return self.util.fail()
        except TaskFailed:
            return self.util.reverse("ok")

    async def caught_in_coroutine(self) -> str:
        failing = self.dispatch(self.util.fail)
        try:
            return await failing
        except TaskFailed:
            return await self.util.reverse_later("ok")

    def caught_twice(self) -> str:
        seen = ""
        for _ in range(2):
            try:
                self.util.fail()
            except TaskFailed as error:
                seen += error.last_failure.exception.message
        return seen

    def failing(self) -> str:
        return self.util.fail()

    async def failing_in_coroutine(self) -> str:
        return await self.dispatch(self.util.fail)

    def failing_custom(self) -> str:
        return self.util.fail_custom()

    def not_waited_for(self) -> int:
        _ = self.dispatch(self.util.fail)
        return self.util.sleep(100)

    def failing_branch(self) -> int:
        _ = self.dispatch(self._me().failing)
        return self.util.sleep(100)

    def failing_child(self) -> str:
        return self.echo.fail()

    def failing_child_in_branch(self) -> int:
        _ = self.dispatch(self._me().failing_child)
        return self.util.sleep(100)

    def failing_child_caught(self) -> str:
        try:
            return self.echo.fail()
        except WorkflowFailed as error:
            self.util.reverse("ab")
            return _innermost(error)

    def failing_branch_waited_for(self) -> str:
        try:
            return self._me().failing()
        except WorkflowFailed as error:
            return f"{error.method_name} {_innermost(error)}"

    def ok_on_manual_retry(self) -> str:
        return self.util.ok_on_manual_retry()

    async def ok_on_manual_retry_awaited(self) -> str:
        return await self.dispatch(self.util.ok_on_manual_retry)

    def unknown(self) -> str:
        return get_workflow_by_id(Echo, "unknown").add("a")

    def unknown_caught(self) -> str:
        try:
            return self.unknown()
        except WorkflowUnknown:
            return self.util.reverse("thguac")

    def own_error_caught(self) -> str:
        try:
            self._raise()
        except PlainError as error:
            return self.util.reverse(str(error))
        return "unreachable"

    def _raise(self) -> None:
        message = "gub"
        raise PlainError(message)


def _innermost(error: BaseException) -> str:
    """The name of the class of what failed first."""
    while isinstance(error, WorkflowFailed):
        error = error.cause
    failure = getattr(error, "last_failure", None)
    return failure.exception.name if isinstance(failure, TaskFailure) else type(error).__name__
