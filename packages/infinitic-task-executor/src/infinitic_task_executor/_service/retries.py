"""Whether a failed attempt is made again."""

from infinitic_common.messages import ExecuteTask


def decide_retry(message: ExecuteTask, exception: BaseException) -> float | None:
    """Seconds before the next attempt of a task; None when there is none.

    Args:
        message: The attempt.
        exception: What it raised.
    """
    del message, exception
    return None
