"""Runs that no executor can take: they stay, and say what they wait for."""

from __future__ import annotations

from infinitic_common.exceptions import UnknownWorkflowVersion
from infinitic_common.failures import DeferredError, WorkflowExecutorFailedError
from infinitic_common.outcomes import name_of
from infinitic_workflow_engine._core.state import WorkflowState

_UNKNOWN_VERSION = name_of(UnknownWorkflowVersion)


def waiting_for_executor(state: WorkflowState) -> str:
    """What a workflow says of itself whose code nobody runs."""
    version = state.workflow_version
    suffix = "" if version is None else f" version {version}"
    return f"waiting for an executor of {state.workflow_name}{suffix}"


def lacks_executor(state: WorkflowState) -> bool:
    """Whether an executor did not know the version, or none answered in time."""
    if state.running is not None and state.running.attempt > 0:
        return True
    return any(is_unknown_version(run.stalled) for run in state.methods.values())


def is_unknown_version(error: DeferredError | None) -> bool:
    """Whether the code did not run, for the executor lacks its version."""
    return (
        isinstance(error, WorkflowExecutorFailedError)
        and error.failure.exception.name == _UNKNOWN_VERSION
    )
