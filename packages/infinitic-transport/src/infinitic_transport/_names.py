"""How topics are called."""

from infinitic_common.transport import Topic


def full_name(topic: Topic) -> str:
    """As ``inmemory://service-executor:Payments``."""
    return f"inmemory://{topic}"


def dead_letter_name(topic: Topic) -> str:
    """As ``service-executor-dlq:Payments``."""
    return f"{topic.kind}-dlq:{topic.entity}"
