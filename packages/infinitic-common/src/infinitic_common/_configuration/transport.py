"""What carries messages: memory, Pulsar or what another wheel announces."""

from collections.abc import Iterable, Mapping
from typing import Annotated, Self

from attrs import Factory, field, frozen

from infinitic_common._configuration.checks import Above, NotBlank
from infinitic_common._configuration.choice import Choice
from infinitic_common._configuration.nodes import Node
from infinitic_common._configuration.problems import Problem
from infinitic_common._configuration.pulsar import PulsarConfiguration
from infinitic_common._configuration.reading import At
from infinitic_common._configuration.setting import masked_options
from infinitic_common._configuration.settings import Settings, choice_told
from infinitic_common.discovery import TRANSPORTS


@frozen(kw_only=True)
class InMemoryTransportConfiguration(Settings):
    """Messages within one process; it has no options."""


TransportOptions = InMemoryTransportConfiguration | PulsarConfiguration | Mapping[str, object]

TRANSPORT_CHOICE = Choice(
    what="transport",
    group=TRANSPORTS,
    known={"inMemory": InMemoryTransportConfiguration, "pulsar": PulsarConfiguration},
    others=("shutdownGracePeriodSeconds",),
)


def _default_grace_period(transport: "TransportConfiguration") -> float:
    return 5.0 if transport.kind == "inMemory" else 30.0


def _default_options(transport: "TransportConfiguration") -> TransportOptions:
    return InMemoryTransportConfiguration() if transport.kind == "inMemory" else {}


@frozen
class TransportConfiguration(Settings):
    """A transport with its options.

    Attributes:
        kind: Name of its entry point: ``inMemory``, ``pulsar`` or another.
        options: The options of that transport; plain data for one that another wheel announces.
        shutdown_grace_period_seconds: How long a stop waits for what is in flight; by default 5 in
            memory, else 30.
    """

    kind: Annotated[str, NotBlank()]
    options: TransportOptions = field(
        default=Factory(_default_options, takes_self=True), repr=masked_options
    )
    shutdown_grace_period_seconds: Annotated[float, Above(0)] = Factory(
        _default_grace_period, takes_self=True
    )

    def __str__(self) -> str:
        """Tell what was chosen, for logs."""
        return choice_told(self.kind, self.options)

    def conflicts(self) -> Iterable[Problem]:
        """See ``Settings``."""
        return TRANSPORT_CHOICE.conflict(self.kind, self.options)

    @classmethod
    def from_node(cls, node: Node, at: At) -> Self:
        """See ``Readable``."""
        return TRANSPORT_CHOICE.read(cls, node, at)
