"""What a worker refuses."""

from infinitic_common.exceptions import UsageError


class WorkerError(UsageError):
    """A worker is used in a way it does not allow."""


# A failure shows the name of its class: the one to import it by.
WorkerError.__module__ = "infinitic_worker"
