"""Ids of what the commands of a workflow start: one rule for code, engine and replay."""

from infinitic_common.ids import derived_id


def command_id(workflow_id: str, method_id: str, position: int) -> str:
    """Id of the command at a position of a method run.

    It is the id of the task, of the child workflow, of the method run on another workflow, of the
    signal sent, or of the timer that the command is about.
    """
    return derived_id(workflow_id, method_id, position)
