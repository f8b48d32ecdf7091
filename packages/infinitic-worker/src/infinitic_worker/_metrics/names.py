"""How topics are called in metrics."""

from infinitic_common.transport import ObservableTransport, Topic, Transport


def full_name(transport: Transport, topic: Topic) -> str:
    """The full name of a topic, as the transport calls it."""
    return transport.full_name(topic) if isinstance(transport, ObservableTransport) else str(topic)
