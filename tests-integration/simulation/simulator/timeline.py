"""What happened, for whoever reads a failure."""

from __future__ import annotations

from collections.abc import Callable

LAST = 40000
"""Events shown."""


class Timeline:
    """Events with their virtual time; their text is made only when it is read."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._events: list[tuple[float, str, str, object]] = []

    def add(self, actor: str, event: str, detail: object = "") -> None:
        """Note an event of an actor."""
        self._events.append((self._clock(), actor, event, detail))

    def __str__(self) -> str:
        left_out = max(0, len(self._events) - LAST)
        lines = [f"... {left_out} earlier events"] if left_out else []
        lines += [
            f"{time:10.4f} {actor:<12} {event:<22} {_text(detail)}"
            for time, actor, event, detail in self._events[-LAST:]
        ]
        return "\n".join(lines)


def _text(detail: object) -> str:
    if isinstance(detail, (list, tuple)):
        return ", ".join(map(_text, detail))
    properties = getattr(detail, "properties", None)
    body = getattr(detail, "body", None)
    if not isinstance(body, bytes) or not isinstance(properties, dict):
        return str(detail)
    from infinitic_common.codec import decode  # noqa: PLC0415 - only for failures

    kind = type(decode(body)).__name__
    names = "/".join(
        str(properties[name])[-6:]
        for name in ("workflow_id", "method_id", "position")
        if name in properties
    )
    return f"{kind} {str(getattr(detail, 'id', ''))[-6:]} ({names})"
