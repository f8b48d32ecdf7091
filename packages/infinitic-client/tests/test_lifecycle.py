"""Opening, closing, threads and loops."""

from __future__ import annotations

import asyncio
import threading
from importlib.metadata import EntryPoints
from typing import TYPE_CHECKING, Protocol

import pytest

from infinitic_client import AsyncInfiniticClient, InfiniticClient
from infinitic_common.configuration import ConfigurationError, TransportConfiguration
from infinitic_common.discovery import ComponentNotInstalled
from infinitic_common.exceptions import TransportError, UsageError

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import RecordingTransport


class Order(Protocol):
    def process(self) -> str: ...


async def test_closing_closes_the_transport_once(transport: RecordingTransport) -> None:
    client = AsyncInfiniticClient(transport=transport)
    await client.close()
    await client.close()
    assert transport.is_closed


async def test_leaving_its_block_closes_a_client(transport: RecordingTransport) -> None:
    async with AsyncInfiniticClient(transport=transport):
        assert not transport.is_closed
    assert transport.is_closed


def test_a_second_event_loop_is_refused(transport: RecordingTransport) -> None:
    client = AsyncInfiniticClient(transport=transport)

    async def dispatch() -> None:
        _ = await client.dispatch(client.new_workflow(Order).process)

    asyncio.run(dispatch())
    with pytest.raises(UsageError, match="client-1 is used on a second event loop"):
        asyncio.run(dispatch())
    assert len(transport.published) == 1


async def test_a_shared_transport_stays_open(transport: RecordingTransport) -> None:
    async with AsyncInfiniticClient(transport=transport, close_transport=False):
        pass
    assert not transport.is_closed


async def test_clients_that_share_a_transport_are_answered_under_names_of_their_own(
    transport: RecordingTransport,
) -> None:
    one = AsyncInfiniticClient(transport=transport, close_transport=False)
    other = AsyncInfiniticClient(transport=transport, close_transport=False)
    assert (one.name, other.name) == ("client-1", "client-1-2")
    await one.close()
    await other.close()


async def test_a_closed_client_says_so(transport: RecordingTransport) -> None:
    client = AsyncInfiniticClient(transport=transport)
    await client.close()
    with pytest.raises(TransportError, match="client client-1 is closed"):
        _ = await client.dispatch(client.new_workflow(Order).process)


def test_client_26_a_client_that_was_not_used_closes_without_connecting(
    transport: RecordingTransport,
) -> None:
    with InfiniticClient(transport=transport) as client:
        assert client.name == "client-1"
    assert transport.is_closed
    assert transport.subscriptions == []
    assert transport.messages == []


def test_a_blocking_client_ends_its_thread(transport: RecordingTransport) -> None:
    before = threading.active_count()
    client = InfiniticClient(transport=transport)
    assert threading.active_count() == before
    client.dispatch(client.new_workflow(Order).process)
    assert threading.active_count() == before + 1
    client.close()
    client.close()
    assert threading.active_count() == before


def test_a_closed_blocking_client_says_so(transport: RecordingTransport) -> None:
    client = InfiniticClient(transport=transport)
    client.close()
    with pytest.raises(TransportError, match="is closed"):
        client.dispatch(client.new_workflow(Order).process)


async def test_a_blocking_face_works_on_the_loop_of_its_client(
    transport: RecordingTransport,
) -> None:
    async with AsyncInfiniticClient(transport=transport) as client:
        blocking = client.blocking()
        stub = blocking.new_workflow(Order)
        deferred = await asyncio.to_thread(blocking.dispatch, stub.process)
        assert deferred.name == "Order"
        assert len(transport.messages) == 1


async def test_a_blocking_face_refuses_its_own_loop(transport: RecordingTransport) -> None:
    async with AsyncInfiniticClient(transport=transport) as client:
        blocking = client.blocking()
        with pytest.raises(UsageError, match="AsyncInfiniticClient"):
            blocking.dispatch(blocking.new_workflow(Order).process)


def test_threads_share_a_blocking_client(transport: RecordingTransport) -> None:
    with InfiniticClient(transport=transport) as client:
        stub = client.new_workflow(Order)
        threads = [threading.Thread(target=client.dispatch, args=(stub.process,)) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert len(transport.messages) == 8


def test_a_transport_that_is_not_installed_names_the_wheel(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("infinitic_common.discovery.entry_points", lambda **_: EntryPoints())
    with pytest.raises(ComponentNotInstalled, match="pip install infinitic-transport"):
        InfiniticClient.from_yaml_string("transport: {inMemory: {}}")


@pytest.mark.parametrize("colour", [InfiniticClient, AsyncInfiniticClient])
def test_a_configuration_opens_its_transport(
    monkeypatch: pytest.MonkeyPatch,
    transport: RecordingTransport,
    colour: type[InfiniticClient | AsyncInfiniticClient],
) -> None:
    asked: list[tuple[str, str | None]] = []

    def opener(configuration: TransportConfiguration, *, name: str | None) -> RecordingTransport:
        asked.append((configuration.kind, name))
        return transport

    monkeypatch.setattr("infinitic_client._opening.load_entry_point", lambda *_: opener)
    client = colour.from_yaml_string("name: me\ntransport: {inMemory: {}}")
    assert client.name == "client-1"
    assert asked == [("inMemory", "me")]


def test_a_file_with_mistakes_lists_them(tmp_path: Path) -> None:
    path = tmp_path / "client.yml"
    path.write_text("name: me\n")
    with pytest.raises(ConfigurationError, match="transport"):
        AsyncInfiniticClient.from_yaml_file(path)
