"""What a run needs to know of the class it runs."""

from collections.abc import Mapping
from typing import Protocol

from infinitic_common.decorators import CheckMode
from infinitic_common.policies import RetryPolicy


class WorkflowMethod(Protocol):
    """A method of a workflow's contract, as implemented."""

    @property
    def check_mode(self) -> CheckMode | None:
        """What the implementation says about changed code; None when it says nothing."""
        ...

    @property
    def retry(self) -> RetryPolicy | None:
        """What the implementation says about code that raised; None when it says nothing."""
        ...

    @property
    def location(self) -> str:
        """Where its code is, as ``folder/file.py:line``; for messages."""
        ...

    def call(self, instance: object, arguments: tuple[bytes, ...]) -> object:
        """Decode the arguments and call: gives the value, or a coroutine."""
        ...

    def encode_result(self, value: object) -> bytes:
        """The encoded value."""
        ...


class WorkflowDefinition(Protocol):
    """A version of a workflow's implementation."""

    @property
    def version(self) -> int:
        """Its version."""
        ...

    @property
    def discarding_channels(self) -> tuple[str, ...]:
        """Channels that drop signals which nobody waits for."""
        ...

    def create(self) -> object:
        """A new instance; the run is the current one meanwhile."""
        ...

    def method(self, name: str) -> WorkflowMethod:
        """The method of that name.

        Raises:
            InfiniticError: There is none.
        """
        ...

    def properties_of(self, instance: object) -> Mapping[str, bytes]:
        """The encoded values of all properties."""
        ...

    def set_property(self, instance: object, name: str, data: bytes) -> None:
        """Give a property the value that the data hold."""
        ...

    def remove_property(self, instance: object, name: str) -> None:
        """Take a property away; nothing happens when it is not there."""
        ...
