"""Whether a failed attempt is made again."""

import logging

from infinitic_common.exceptions import DeferredException
from infinitic_common.messages import ExecuteTask
from infinitic_common.policies import RetryPolicy
from infinitic_task_executor._retries import seconds_told

_LOGGER = logging.getLogger("infinitic.service_executor")


def decide_retry(
    policy: RetryPolicy | None, message: ExecuteTask, exception: BaseException
) -> float | None:
    """Seconds before the next attempt of a task; None when there is none.

    A workflow that the task waited for does not end otherwise at the next attempt, and what is no
    ``Exception`` asks to end: neither is attempted again.

    Args:
        policy: What decides; None for never.
        message: The attempt.
        exception: What it raised.
    """
    hopeless = isinstance(exception, DeferredException)
    if policy is None or hopeless or not isinstance(exception, Exception):
        return None
    what = f"{message.service_name}.{message.method_name} (task {message.task_id})"
    return seconds_told(policy, message.retry_index, exception, what, _LOGGER)
