"""Running one workflow task, on the thread that owns its run."""

from collections.abc import Mapping

import attrs

from infinitic_common.configuration import UNSET, Unset
from infinitic_common.decorators import CheckMode
from infinitic_common.exceptions import (
    DeferredException,
    InfiniticError,
    RunCanceled,
    UnknownWorkflowVersion,
)
from infinitic_common.failures import WorkflowExecutorFailedError
from infinitic_common.outcomes import error_of, failure_of
from infinitic_common.workflow_tasks import StepAwaited, WorkflowTask, WorkflowTaskResult
from infinitic_task_executor._errors import untellable
from infinitic_task_executor._retries import RetrySetting
from infinitic_task_executor._workflow.definition import WorkflowDefinition
from infinitic_task_executor._workflow.retries import seconds_before_retry
from infinitic_task_executor._workflow.run import CodeRun, Raised, Returned, Stop
from infinitic_task_executor._workflow.seen import NONE


@attrs.define
class Execution:
    """How the tasks of one workflow run.

    Attributes:
        definitions: Implementations by version.
        check_mode: What the executor says about changed code; None to let implementations decide.
        worker_name: For failures.
        retry: What the executor says about code that raised.
    """

    definitions: Mapping[int, WorkflowDefinition]
    check_mode: CheckMode | None = None
    worker_name: str = ""
    retry: RetrySetting = UNSET

    def execute(
        self, task: WorkflowTask, live: CodeRun | None
    ) -> tuple[WorkflowTaskResult, CodeRun | None]:
        """Run a task: with the live run when it can go on, else by replay.

        Gives the result, and the run when it is suspended in a wait.
        """
        run = live
        try:
            if run is None or not run.can_resume(task):
                run = self._replacement(task, run)
                stop = run.start()
            else:
                stop = run.resume(task)
            result = self._result(task, run, stop)
        except BaseException as error:  # noqa: BLE001 - user code cannot end the worker
            result = self._failed_surely(task, error, run.version if run is not None else None)
        if result.step is not None:
            return result, run
        if run is not None:
            run.close()
        return result, None

    def _failed_surely(
        self, task: WorkflowTask, exception: BaseException, version: int | None
    ) -> WorkflowTaskResult:
        try:
            return self.failed(task, exception, version)
        except BaseException as failing:  # noqa: BLE001 - it looked into an exception of the user
            return self.failed(task, untellable(exception, failing), version)

    def failed(
        self,
        task: WorkflowTask,
        exception: BaseException,
        version: int | None,
        *,
        stack_trace: str | None = None,
    ) -> WorkflowTaskResult:
        """The result of a task whose code raised."""
        error = error_of(exception) if isinstance(exception, DeferredException) else None
        if error is not None:
            return WorkflowTaskResult(task.task_id, version, error=error)
        seconds = self._seconds_before_retry(task, exception, version)
        failure = failure_of(
            exception,
            worker_name=self.worker_name,
            retry_index=task.retry_index,
            seconds_before_retry=seconds,
        )
        if stack_trace is not None:
            failure = attrs.evolve(failure, stack_trace=stack_trace)
        names = (task.workflow_name, task.workflow_id, task.task_id)
        error = WorkflowExecutorFailedError(*names, failure)
        after = None if seconds is None else round(seconds * 1000)
        return WorkflowTaskResult(task.task_id, version, error=error, retry_after_ms=after)

    def _seconds_before_retry(
        self, task: WorkflowTask, exception: BaseException, version: int | None
    ) -> float | None:
        definition = self.definitions.get(max(self.definitions) if version is None else version)
        if definition is None:
            return None
        try:
            marked = definition.method(task.method_name).retry
        except InfiniticError:
            return None
        policy = marked if isinstance(self.retry, Unset) else self.retry
        return seconds_before_retry(policy, task, exception)

    def _replacement(self, task: WorkflowTask, live: CodeRun | None) -> CodeRun:
        if live is not None:
            live.close()
        return CodeRun(self._definition(task), task, self.check_mode)

    def _definition(self, task: WorkflowTask) -> WorkflowDefinition:
        version = task.workflow_version
        definition = self.definitions.get(max(self.definitions) if version is None else version)
        if definition is None:
            known = tuple(sorted(self.definitions))
            raise UnknownWorkflowVersion(task.workflow_name, version or 0, known)
        return definition

    def _result(self, task: WorkflowTask, run: CodeRun, stop: Stop) -> WorkflowTaskResult:
        value = stop.value if isinstance(stop, Returned) else None
        if isinstance(stop, Raised):
            if not isinstance(stop.exception, RunCanceled):
                raise stop.exception
            # It has cleaned up: what it asked for meanwhile counts, its value interests nobody.
            value = NONE
        changed, removed = run.changed_properties()
        return WorkflowTaskResult(
            task_id=task.task_id,
            workflow_version=run.version,
            commands=run.new_commands(),
            step=stop if isinstance(stop, StepAwaited) else None,
            value=value,
            properties=changed,
            removed_properties=removed,
            discarding_channels=run.discarding_channels,
            signals_used=run.signals_used(),
        )
