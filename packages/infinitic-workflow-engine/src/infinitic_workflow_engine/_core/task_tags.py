"""Tags of tasks, taken away when a task has ended or nobody waits for it any more."""

from __future__ import annotations

from infinitic_common.command_ids import command_id
from infinitic_common.history import TaskCommand
from infinitic_common.ids import derived_id
from infinitic_common.messages import RemoveTagFromTask
from infinitic_workflow_engine._core.emissions import tell
from infinitic_workflow_engine._core.state import MethodRun, WorkflowState
from infinitic_workflow_engine._core.turn import Turn


def untag_task(state: WorkflowState, run: MethodRun, position: int, turn: Turn) -> None:
    """Tell the tag engine that the tags of a task find it no more."""
    command = run.commands[position]
    if not isinstance(command, TaskCommand) or not command.tags:
        return
    task_id = command_id(state.workflow_id, run.method_id, position)
    sequence = run.sequences.get(position, 0)
    for tag in sorted(command.tags):
        identifier = derived_id("untag", task_id, tag, sequence)
        tell(state, turn, RemoveTagFromTask(identifier, command.service_name, task_id, tag))


def untag_tasks(state: WorkflowState, run: MethodRun, turn: Turn) -> None:
    """The same for all tasks that a run does not wait for any more."""
    for position in sorted(run.ongoing):
        untag_task(state, run, position, turn)
