"""Outcomes of delegated tasks, which clients bring from elsewhere."""

from collections.abc import Callable, Mapping

from infinitic_client._commands import name_of_service
from infinitic_client._core import ClientCore, refuse_in_workflow
from infinitic_common.contracts import MethodContract, contract_of
from infinitic_common.exceptions import InvalidStub, MethodNotFound, UsageError
from infinitic_common.failures import ExceptionDetail, TaskFailure
from infinitic_common.ids import new_id
from infinitic_common.messages import CompleteDelegatedTask, FailDelegatedTask
from infinitic_common.outcomes import failure_of
from infinitic_common.serialization import encode_untyped
from infinitic_common.stub_options import checked_text

FAILURE_NAME = "DelegatedTaskFailed"
"""Name of the exception of a delegated task that failed with a text alone."""

Service = Callable[..., object] | str


async def complete(
    core: ClientCore, service: Service, task_id: str, value: object, method: str | None
) -> None:
    """Give a delegated task its value."""
    refuse_in_workflow()
    await core.post(
        CompleteDelegatedTask(
            message_id=new_id(),
            service_name=_service_name(service),
            task_id=checked_text(task_id, "the id of a delegated task"),
            value=_encode(service, value, method),
            emitted_at=core.transport.now(),
        )
    )


async def fail(
    core: ClientCore, service: Service, task_id: str, error: BaseException | str
) -> None:
    """Tell that a delegated task failed."""
    refuse_in_workflow()
    await core.post(
        FailDelegatedTask(
            message_id=new_id(),
            service_name=_service_name(service),
            task_id=checked_text(task_id, "the id of a delegated task"),
            failure=_failure(core.name, error),
            emitted_at=core.transport.now(),
        )
    )


def _service_name(service: Service) -> str:
    if service == "":
        msg = "the name of the service of a delegated task must not be empty"
        raise InvalidStub(msg)
    return name_of_service(service)


def _failure(client_name: str, error: object) -> TaskFailure:
    if isinstance(error, BaseException):
        return failure_of(error, worker_name=client_name)
    if not isinstance(error, str):
        msg = f"fail_delegated_task: {error!r} must be an exception, or a text that says why"
        raise UsageError(msg)
    return TaskFailure(
        worker_name=client_name,
        retry_sequence=0,
        retry_index=0,
        seconds_before_retry=None,
        stack_trace="",
        exception=ExceptionDetail(FAILURE_NAME, error),
    )


def _encode(service: Service, value: object, method: str | None) -> bytes:
    """By the result that the contract declares, where that is known; else self-describing."""
    declared = None if isinstance(service, str) else method_of(service, method)
    return encode_untyped(value) if declared is None else declared.result.encode(value)


def method_of(service: object, method: str | None) -> MethodContract | None:
    """The method of a contract that a delegated task runs; None if that cannot be told.

    Raises:
        MethodNotFound: The contract has no method of the given name.
    """
    methods = contract_of(service).methods
    if method is not None:
        return _named(service, methods, method)
    delegated = [one for one in methods.values() if one.is_delegated]
    candidates = delegated or list(methods.values())
    return candidates[0] if len(candidates) == 1 else None


def _named(service: object, methods: Mapping[str, MethodContract], method: str) -> MethodContract:
    for one in methods.values():
        if method in (one.python_name, one.name):
            return one
    msg = f"{service!r} has no method '{method}': it has {', '.join(methods) or 'none'}"
    raise MethodNotFound(msg)
