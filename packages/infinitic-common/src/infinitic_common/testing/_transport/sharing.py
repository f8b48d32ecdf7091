# ruff: noqa: PLR2004, S101 -- a test's name says what it shows
"""Several subscriptions, and several processes of one."""

import asyncio
from collections.abc import Sequence

import attrs

from infinitic_common.testing._transport.harness import (
    Scene,
    TransportHarness,
    TransportSuite,
    numbered,
)
from infinitic_common.transport import ReceivedMessage, Subscription, Topic, TopicKind, Transport


class SharingSuite(TransportSuite):
    """The name of a subscription decides who shares with whom."""

    async def test_subscriptions_of_different_names_each_get_all(
        self, scene: Scene, transport: Transport
    ) -> None:
        topic = Topic(TopicKind.WORKFLOW_STATE_EVENT, scene.entity)
        listeners = [scene.recorder(), scene.recorder()]
        await scene.consume(Subscription((topic,), "listener-a"), listeners[0])
        await scene.consume(Subscription((topic,), "listener-b"), listeners[1])
        await transport.publish(topic, numbered(20))
        for listener in listeners:
            await listener.until_handled(20)
            assert sorted(listener.delivered_ids) == sorted(m.id for m in numbered(20))

    async def test_processes_of_one_name_share_the_messages(
        self, scene: Scene, transport: Transport, harness: TransportHarness
    ) -> None:
        gate = asyncio.Event()

        async def hold(_: Sequence[ReceivedMessage]) -> tuple[()]:
            await gate.wait()
            return ()

        first, second = scene.recorder(hold), scene.recorder(hold)
        subscription = attrs.evolve(
            scene.unordered_subscription(), max_batch_messages=1, max_in_flight_messages=1
        )
        await scene.consume(subscription, first, await harness.open())
        await scene.consume(subscription, second, await harness.open())
        for message in numbered(20):
            await transport.publish(scene.tasks, [message])
        await first.until(lambda: first.batches)
        await second.until(lambda: second.batches)
        gate.set()
        await scene.until(lambda: len(first.handled) + len(second.handled) >= 20)
        ids = [*first.handled_ids, *second.handled_ids]
        assert sorted(ids) == sorted(m.id for m in numbered(20))
