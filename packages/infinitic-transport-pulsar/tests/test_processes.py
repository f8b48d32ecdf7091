import asyncio
import logging
from collections.abc import Sequence

import attrs
import pytest

from infinitic_common.configuration import PulsarConfiguration
from infinitic_common.testing.transport import Scene, TransportHarness, numbered
from infinitic_common.transport import ReceivedMessage
from infinitic_transport_pulsar import PulsarTransport

KEYS = [f"workflow-{index}" for index in range(200)]


@pytest.mark.parametrize("processes", [2, 3])
async def test_both_topics_of_a_key_come_to_one_process(
    processes: int, scene: Scene, configuration: PulsarConfiguration
) -> None:
    configuration = attrs.evolve(configuration, partitions=8)
    owners: dict[str, set[str]] = {key: set() for key in KEYS}
    transports = [PulsarTransport(configuration) for _ in range(processes)]
    received = 0
    for transport in transports:

        async def note(
            messages: Sequence[ReceivedMessage], name: str = transport.name
        ) -> tuple[()]:
            nonlocal received
            for message in messages:
                owners[message.key or ""].add(name)
            received += len(messages)
            return ()

        await transport.consume(scene.ordered_subscription(), note)
    for topic in (scene.commands, scene.engine):
        await transports[0].publish(topic, [m for key in KEYS for m in numbered(2, key)])
    await scene.until(lambda: received >= 4 * len(KEYS))
    await asyncio.gather(*(transport.close() for transport in transports))
    assert [key for key, names in owners.items() if len(names) > 1] == []
    assert set().union(*owners.values()) == {transport.name for transport in transports}


async def test_keys_of_a_process_that_ends_go_to_another_and_nothing_is_lost(
    scene: Scene, pulsar_harness: TransportHarness
) -> None:
    staying, leaving = scene.recorder(), scene.recorder()
    ending = await pulsar_harness.open()
    await scene.consume(scene.ordered_subscription(), leaving, ending)
    await scene.consume(scene.ordered_subscription(), staying)
    publisher = await pulsar_harness.open()
    half = [m for key in KEYS for m in numbered(1, key)]
    await publisher.publish(scene.engine, half)
    await leaving.until_handled(1)
    await ending.close()
    await publisher.publish(scene.engine, [m for key in KEYS for m in numbered(1, key, first=1)])
    everything = {m.id for key in KEYS for m in numbered(2, key)}
    await scene.until(lambda: set(leaving.handled_ids + staying.handled_ids) >= everything)


async def test_keys_shared_over_all_processes_keep_their_order(
    scene: Scene, configuration: PulsarConfiguration
) -> None:
    shared = attrs.evolve(configuration, ordered_subscription="keyShared", partitions=1)
    transports = [PulsarTransport(shared) for _ in range(2)]
    recorders = [scene.recorder(), scene.recorder()]
    for transport, recorder in zip(transports, recorders, strict=True):
        await scene.consume(scene.ordered_subscription(), recorder, transport)
    keys = KEYS[:50]
    for first in (0, 5):
        await transports[0].publish(
            scene.engine, [m for key in keys for m in numbered(5, key, first=first)]
        )
    await scene.until(lambda: sum(len(recorder.handled) for recorder in recorders) >= 500)
    await asyncio.gather(*(transport.close() for transport in transports))
    for key in keys:
        in_order = [m.id for m in numbered(10, key)]
        assert in_order in [recorder.handled_ids_of(key) for recorder in recorders]
    assert all(recorder.handled for recorder in recorders)


async def test_topics_that_have_other_partitions_than_configured_are_told(
    scene: Scene, configuration: PulsarConfiguration, caplog: pytest.LogCaptureFixture
) -> None:
    first, second = (
        PulsarTransport(attrs.evolve(configuration, partitions=partitions)) for partitions in (2, 3)
    )
    await first.publish(scene.engine, numbered(1, "key"))
    with caplog.at_level(logging.WARNING):
        await second.consume(scene.ordered_subscription(), scene.recorder())
    await asyncio.gather(first.close(), second.close())
    assert f"{scene.engine}: 2" in caplog.text
    assert "not 3 as configured" in caplog.text
    assert "different numbers of partitions" in caplog.text


async def test_processes_beyond_the_number_of_partitions_are_told(
    scene: Scene, configuration: PulsarConfiguration, caplog: pytest.LogCaptureFixture
) -> None:
    configuration = attrs.evolve(configuration, partitions=1)
    transports = [PulsarTransport(configuration) for _ in range(2)]
    with caplog.at_level(logging.WARNING):
        for transport in transports:
            await transport.consume(scene.ordered_subscription(), scene.recorder())
        await scene.until(lambda: "1 of them wait in reserve" in caplog.text)
    await asyncio.gather(*(transport.close() for transport in transports))


async def test_six_processes_that_start_at_once_share_the_work(
    scene: Scene, configuration: PulsarConfiguration
) -> None:
    transports = [PulsarTransport(configuration) for _ in range(6)]
    recorders = [scene.recorder() for _ in transports]
    await asyncio.gather(
        *(
            transport.consume(scene.unordered_subscription(), recorder)
            for transport, recorder in zip(transports, recorders, strict=True)
        ),
        *(
            transport.consume(scene.ordered_subscription(), recorders[0])
            for transport in transports
        ),
    )
    await transports[0].publish(scene.tasks, numbered(200))
    await scene.until(lambda: sum(len(recorder.handled) for recorder in recorders) >= 200)
    await asyncio.gather(*(transport.close() for transport in transports))
    assert {m.id for r in recorders for m in r.handled} == {m.id for m in numbered(200)}
    assert sum(bool(recorder.handled) for recorder in recorders) > 1
