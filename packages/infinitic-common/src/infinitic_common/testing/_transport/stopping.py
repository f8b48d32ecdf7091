# ruff: noqa: PLR2004, S101 -- a test's name says what it shows
"""Stopping and closing."""

import asyncio
from collections.abc import Sequence

import attrs
import pytest

from infinitic_common.exceptions import InfrastructureError, Unavailable
from infinitic_common.testing._transport.harness import (
    Scene,
    TransportHarness,
    TransportSuite,
    held_by,
    numbered,
)
from infinitic_common.transport import ReceivedMessage, Subscription, Transport


class StoppingSuite(TransportSuite):
    """Nothing is lost when a consumer goes."""

    @pytest.fixture(params=[False, True], ids=["unordered", "ordered"])
    def narrow(self, request: pytest.FixtureRequest, scene: Scene) -> Subscription:
        """Both kinds, with two messages at most in the handler."""
        kind = scene.ordered_subscription() if request.param else scene.unordered_subscription()
        return attrs.evolve(
            kind, max_batch_messages=1, max_in_flight_messages=2, max_in_flight_batches=2
        )

    async def test_shutdown_02_what_is_in_the_handler_is_finished_and_the_rest_comes_to_others(
        self, scene: Scene, transport: Transport, narrow: Subscription
    ) -> None:
        gate = asyncio.Event()
        leaving = scene.recorder(held_by(gate))
        consumption = await scene.consume(narrow, leaving)
        messages = [m for index in range(10) for m in numbered(1, f"key{index}")]
        await transport.publish(narrow.topics[0], messages)
        await leaving.until(lambda: leaving.in_handler == 2)
        stopping = asyncio.create_task(consumption.stop(scene.harness.settle_timeout))
        await asyncio.sleep(0)
        gate.set()
        await stopping
        assert len(leaving.handled) == len(leaving.deliveries) == 2
        later = scene.recorder()
        await scene.consume(narrow, later)
        await later.until_handled(8)
        assert sorted(leaving.handled_ids + later.handled_ids) == sorted(m.id for m in messages)

    async def test_consume_01_what_outlasts_the_grace_comes_to_others_and_nothing_is_lost(
        self, scene: Scene, transport: Transport, narrow: Subscription
    ) -> None:
        leaving = scene.recorder(held_by(asyncio.Event()))
        consumption = await scene.consume(narrow, leaving)
        messages = [m for index in range(6) for m in numbered(2, f"key{index}")]
        await transport.publish(narrow.topics[0], messages)
        await leaving.until(lambda: leaving.in_handler == 2)
        async with asyncio.timeout(scene.harness.settle_timeout):
            await consumption.stop(0.05)
        assert (consumption.counts.received, consumption.counts.remaining) == (2, 2)
        later = scene.recorder()
        await scene.consume(narrow, later)
        await later.until_handled(12)
        assert set(later.handled_ids) == {m.id for m in messages}

    async def test_a_consumer_that_waits_for_something_unavailable_stops_without_loss(
        self, scene: Scene, transport: Transport, narrow: Subscription
    ) -> None:
        async def never(_: Sequence[ReceivedMessage]) -> tuple[()]:
            msg = "gone for good"
            raise Unavailable(msg)

        leaving = scene.recorder(never)
        consumption = await scene.consume(narrow, leaving)
        await transport.publish(narrow.topics[0], numbered(3, "a"))
        await leaving.until(lambda: len(leaving.batches) >= 2)
        async with asyncio.timeout(scene.harness.settle_timeout):
            await consumption.stop(3600)
        later = scene.recorder()
        await scene.consume(narrow, later)
        await later.until_handled(3)

    async def test_a_message_waiting_to_be_tried_again_survives_a_stop_in_order(
        self, scene: Scene, transport: Transport
    ) -> None:
        async def refuse(batch: Sequence[ReceivedMessage]) -> Sequence[ReceivedMessage]:
            return batch

        subscription = attrs.evolve(scene.ordered_subscription(), max_delivery_count=1000)
        leaving = scene.recorder(refuse)
        consumption = await scene.consume(subscription, leaving)
        await transport.publish(scene.commands, numbered(5, "a"))
        await leaving.until(lambda: len(leaving.batches) >= 2)
        await consumption.stop(scene.harness.settle_timeout)
        later = scene.recorder()
        await scene.consume(subscription, later)
        await later.until_handled(5)
        assert later.handled_ids == [m.id for m in numbered(5, "a")]

    async def test_shutdown_04_stopping_and_closing_twice_does_nothing(
        self, scene: Scene, harness: TransportHarness
    ) -> None:
        transport = await harness.open()
        consumption = await scene.consume(
            scene.unordered_subscription(), scene.recorder(), transport
        )
        await consumption.stop(1)
        await consumption.stop(1)
        await transport.close()
        await transport.close()
        await consumption.stop(1)

    async def test_consume_13_close_stops_what_is_consumed_at_once(
        self, scene: Scene, harness: TransportHarness, transport: Transport
    ) -> None:
        leaving_transport = await harness.open()
        leaving = scene.recorder(held_by(asyncio.Event()))
        await scene.consume(scene.unordered_subscription(), leaving, leaving_transport)
        await transport.publish(scene.tasks, numbered(3))
        await leaving.until(lambda: leaving.in_handler == 3)
        async with asyncio.timeout(scene.harness.settle_timeout):
            await leaving_transport.close()
        later = scene.recorder()
        await scene.consume(scene.unordered_subscription(), later)
        await later.until_handled(3)

    async def test_a_closed_transport_refuses_to_publish_and_to_consume(
        self, scene: Scene, harness: TransportHarness
    ) -> None:
        transport = await harness.open()
        await transport.close()
        with pytest.raises(InfrastructureError, match="closed"):
            await transport.publish(scene.tasks, numbered(1))
        with pytest.raises(InfrastructureError, match="closed"):
            await transport.consume(scene.unordered_subscription(), scene.recorder())
