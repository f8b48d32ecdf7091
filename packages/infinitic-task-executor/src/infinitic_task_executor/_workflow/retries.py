"""Whether code of a workflow that raised runs again by itself."""

import logging

import attrs

from infinitic_common.exceptions import UsageError
from infinitic_common.policies import RetryPolicy
from infinitic_common.serialization import SerdeError

_LOGGER = logging.getLogger("infinitic.workflow_executor")


@attrs.frozen
class Retries:
    """The policy of an executor.

    Attributes:
        policy: The policy; None for no retries.
        given: Whether the executor has a say; without, the class of the workflow decides.
    """

    policy: RetryPolicy | None = None
    given: bool = False

    def seconds_before(
        self, retry_index: int, exception: BaseException, marked: RetryPolicy | None
    ) -> float | None:
        """Seconds until the code runs again, 0 for at once; None when it does not.

        What the code itself must be changed for is not tried again.

        Args:
            retry_index: Automatic retries so far.
            exception: What the code raised.
            marked: The policy of the class.
        """
        policy = self.policy if self.given else marked
        hopeless = isinstance(exception, UsageError | SerdeError)
        if policy is None or hopeless or not isinstance(exception, Exception):
            return None
        try:
            seconds = policy.seconds_before_retry(retry_index, exception)
        except Exception:
            _LOGGER.exception(
                "the retry policy %r raised: the workflow task is not retried", policy
            )
            return None
        return None if seconds is None else max(seconds, 0.0)
