"""What goes wrong with user values, and where."""

from infinitic_common.exceptions import InfiniticError


class SerdeError(InfiniticError):
    """Base of the errors about user values.

    Attributes:
        place: what was being registered, encoded or decoded, in the words of the caller, for
            example ``parameter 'amount' of PaymentService.charge``.
    """

    def __init__(self, message: str, *, place: str = "") -> None:
        super().__init__(message)
        self.place = place


class InvalidTypeHint(SerdeError, TypeError):  # noqa: N818 - the user corrects a hint, not an error
    """A type hint is missing, cannot be resolved, or names a type whose values cannot be sent."""


class SerializationError(SerdeError):
    """A value does not match its type hint, or cannot be sent at all."""


class DeserializationError(SerdeError):
    """Bytes do not hold a value of the expected type."""


# A failure shows the name of its class: the one to import it by.
for _error in (SerdeError, InvalidTypeHint, SerializationError, DeserializationError):
    _error.__module__ = "infinitic_common.serialization"
