"""Whether code of a workflow that raised runs again by itself."""

import logging
import math

from infinitic_common.configuration import Unset
from infinitic_common.exceptions import UsageError
from infinitic_common.policies import RetryPolicy
from infinitic_common.serialization import SerdeError

_LOGGER = logging.getLogger("infinitic.workflow_executor")
_LONGEST_SECONDS = 1e9

RetrySetting = RetryPolicy | Unset | None
"""What an executor says: a policy, none, or that the class of the workflow decides."""


def seconds_before_retry(
    setting: RetrySetting, marked: RetryPolicy | None, retry_index: int, exception: BaseException
) -> float | None:
    """Seconds until the code runs again, 0 for at once; None when it does not.

    What can only be mended in the code is not tried again.

    Args:
        setting: What the executor says.
        marked: What the class says.
        retry_index: Automatic retries so far.
        exception: What the code raised.
    """
    policy = marked if isinstance(setting, Unset) else setting
    hopeless = isinstance(exception, UsageError | SerdeError)
    if policy is None or hopeless or not isinstance(exception, Exception):
        return None
    try:
        seconds = policy.seconds_before_retry(retry_index, exception)
        return None if seconds is None else _checked(seconds)
    except Exception:
        _LOGGER.exception("the retry policy %r fails: the code is not run again", policy)
        return None


def _checked(seconds: float) -> float:
    if not math.isfinite(seconds):
        msg = f"seconds_before_retry gives {seconds}: give seconds, or None for no more retries"
        raise ValueError(msg)
    return min(max(seconds, 0.0), _LONGEST_SECONDS)
