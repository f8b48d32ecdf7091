"""The modes in which every case runs: those of the gate, or the whole matrix."""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import product

import attrs

from harness.brokers import BROKERS
from harness.stores import STORES
from harness.times import Time
from harness.unreliable import Twice
from infinitic_common.storage import Storage
from infinitic_common.transport import Transport

FULL = "INFINITIC_CONFORMANCE_FULL"
"""The variable of the environment that asks for the whole matrix."""


@attrs.frozen
class Mode:
    """Servers, where and how workflow code runs, and whether every message comes twice."""

    name: str
    broker: str = "memory"
    store: str = "memory"
    always_replay: bool = False
    remote: bool = False
    twice: bool = False

    @property
    def servers(self) -> bool:
        """Whether time is real, and cases run beside each other."""
        return self.broker != "memory"


@attrs.frozen
class Ground:
    """What a mode gives its workers and clients."""

    transport: Transport
    storage: Storage
    time: Time


def _matrix() -> tuple[Mode, ...]:
    places, runs = ("local", "remote"), ("live", "replay")
    return tuple(
        Mode(f"{broker}-{store}-{place}-{run}", broker, store, run == "replay", place == "remote")
        for broker, store, place, run in product(BROKERS, STORES, places, runs)
    )


GATE = (
    Mode("memory-live"),
    Mode("memory-replay", always_replay=True),
    Mode("memory-remote", remote=True),
    Mode("pulsar-postgres", "pulsar", "postgres"),
)
MODES = _matrix() if os.environ.get(FULL) else GATE


@asynccontextmanager
async def opened(mode: Mode) -> AsyncIterator[Ground]:
    """Transport, storage and time of a mode; on servers in places of their own."""
    async with STORES[mode.store]() as storage:
        transport, time = BROKERS[mode.broker]()
        yield Ground(Twice(transport) if mode.twice else transport, storage, time)
