"""The logger of workflow code: silent while the code is replayed."""

import logging

from infinitic_common._running import running
from infinitic_common.workflow_run import WorkflowRun, current_run


class WorkflowLogger(logging.LoggerAdapter[logging.Logger]):
    """Logs to ``infinitic.workflow.<name>``, with the ids of the run, what the code does first."""

    def isEnabledFor(self, level: int) -> bool:  # noqa: N802 - the name of logging
        """See ``logging.Logger``; nothing is enabled while the code is replayed."""
        run = current_run()
        return not (run is not None and run.is_replaying) and super().isEnabledFor(level)


def workflow_logger() -> WorkflowLogger:
    """The logger of the run whose code calls."""
    run = running("logger")
    logger = logging.getLogger(f"infinitic.workflow.{run.workflow_name}")
    return WorkflowLogger(logger, _extra(run))


def _extra(run: WorkflowRun) -> dict[str, object]:
    return {
        "workflow_id": run.workflow_id,
        "workflow_name": run.workflow_name,
        "method_id": run.method_id,
        "method_name": run.method_name,
    }
