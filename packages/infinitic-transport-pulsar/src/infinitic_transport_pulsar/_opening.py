"""What the entry point ``pulsar`` of ``infinitic.transports`` names."""

from infinitic_common.configuration import PulsarConfiguration, TransportConfiguration
from infinitic_common.exceptions import TransportError
from infinitic_transport_pulsar.transport import PulsarTransport


def open_transport(
    configuration: TransportConfiguration, *, name: str | None = None
) -> PulsarTransport:
    """Make a transport from a configuration; it connects when first used.

    Args:
        configuration: Of kind ``pulsar``.
        name: The name of this process, unique in the namespace; made up when there is none.

    Raises:
        TransportError: The configuration is of another transport.
    """
    options = configuration.options
    if not isinstance(options, PulsarConfiguration):
        msg = f"transport '{configuration.kind}' is no Pulsar: give `transport:` a `pulsar:` block"
        raise TransportError(msg)
    return PulsarTransport(options, name)
