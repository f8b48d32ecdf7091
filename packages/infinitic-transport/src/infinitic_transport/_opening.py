"""The entry point of this transport."""

from functools import cache

from infinitic_common.configuration import InMemoryTransportConfiguration, TransportConfiguration
from infinitic_common.exceptions import TransportError
from infinitic_transport._transport import InMemoryTransport
from infinitic_transport._universe import Universe


def open_transport(
    configuration: TransportConfiguration, *, name: str | None = None
) -> InMemoryTransport:
    """Open the transport that a configuration describes.

    All that are opened with equal options reach one another: a worker and a client of one process
    may be built from the same configuration.

    Args:
        configuration: One of the kind ``inMemory``.
        name: Unique name of the transport; made up when not given.

    Raises:
        TransportError: The options are those of another transport.
    """
    options = configuration.options
    if not isinstance(options, InMemoryTransportConfiguration):
        msg = (
            f"the in-memory transport cannot be opened with the options of '{configuration.kind}': "
            "load the transport by its own name"
        )
        raise TransportError(msg)
    return InMemoryTransport(name, universe=_universe_for(options))


@cache
def _universe_for(_options: InMemoryTransportConfiguration) -> Universe:
    return Universe()
