"""What the executor itself refuses in the code of workflows and services."""

from infinitic_common.exceptions import InfiniticError, UsageError


class ForeignAwait(UsageError, RuntimeError):  # noqa: N818 - named as its siblings in common
    """A workflow awaited something that is not its own, or used asyncio."""


class WorkflowTaskTimeout(InfiniticError, TimeoutError):  # noqa: N818 - as above
    """The code of a workflow ran for too long without waiting for a deferred."""
