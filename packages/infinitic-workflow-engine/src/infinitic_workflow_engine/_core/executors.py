"""Runs that no executor can take: they stay, and say what they wait for."""

from __future__ import annotations

from typing import Final

import attrs

from infinitic_common.exceptions import UnknownWorkflowVersion
from infinitic_common.failures import DeferredError, WorkflowExecutorFailedError
from infinitic_common.outcomes import name_of
from infinitic_common.workflow_tasks import WorkflowTaskResult
from infinitic_workflow_engine._core.state import MethodRun, WorkflowState

_UNKNOWN_VERSION = name_of(UnknownWorkflowVersion)

_FIRST_PAUSE_MS: Final = 1000
_LONGEST_PAUSE_MS: Final = 60_000
_MOST_RETRIES: Final = 15
"""Ten minutes in all."""


def waiting_for_executor(state: WorkflowState) -> str:
    """What a workflow says of itself whose code nobody runs."""
    version = state.workflow_version
    suffix = "" if version is None else f" version {version}"
    return f"waiting for an executor of {state.workflow_name}{suffix}"


def lacks_executor(state: WorkflowState) -> bool:
    """Whether an executor did not know the version, or none answered in time."""
    if state.running is not None and state.running.attempt > 0:
        return True
    return any(
        is_unknown_version(run.stalled) or lacking_version(run) is not None
        for run in state.methods.values()
    )


def lacking_version(run: MethodRun) -> DeferredError | None:
    """The failure of a run that is retried for an executor lacked its version."""
    error = None if run.retry is None else run.retry.error
    return error if is_unknown_version(error) else None


def awaiting_executor(run: MethodRun, result: WorkflowTaskResult) -> WorkflowTaskResult:
    """A result, which is retried if the executor lacked the version.

    While workers are replaced one by one, a run of the new version may come to an old worker.
    """
    if not is_unknown_version(result.error) or run.retries >= _MOST_RETRIES:
        return result
    pause = min(_FIRST_PAUSE_MS << run.retries, _LONGEST_PAUSE_MS)
    return attrs.evolve(result, retry_after_ms=pause)


def is_unknown_version(error: DeferredError | None) -> bool:
    """Whether the code did not run, for the executor lacks its version."""
    return (
        isinstance(error, WorkflowExecutorFailedError)
        and error.failure.exception.name == _UNKNOWN_VERSION
    )
