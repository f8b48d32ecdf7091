# ruff: noqa: PLR2004, S101 -- a test's name says what it shows
"""Order by key."""

import asyncio
from collections.abc import Sequence

import attrs

from infinitic_common.testing._transport.harness import (
    Scene,
    TransportHarness,
    TransportSuite,
    numbered,
)
from infinitic_common.transport import ReceivedMessage, Transport

KEYS = ("a", "b", "c", "d", "e")


async def work_a_little(_: Sequence[ReceivedMessage]) -> tuple[()]:
    """Keep the batch in the handler long enough for another to overlap, if it could."""
    await asyncio.sleep(0.002)
    return ()


class OrderSuite(TransportSuite):
    """On ordered topics the messages of a key come one after the other."""

    async def test_consume_08_messages_of_a_key_come_in_order(
        self, scene: Scene, transport: Transport
    ) -> None:
        recorder = scene.recorder(work_a_little)
        await scene.consume(scene.ordered_subscription(), recorder)
        by_key = {key: numbered(40, key) for key in KEYS}
        for first in range(0, 40, 10):
            some = [m for key in KEYS for m in by_key[key][first : first + 10]]
            await transport.publish(scene.commands, some)
        await recorder.until_handled(200)
        for key in KEYS:
            assert recorder.handled_ids_of(key) == [message.id for message in by_key[key]]

    async def test_consume_08_a_key_is_in_one_batch_at_a_time_over_both_topics(
        self, scene: Scene, transport: Transport
    ) -> None:
        recorder = scene.recorder(work_a_little)
        subscription = attrs.evolve(scene.ordered_subscription(), max_batch_messages=3)
        await scene.consume(subscription, recorder)
        for round_ in range(10):
            for topic in (scene.commands, scene.engine):
                messages = [
                    attrs.evolve(m, id=f"{topic.kind}-{m.id}")
                    for key in KEYS
                    for m in numbered(2, key, first=2 * round_)
                ]
                await transport.publish(topic, messages)
        await recorder.until_handled(200)
        assert recorder.shared_keys == set()
        assert recorder.most_batches > 1

    async def test_later_messages_of_a_key_wait_for_one_given_back_while_other_keys_go_on(
        self, scene: Scene, transport: Transport
    ) -> None:
        async def refuse_until_b_is_handled(
            batch: Sequence[ReceivedMessage],
        ) -> list[ReceivedMessage]:
            waits = len(recorder.handled_ids_of("b")) < 5
            return [m for m in batch if waits and m.id == "a-1"]

        recorder = scene.recorder(refuse_until_b_is_handled)
        subscription = attrs.evolve(
            scene.ordered_subscription(), max_batch_messages=2, max_delivery_count=1000
        )
        await scene.consume(subscription, recorder)
        await transport.publish(scene.commands, numbered(5, "a"))
        await recorder.until(lambda: len(recorder.counts_of("a-1")) >= 2)
        handled_of_a = recorder.handled_ids_of("a")
        await transport.publish(scene.commands, numbered(5, "b"))
        await recorder.until_handled(10)
        assert "a-4" not in handled_of_a
        assert recorder.counts_of("a-1")[0] == 1
        in_order = [message.id for message in numbered(5, "a")]
        at_first = [id_ for id_ in recorder.delivered_ids if id_.startswith("a")]
        # Whatever came together with the refused one comes again after it, so the last
        # occurrences tell the order in which the messages were done with.
        assert list(dict.fromkeys(reversed(at_first))) == list(reversed(in_order))

    async def test_order_holds_when_a_whole_batch_fails(
        self, scene: Scene, transport: Transport
    ) -> None:
        async def fail_the_first_time(batch: Sequence[ReceivedMessage]) -> tuple[()]:
            if any(m.delivery_count == 1 and m.id == "a-2" for m in batch):
                msg = "first time"
                raise RuntimeError(msg)
            return ()

        recorder = scene.recorder(fail_the_first_time)
        await scene.consume(scene.ordered_subscription(), recorder)
        await transport.publish(scene.commands, [*numbered(6, "a"), *numbered(6, "b")])
        await recorder.until_handled(12)
        for key in ("a", "b"):
            assert recorder.handled_ids_of(key) == [m.id for m in numbered(6, key)]

    async def test_consume_08_processes_of_one_name_never_have_the_same_key_at_once(
        self, scene: Scene, transport: Transport, harness: TransportHarness
    ) -> None:
        recorder = scene.recorder(work_a_little)
        subscription = attrs.evolve(scene.ordered_subscription(), max_batch_messages=4)
        for _ in range(3):
            await scene.consume(subscription, recorder, await harness.open())
        keys = [f"key{index}" for index in range(30)]
        for first in range(0, 10, 2):
            await transport.publish(
                scene.engine, [m for key in keys for m in numbered(2, key, first=first)]
            )
        await recorder.until_handled(300)
        assert recorder.shared_keys == set()
        for key in keys:
            assert recorder.handled_ids_of(key) == [m.id for m in numbered(10, key)]
