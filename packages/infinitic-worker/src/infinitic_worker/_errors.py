"""What a worker refuses."""

from infinitic_common.exceptions import UsageError


class WorkerError(UsageError):
    """A worker is used in a way it does not allow."""
