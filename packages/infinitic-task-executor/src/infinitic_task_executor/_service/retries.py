"""Whether a failed attempt is made again."""

import logging
import math

from infinitic_common.exceptions import DeferredException
from infinitic_common.messages import ExecuteTask
from infinitic_common.policies import RetryPolicy

_LOGGER = logging.getLogger("infinitic.service_executor")
_LONGEST_SECONDS = 1e9


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
    if (
        policy is None
        or isinstance(exception, DeferredException)
        or not isinstance(exception, Exception)
    ):
        return None
    try:
        seconds = policy.seconds_before_retry(message.retry_index, exception)
        return None if seconds is None else _checked(seconds)
    except BaseException:
        _LOGGER.exception(
            "the retry policy of %s.%s fails: task %s is not attempted again",
            message.service_name,
            message.method_name,
            message.task_id,
        )
        return None


def _checked(seconds: float) -> float:
    if not math.isfinite(seconds):
        msg = f"seconds_before_retry gives {seconds}: give seconds, or None for no more attempts"
        raise ValueError(msg)
    return min(float(seconds), _LONGEST_SECONDS)
