"""What receives the events of services and workflows."""

from typing import Annotated, Self

from attrs import field, frozen

from infinitic_common._configuration.checks import Above, AtLeast, NotBlank
from infinitic_common._configuration.nodes import Node
from infinitic_common._configuration.policies import BatchConfiguration
from infinitic_common._configuration.reading import At
from infinitic_common._configuration.seed_form import flattened
from infinitic_common._configuration.settings import Settings, read_settings

Names = tuple[Annotated[str, NotBlank()], ...]


@frozen(kw_only=True)
class ListenedConfiguration(Settings):
    """Which services, or which workflows, are listened to.

    Attributes:
        list_refresh_seconds: How often new ones are looked for.
        allow: The only names listened to; None for all.
        disallow: Names not listened to.
    """

    list_refresh_seconds: Annotated[float, AtLeast(0)] = 60.0
    allow: Names | None = None
    disallow: Names = ()


@frozen(kw_only=True)
class EventListenerConfiguration(Settings):
    """Who is told of events.

    Attributes:
        class_name: Dotted name of the listener's class.
        concurrency: Batches of events handled at once.
        subscription_name: Name of its subscription; None for the transport's default.
        batch: How many events are handled together.
        services: Which services.
        workflows: Which workflows.
    """

    class_name: Annotated[str, NotBlank()] = field(metadata={"key": "class"})
    concurrency: Annotated[int, Above(0)] = 1
    subscription_name: Annotated[str, NotBlank()] | None = None
    batch: BatchConfiguration = field(factory=BatchConfiguration)
    services: ListenedConfiguration = field(factory=ListenedConfiguration)
    workflows: ListenedConfiguration = field(factory=ListenedConfiguration)

    @classmethod
    def from_node(cls, node: Node, at: At) -> Self:
        """See ``Readable``; the keys may stand in a nested ``listener`` block, as once documented."""
        return read_settings(cls, flattened(at.block(node), "listener", at), at)
