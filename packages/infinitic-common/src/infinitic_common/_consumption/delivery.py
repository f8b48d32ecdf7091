"""A message on its way through a process."""

from typing import Generic, TypeVar

import attrs

from infinitic_common.transport import ReceivedMessage

T = TypeVar("T")


@attrs.define(eq=False)
class Delivery(Generic[T]):
    """A message and what its transport needs to settle it.

    Attributes:
        message: As the handler sees it; replaced when its delivery count grows.
        token: The transport's own, untouched.
        begun: Whether a handler has had it.
        alone: Whether it must be the only one of its batch, since a batch with it failed.
    """

    message: ReceivedMessage
    token: T
    begun: bool = False
    alone: bool = False

    def count_failure(self) -> None:
        """Make the next delivery carry one more in its count."""
        self.message = attrs.evolve(self.message, delivery_count=self.message.delivery_count + 1)
