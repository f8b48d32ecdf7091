"""Apache Pulsar transport of Infinitic for Python."""

from infinitic_transport_pulsar._opening import open_transport
from infinitic_transport_pulsar.transport import PulsarTransport

__all__ = ["PulsarTransport", "open_transport"]
