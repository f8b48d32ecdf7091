"""Retry policies as executors are given them, and what they say after a failure."""

import logging
import math
from typing import SupportsFloat

from infinitic_common.configuration import Unset
from infinitic_common.exceptions import UsageError
from infinitic_common.policies import RetryFunction, RetryPolicy, as_retry_policy

_LONGEST_SECONDS = 1e9

RetrySetting = RetryPolicy | Unset | None
"""What an executor says: a policy, none, or that the code decides."""


def retry_setting(given: RetryPolicy | RetryFunction | Unset | None, place: str) -> RetrySetting:
    """What an executor was given, functions as policies.

    Raises:
        UsageError: It is no policy; ``place`` is in the message.
    """
    if given is None or isinstance(given, Unset):
        return given
    return as_retry_policy(given, place)


def seconds_told(
    policy: RetryPolicy, retry_index: int, exception: Exception, what: str, logger: logging.Logger
) -> float | None:
    """Seconds until what failed is tried again, 0 for at once; None when it is not.

    Args:
        policy: Decides; one that fails is logged, and is as good as none.
        retry_index: Automatic retries so far.
        exception: What was raised.
        what: What failed, for the log.
        logger: Takes it.
    """
    try:
        seconds = policy.seconds_before_retry(retry_index, exception)
        return None if seconds is None else _checked(seconds)
    except BaseException:
        logger.exception("the retry policy of %s fails: it is not tried again", what)
        return None


def _checked(seconds: object) -> float:
    if not isinstance(seconds, SupportsFloat) or not math.isfinite(seconds):
        msg = f"seconds_before_retry gives {seconds!r}: give seconds, or None for no more attempts"
        raise UsageError(msg)
    return min(max(float(seconds), 0.0), _LONGEST_SECONDS)
