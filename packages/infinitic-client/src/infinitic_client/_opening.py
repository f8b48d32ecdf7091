"""The transport that a configuration asks for."""

from collections.abc import Callable
from typing import cast

from infinitic_common.configuration import ClientConfiguration, Source, load_configuration
from infinitic_common.discovery import TRANSPORTS, load_entry_point
from infinitic_common.transport import Transport


def open_transport(*sources: Source) -> Transport:
    """Open the transport of a client's configuration; it connects when first used.

    Raises:
        ConfigurationError: Lists everything that is wrong.
        ComponentNotInstalled: The wheel of the transport is missing; says which to install.
    """
    return open_configured(load_configuration(ClientConfiguration, *sources))


def open_configured(configuration: ClientConfiguration) -> Transport:
    """Open the transport of a configuration; it connects when first used.

    Raises:
        ComponentNotInstalled: Its wheel is missing.
    """
    opener = load_entry_point(TRANSPORTS, configuration.transport.kind)
    opened = cast("Callable[..., object]", opener)(configuration.transport, name=configuration.name)
    return cast("Transport", opened)
