"""What a worker leaves behind when it stops."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from infinitic_common.component import Component
from infinitic_common.transport import Counts


def log_in_flight(logger: logging.Logger, components: Sequence[Component]) -> None:
    """Log, for each kind of component, how many messages remain of those received."""
    if not components:
        return
    totals: dict[str, Counts] = {}
    for component in components:
        totals[component.label] = totals.get(component.label, Counts()) + component.counts
    lines = [
        f"* {label}: {counts.remaining} remaining ({counts.received} received)"
        for label, counts in totals.items()
    ]
    logger.info("In Flight Messages:\n%s", "\n".join(lines))
