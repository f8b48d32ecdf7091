"""What goes wrong with a service."""


class ServiceError(RuntimeError):
    """A service cannot be had; the message says what to do or where to look."""
