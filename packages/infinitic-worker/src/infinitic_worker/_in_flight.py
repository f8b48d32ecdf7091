"""What a worker leaves behind when it stops."""

import logging
from collections.abc import Iterable

from infinitic_common.component import Component
from infinitic_common.transport import Counts

_LOGGER = logging.getLogger(__name__)


def log_in_flight(components: Iterable[Component]) -> None:
    """Log, for each kind of component, how many messages remain of those received.

    What remains is delivered again, to this worker or to another: a warning, not an error.
    """
    totals: dict[str, Counts] = {}
    for component in components:
        totals[component.label] = totals.get(component.label, Counts()) + component.counts
    if totals:
        level = logging.WARNING if any(c.remaining for c in totals.values()) else logging.INFO
        _LOGGER.log(level, "In Flight Messages:\n%s", "\n".join(map(_line, totals.items())))


def _line(total: tuple[str, Counts]) -> str:
    label, counts = total
    return f"* {label}: {counts.remaining} remaining ({counts.received} received)"
