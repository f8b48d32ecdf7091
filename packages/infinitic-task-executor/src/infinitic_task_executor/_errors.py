"""What the executor itself refuses in the code of workflows and services."""

from infinitic_common.exceptions import InfiniticError, UsageError


class ForeignAwait(UsageError, RuntimeError):  # noqa: N818 - named as its siblings in common
    """A workflow awaited something that is not its own, or used asyncio."""


class WorkflowTaskTimeout(InfiniticError, TimeoutError):  # noqa: N818 - as above
    """The code of a workflow ran for too long without waiting for a deferred."""


def untellable(error: BaseException, failing: BaseException) -> Exception:
    """What is told instead of an exception that raises when it is looked into.

    Args:
        error: The exception.
        failing: What it raised then.
    """
    what = f"{type(error).__name__}, of which nothing can be told: {type(failing).__name__}"
    return RuntimeError(what)
