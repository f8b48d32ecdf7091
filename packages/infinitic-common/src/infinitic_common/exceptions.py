"""Every error of the framework, one hierarchy: catching ``InfiniticError`` catches them all."""


class InfiniticError(Exception):
    """The base of all errors of the framework."""


class InfrastructureError(InfiniticError):
    """Something around the framework (a broker, a store) does not do its part."""


class Unavailable(InfrastructureError):
    """A store or a broker cannot be reached now; the same call may succeed later.

    Handlers of messages let it pass: the subscription pauses and tries again in place.
    """


class StorageUnavailable(Unavailable):
    """The store cannot be reached now."""


class TransportUnavailable(Unavailable):
    """The broker cannot be reached now."""


class StorageError(InfrastructureError):
    """The store refused a request, and would refuse it again."""


class TransportError(InfrastructureError):
    """The broker refused a request, and would refuse it again."""


class PayloadTooLarge(TransportError):
    """A message is larger than the broker accepts; says the size, the limit and whose it is."""


class UndecodableMessage(InfiniticError):
    """Bytes that are no message, or one of a kind unknown to this release."""
