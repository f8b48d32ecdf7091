"""The transports of the modes."""

import uuid
from collections.abc import Callable

from service_control import ensure

from harness.times import MovedTime, RealTime, Time
from infinitic_common.configuration import PulsarConfiguration, PulsarPolicies
from infinitic_common.transport import Transport
from infinitic_transport import InMemoryTransport
from infinitic_transport_pulsar import PulsarTransport


def _memory() -> tuple[Transport, Time]:
    time = MovedTime()
    return InMemoryTransport(universe=time.universe), time


def _pulsar() -> tuple[Transport, Time]:
    urls = ensure("pulsar")
    configuration = PulsarConfiguration(
        broker_service_url=urls["INFINITIC_PULSAR_BROKER_URL"],
        web_service_url=urls["INFINITIC_PULSAR_WEB_URL"],
        tenant="infinitic-tests",
        namespace=f"conformance-{uuid.uuid4().hex[:12]}",
        partitions=2,
        policies=PulsarPolicies(delayed_delivery_tick_time_millis=100),
    )
    return PulsarTransport(configuration), RealTime()


BROKERS: dict[str, Callable[[], tuple[Transport, Time]]] = {"memory": _memory, "pulsar": _pulsar}
