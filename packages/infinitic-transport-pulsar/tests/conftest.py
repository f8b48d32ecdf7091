import asyncio
import os
import uuid
from collections.abc import AsyncIterator, Iterator, Sequence
from typing import cast

import httpx
import pytest

from infinitic_common.configuration import PulsarConfiguration, PulsarPolicies
from infinitic_common.testing.transport import Scene
from infinitic_common.transport import ReceivedMessage, Subscription, Topic
from infinitic_transport_pulsar import PulsarTransport
from infinitic_transport_pulsar._admin import Admin
from infinitic_transport_pulsar._names import TopicNames, rest_path
from infinitic_transport_pulsar._native import (
    NativeClient,
    NativeConsumer,
    client_options,
    consumer_options,
    enum_member,
    new_client,
)
from infinitic_transport_pulsar._receiving import message_from
from infinitic_transport_pulsar._settings import client_settings

TENANT = "infinitic-tests"


def _url(variable: str) -> str:
    try:
        return os.environ[variable]
    except KeyError:
        msg = f"{variable} is not set: run `tools/services start` and set what it prints"
        raise RuntimeError(msg) from None


@pytest.fixture(scope="session")
def configuration() -> Iterator[PulsarConfiguration]:
    """Of a namespace of this run's own, which its first topic makes; removed in the end."""
    configuration = PulsarConfiguration(
        broker_service_url=_url("INFINITIC_PULSAR_BROKER_URL"),
        web_service_url=_url("INFINITIC_PULSAR_WEB_URL"),
        tenant=TENANT,
        namespace=f"run-{uuid.uuid4().hex[:12]}",
        partitions=4,
        policies=PulsarPolicies(delayed_delivery_tick_time_millis=100),
    )
    yield configuration
    asyncio.run(remove_namespace(configuration))


async def remove_namespace(configuration: PulsarConfiguration) -> None:
    """Remove a namespace with all its topics."""
    path = f"{configuration.tenant}/{configuration.namespace}"
    async with httpx.AsyncClient(timeout=60) as http:
        admin = Admin(configuration.web_service_url, http)
        partitioned = await _listed(admin, f"persistent/{path}/partitioned")
        paths = [f"{rest_path(full)}/partitions" for full in partitioned]
        await asyncio.gather(*(admin.delete(f"{path}?force=true") for path in paths))
        others = [rest_path(full) for full in await _listed(admin, f"persistent/{path}")]
        await asyncio.gather(*(admin.delete(f"{path}?force=true") for path in others))
        await admin.delete(f"namespaces/{path}")


async def _listed(admin: Admin, path: str) -> list[str]:
    return cast("list[str] | None", (await admin.get(path)).body) or []


class PulsarHarness:
    """Clients of the broker of this run, and a look at its dead letters."""

    settle_timeout = 20.0

    def __init__(self, configuration: PulsarConfiguration) -> None:
        self.configuration = configuration
        self.names = TopicNames(configuration.tenant, configuration.namespace)
        self._transports: list[PulsarTransport] = []
        self._client: NativeClient | None = None
        self._http = httpx.AsyncClient()
        self._graves: dict[Topic, NativeConsumer] = {}
        self._dead: dict[Topic, list[ReceivedMessage]] = {}

    async def open(self, name: str | None = None) -> PulsarTransport:
        transport = PulsarTransport(self.configuration, name)
        self._transports.append(transport)
        return transport

    async def dead_letters(self, subscription: Subscription) -> Sequence[ReceivedMessage]:
        for topic in subscription.topics:
            full = self.names.dead_letters_of(topic)
            if topic in self._graves or await self.subscriptions(full) is not None:
                await asyncio.to_thread(self._collect, topic, full)
        return [dead for topic in subscription.topics for dead in self._dead.get(topic, ())]

    async def close(self) -> None:
        await asyncio.gather(*(transport.close() for transport in self._transports))
        await self._http.aclose()
        if self._client is not None:
            await asyncio.to_thread(self._client.close)

    @property
    def admin(self) -> Admin:
        return Admin(self.configuration.web_service_url, self._http)

    async def subscriptions(self, full: str) -> list[str] | None:
        """Those of a topic; None when there is no such topic."""
        reply = await self.admin.get(f"{rest_path(full)}/subscriptions")
        return cast("list[str] | None", reply.body)

    async def partitions(self, full: str) -> int:
        """How many a topic has; 0 when it has none."""
        reply = await self.admin.get(f"{rest_path(full)}/partitions")
        return cast("dict[str, int]", reply.body)["partitions"]

    async def remove_namespace(self, configuration: PulsarConfiguration) -> None:
        """Remove another namespace than that of this run."""
        await remove_namespace(configuration)

    async def remove(self, full: str) -> None:
        """Remove a topic whatever uses it."""
        partitions = "/partitions" if await self.partitions(full) else ""
        await self.admin.delete(f"{rest_path(full)}{partitions}?force=true")

    def _collect(self, topic: Topic, full: str) -> None:
        grave = self._graves.get(topic)
        if grave is None:
            grave = self._graves[topic] = self._open_grave(full)
        while messages := grave.batch_receive():
            self._dead.setdefault(topic, []).extend(message_from(topic, m) for m in messages)

    def _open_grave(self, full: str) -> NativeConsumer:
        if self._client is None:
            options = client_options(client_settings(self.configuration))
            self._client = new_client(self.configuration.broker_service_url, options)
        position = enum_member("InitialPosition", "Earliest")
        options = consumer_options((("subscription_initial_position", position),))
        return self._client.subscribe(full, f"look-{uuid.uuid4().hex}", options)


@pytest.fixture
async def pulsar_harness(configuration: PulsarConfiguration) -> AsyncIterator[PulsarHarness]:
    harness = PulsarHarness(configuration)
    yield harness
    await harness.close()


@pytest.fixture
def scene(pulsar_harness: PulsarHarness) -> Scene:
    return Scene(pulsar_harness)
