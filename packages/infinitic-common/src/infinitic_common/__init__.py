"""The shared vocabulary of Infinitic for Python, and what authors of workflows and services use."""

from infinitic_common.channels import Channel, channel
from infinitic_common.combining import all_of, any_of
from infinitic_common.decorators import (
    CheckMode,
    Ignore,
    batch,
    check_mode,
    delegated,
    name,
    retry,
    timeout,
    version,
)
from infinitic_common.deferred import Deferred, DeferredStatus
from infinitic_common.exceptions import (
    DeferredCanceled,
    DeferredException,
    DeferredFailed,
    DeferredTimedOut,
    DeferredTimeout,
    DeferredUnknown,
    InfiniticError,
    RunCanceled,
    TaskFailed,
    TaskTimedOut,
    UsageError,
    WorkflowCanceled,
    WorkflowExecutorFailed,
    WorkflowFailed,
    WorkflowTimedOut,
    WorkflowUnknown,
)
from infinitic_common.policies import ExponentialBackoff, RetryPolicy, TimeoutPolicy
from infinitic_common.saga import Saga
from infinitic_common.serialization import View, register_type
from infinitic_common.task_context import Task, TaskContext
from infinitic_common.workflow import (
    Workflow,
    dispatch,
    get_workflow_by_id,
    get_workflow_by_tag,
    new_service,
    new_workflow,
)

__all__ = [
    "Channel",
    "CheckMode",
    "Deferred",
    "DeferredCanceled",
    "DeferredException",
    "DeferredFailed",
    "DeferredStatus",
    "DeferredTimedOut",
    "DeferredTimeout",
    "DeferredUnknown",
    "ExponentialBackoff",
    "Ignore",
    "InfiniticError",
    "RetryPolicy",
    "RunCanceled",
    "Saga",
    "Task",
    "TaskContext",
    "TaskFailed",
    "TaskTimedOut",
    "TimeoutPolicy",
    "UsageError",
    "View",
    "Workflow",
    "WorkflowCanceled",
    "WorkflowExecutorFailed",
    "WorkflowFailed",
    "WorkflowTimedOut",
    "WorkflowUnknown",
    "all_of",
    "any_of",
    "batch",
    "channel",
    "check_mode",
    "delegated",
    "dispatch",
    "get_workflow_by_id",
    "get_workflow_by_tag",
    "name",
    "new_service",
    "new_workflow",
    "register_type",
    "retry",
    "timeout",
    "version",
]
