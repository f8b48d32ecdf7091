"""Gauges: what is in flight, and what waits in every topic of the broker."""

import asyncio
import contextlib
import logging
from collections.abc import Iterator, Sequence
from typing import Protocol

from opentelemetry.metrics import CallbackOptions, Meter, Observation

from infinitic_common.component import Component
from infinitic_common.transport import Backlog, ObservableTransport, Transport

_LOGGER = logging.getLogger(__name__)


class _Counted(Protocol):
    """What is observed of a worker."""

    @property
    def components(self) -> Sequence[Component]:
        """What it hosts."""
        ...


class Gauges:
    """Observes a worker each time its metrics are asked for.

    Args:
        meter: Asks.
        worker_name: On every measurement of the worker itself.
        hosted: The worker.
    """

    def __init__(self, meter: Meter, worker_name: str, hosted: _Counted) -> None:
        self._worker_name = worker_name
        self._hosted: _Counted | None = hosted
        self._backlogs: Sequence[Backlog] = ()
        meter.create_observable_gauge(
            "infinitic.in_flight",
            [self._in_flight],
            description="Messages received and not settled, by kind of component",
        )
        meter.create_observable_gauge(
            "infinitic.topic.depth",
            [self._depths],
            description="Messages (on Pulsar, batches of them) that wait in a topic, as its broker counts",
        )
        meter.create_observable_gauge(
            "infinitic.topic.dead_letters",
            [self._dead_letters],
            description="Dead letters that nobody has looked at, by the topic they came from",
        )

    def forget(self) -> None:
        """Observe nothing any more: the worker is closed."""
        self._hosted, self._backlogs = None, ()

    async def poll(self, transport: Transport, every_seconds: float) -> None:
        """Ask the broker for what waits in its topics, again and again."""
        if not isinstance(transport, ObservableTransport):
            return
        while True:
            try:
                self._backlogs = await transport.backlogs()
            except Exception as error:  # noqa: BLE001 - whatever it is, it may pass
                self._backlogs = ()  # an old depth would be taken for the present one
                what = f"{type(error).__name__}: {error}"
                _LOGGER.warning("the depth of topics is not known: %s", what)
            await asyncio.sleep(every_seconds)

    def _in_flight(self, _options: CallbackOptions) -> Iterator[Observation]:
        totals: dict[str, int] = {}
        # Asked in another thread: a component may be starting or stopping meanwhile.
        with contextlib.suppress(RuntimeError):
            for each in self._hosted.components if self._hosted is not None else ():
                totals[each.label] = totals.get(each.label, 0) + each.counts.remaining
        for label, remaining in totals.items():
            yield Observation(remaining, {"worker_name": self._worker_name, "component": label})

    def _depths(self, _options: CallbackOptions) -> Iterator[Observation]:
        for one in self._backlogs:
            if not one.dead_letters:
                yield Observation(one.messages, {**_place(one), "subscription": one.subscription})

    def _dead_letters(self, _options: CallbackOptions) -> Iterator[Observation]:
        for one in self._backlogs:
            if one.dead_letters:
                yield Observation(one.messages, _place(one))


def _place(backlog: Backlog) -> dict[str, str]:
    topic = backlog.topic
    return {"topic": backlog.full_name, "kind": str(topic.kind), "entity": topic.entity}
