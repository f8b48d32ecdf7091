# ruff: noqa: PLR2004, S101 -- a test's name says what it shows
"""Batches and their bounds."""

import asyncio
from collections.abc import Sequence

import attrs
import pytest

from infinitic_common.testing._transport.harness import Scene, TransportSuite, held_by, numbered
from infinitic_common.transport import ReceivedMessage, Transport


class BatchesSuite(TransportSuite):
    """A batch is what has arrived, within the bounds of the subscription."""

    @pytest.fixture
    def gate(self) -> asyncio.Event:
        """Holds every batch in the handler until it is set."""
        return asyncio.Event()

    @pytest.mark.parametrize("ordered", [False, True])
    async def test_consume_12_a_batch_is_what_has_arrived_up_to_its_maximum(
        self, scene: Scene, transport: Transport, gate: asyncio.Event, *, ordered: bool
    ) -> None:
        recorder = scene.recorder(held_by(gate))
        topic = scene.commands if ordered else scene.tasks
        subscription = attrs.evolve(
            scene.ordered_subscription() if ordered else scene.unordered_subscription(),
            max_batch_messages=5,
            max_in_flight_batches=1,
        )
        await scene.consume(subscription, recorder)
        await transport.publish(topic, numbered(1, "first"))
        await recorder.until(lambda: recorder.in_handler == 1)
        await transport.publish(topic, [m for i in range(8) for m in numbered(5, f"key{i}")])
        gate.set()
        await recorder.until_handled(41)
        sizes = [len(batch) for batch in recorder.batches]
        assert max(sizes) <= 5
        assert max(sizes) > 1
        assert recorder.most_batches == 1

    async def test_a_batch_does_not_wait_to_be_full(
        self, scene: Scene, transport: Transport
    ) -> None:
        recorder = scene.recorder()
        subscription = attrs.evolve(scene.unordered_subscription(), max_batch_messages=1000)
        await scene.consume(subscription, recorder)
        await transport.publish(scene.tasks, numbered(1))
        await recorder.until_handled(1)

    @pytest.mark.parametrize("ordered", [False, True])
    async def test_messages_in_the_handler_stay_within_their_bound(
        self, scene: Scene, transport: Transport, gate: asyncio.Event, *, ordered: bool
    ) -> None:
        recorder = scene.recorder(held_by(gate))
        subscription = attrs.evolve(
            scene.ordered_subscription() if ordered else scene.unordered_subscription(),
            max_batch_messages=2,
            max_in_flight_messages=4,
        )
        await scene.consume(subscription, recorder)
        topic = scene.commands if ordered else scene.tasks
        await transport.publish(topic, [m for i in range(20) for m in numbered(1, f"key{i}")])
        await recorder.until(lambda: recorder.in_handler == 4)
        gate.set()
        await recorder.until_handled(20)
        assert recorder.most_messages == 4

    async def test_batches_in_the_handler_stay_within_their_bound(
        self, scene: Scene, transport: Transport, gate: asyncio.Event
    ) -> None:
        recorder = scene.recorder(held_by(gate))
        subscription = attrs.evolve(
            scene.unordered_subscription(), max_batch_messages=3, max_in_flight_batches=2
        )
        await scene.consume(subscription, recorder)
        await transport.publish(scene.tasks, numbered(20))
        await recorder.until(lambda: len(recorder.batches) == 2)
        gate.set()
        await recorder.until_handled(20)
        assert recorder.most_batches == 2

    async def test_a_slow_key_does_not_hold_up_the_others(
        self, scene: Scene, transport: Transport, gate: asyncio.Event
    ) -> None:
        async def hold_a(batch: Sequence[ReceivedMessage]) -> tuple[()]:
            if any(message.key == "a" for message in batch):
                await gate.wait()
            return ()

        recorder = scene.recorder(hold_a)
        subscription = attrs.evolve(
            scene.ordered_subscription(), max_batch_messages=1, max_in_flight_messages=2
        )
        await scene.consume(subscription, recorder)
        await transport.publish(scene.commands, [*numbered(20, "a"), *numbered(20, "b")])
        await recorder.until(lambda: len(recorder.handled_ids_of("b")) == 20)
        assert recorder.handled_ids_of("a") == []
        gate.set()
        await recorder.until_handled(40)

    async def test_counts_tell_what_was_received_and_what_remains(
        self, scene: Scene, transport: Transport, gate: asyncio.Event
    ) -> None:
        recorder = scene.recorder(held_by(gate))
        consumption = await scene.consume(scene.unordered_subscription(), recorder)
        await transport.publish(scene.tasks, numbered(5))
        await recorder.until(lambda: recorder.in_handler == 5)
        before = consumption.counts
        gate.set()
        await recorder.until_handled(5)
        await consumption.stop(scene.harness.settle_timeout)
        assert (before.received, before.remaining) == (5, 5)
        assert (consumption.counts.received, consumption.counts.remaining) == (5, 0)
