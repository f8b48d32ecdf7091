"""Whether code of a workflow that raised runs again by itself."""

import logging

from infinitic_common.exceptions import UsageError
from infinitic_common.policies import RetryPolicy
from infinitic_common.serialization import SerdeError
from infinitic_common.workflow_tasks import WorkflowTask
from infinitic_task_executor._retries import seconds_told

_LOGGER = logging.getLogger("infinitic.workflow_executor")


def seconds_before_retry(
    policy: RetryPolicy | None, task: WorkflowTask, exception: BaseException
) -> float | None:
    """Seconds until the code runs again, 0 for at once; None when it does not.

    What can only be mended in the code is not tried again.

    Args:
        policy: What decides; None for never.
        task: What ran the code.
        exception: What the code raised.
    """
    hopeless = isinstance(exception, UsageError | SerdeError)
    if policy is None or hopeless or not isinstance(exception, Exception):
        return None
    what = f"{task.workflow_name}.{task.method_name} (workflow {task.workflow_id})"
    return seconds_told(policy, task.retry_index, exception, what, _LOGGER)
