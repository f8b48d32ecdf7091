"""The run whose code is executing, or an error that says what needs one."""

from infinitic_common.exceptions import NotInWorkflow
from infinitic_common.workflow_run import WorkflowRun, current_run


def running(what: str) -> WorkflowRun:
    """The run whose code calls this.

    Args:
        what: What needs it, for the message.

    Raises:
        NotInWorkflow: The caller is not the code of a workflow.
    """
    run = current_run()
    if run is None:
        msg = (
            f"{what} is only possible while a method of a workflow runs, in the thread that runs "
            "it; elsewhere start workflows with a client, and call services as plain objects"
        )
        raise NotInWorkflow(msg)
    return run
