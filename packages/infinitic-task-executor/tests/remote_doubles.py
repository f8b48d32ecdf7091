"""Executors elsewhere: they get each task as a message, and answer with one."""

# ruff: noqa: D102, INP001, S101 - these are read beside the tests

import itertools
from collections.abc import Callable, Mapping, Sequence

import attrs
from executor_doubles import FunctionWorkflow
from host_doubles import RecordingTransport, received

from infinitic_common.codec import decode, encode
from infinitic_common.messages import ExecuteWorkflowTask, WorkflowTaskCompleted
from infinitic_common.workflow_tasks import RemoteWorkflowTask, WorkflowTask, WorkflowTaskResult
from infinitic_task_executor._workflow.execution import Execution
from infinitic_task_executor._workflow.remote import RemoteTasks
from infinitic_task_executor._workflow.runner import RunnerSettings, WorkflowTaskRunner


class RemoteExecutor:
    """One process with an executor."""

    def __init__(self, definition: FunctionWorkflow, **options: int) -> None:
        chosen = {"always_replay": False, "max_live_runs": 1000, **options}
        settings = RunnerSettings("test", 1, 60.0, **chosen)  # type: ignore[arg-type]  # any of them
        execution = Execution({definition.version: definition}, None, "worker")
        self.runner = WorkflowTaskRunner(settings, execution)
        self.transport = RecordingTransport(max_message_bytes=1_000_000)
        self._tasks = RemoteTasks("W", self.transport, self.runner, execution)

    async def run(self, *tasks: WorkflowTask) -> list[WorkflowTaskResult]:
        """Answer to one batch of tasks."""
        before = len(self.transport.messages)
        unreadable = await self._tasks.handle([received(message_of(task)) for task in tasks])
        assert not unreadable
        answers = self.transport.messages[before:]
        return [result_of(answer) for answer in answers]


def message_of(task: WorkflowTask) -> ExecuteWorkflowTask:
    """What an engine sends."""
    remote = RemoteWorkflowTask(
        task_id=task.task_id,
        workflow_name=task.workflow_name,
        workflow_id=task.workflow_id,
        workflow_version=task.workflow_version,
        tags=task.tags,
        meta=task.meta,
        method_id=task.method_id,
        method_name=task.method_name,
        arguments=task.arguments,
        history=tuple(map(encode, task.history[: task.visible])),
        state_version=task.state_version,
        retry_index=task.retry_index,
    )
    names = ("W", task.workflow_id, task.method_id, task.task_id)
    return ExecuteWorkflowTask(task.task_id, *names, encode(remote), 0)


def result_of(answer: object) -> WorkflowTaskResult:
    """What an engine takes in."""
    assert isinstance(answer, WorkflowTaskCompleted)
    result = decode(answer.result)
    assert isinstance(result, WorkflowTaskResult)
    return result


@attrs.define(eq=False)
class RemoteHandler:
    """What ``FakeEngine`` has for a handler: sends each task to some executors, one after another.

    Attributes:
        executors: All of them.
        route: Which of them get the task of that number; the answer of the last one counts.
    """

    executors: Sequence[RemoteExecutor]
    route: Callable[[int], Sequence[int]] = lambda _: (0,)
    _numbers: "itertools.count[int]" = attrs.field(factory=itertools.count)

    async def run(self, tasks: Sequence[WorkflowTask]) -> list[WorkflowTaskResult]:
        results: list[WorkflowTaskResult] = []
        for place in self.route(next(self._numbers)):
            results = await self.executors[place].run(*tasks)
        return results

    def confirm(self, versions: Mapping[str, int]) -> None:
        """It does not get there."""

    def discard(self, workflow_ids: Sequence[str]) -> None:
        """It does not get there."""

    def close(self) -> None:
        for executor in self.executors:
            executor.runner.close()
