"""In-memory transport of Infinitic for Python."""

from infinitic_transport._clock import Clock, MovableClock
from infinitic_transport._names import dead_letter_name, full_name
from infinitic_transport._opening import open_transport
from infinitic_transport._transport import InMemoryTransport
from infinitic_transport._universe import Universe

__all__ = [
    "Clock",
    "InMemoryTransport",
    "MovableClock",
    "Universe",
    "dead_letter_name",
    "full_name",
    "open_transport",
]
