# ruff: noqa: PLR2004, S101 -- a test's name says what it shows
"""Messages that fail: tried again, counted, dead-lettered, or waited for."""

from collections.abc import Sequence

import attrs
import pytest

from infinitic_common.exceptions import StorageUnavailable, Unavailable
from infinitic_common.testing._transport.harness import Scene, TransportSuite, numbered
from infinitic_common.testing._transport.recorder import React
from infinitic_common.transport import OutgoingMessage, ReceivedMessage, Subscription, Transport

POISON = OutgoingMessage("poison", b"poison", "sick", {"workflow": "W"})


async def refuse_poison(batch: Sequence[ReceivedMessage]) -> list[ReceivedMessage]:
    """Give back what is poison, and handle the rest."""
    return [message for message in batch if message.id == POISON.id]


async def fail_at_poison(batch: Sequence[ReceivedMessage]) -> tuple[()]:
    """Raise when any message is poison."""
    if any(message.id == POISON.id for message in batch):
        msg = "cannot swallow this"
        raise ValueError(msg)
    return ()


class Hook:
    """A dead-letter hook that remembers, and fails as often as told."""

    def __init__(self, failures: int = 0) -> None:
        self.told: list[tuple[str, str]] = []
        self._failures = failures

    async def __call__(self, message: ReceivedMessage, reason: str) -> None:
        """Remember, then fail or not."""
        self.told.append((message.id, reason))
        if len(self.told) <= self._failures:
            msg = "nobody to report to now"
            raise RuntimeError(msg)


class FailuresSuite(TransportSuite):
    """One message's failure is its own; what is unavailable is waited for."""

    @pytest.fixture(params=[False, True], ids=["unordered", "ordered"])
    def subscription(self, request: pytest.FixtureRequest, scene: Scene) -> Subscription:
        """Both kinds."""
        if request.param:
            return scene.ordered_subscription()
        return scene.unordered_subscription()

    async def test_a_message_given_back_comes_again_with_a_growing_count(
        self, scene: Scene, transport: Transport, subscription: Subscription
    ) -> None:
        async def refuse_twice(batch: Sequence[ReceivedMessage]) -> list[ReceivedMessage]:
            return [message for message in batch if message.delivery_count < 3]

        recorder = scene.recorder(refuse_twice)
        await scene.consume(attrs.evolve(subscription, max_delivery_count=5), recorder)
        await transport.publish(subscription.topics[0], numbered(1, "a"))
        await recorder.until_handled(1)
        assert recorder.counts_of("a-0") == [1, 2, 3]
        assert {message.body for message in recorder.deliveries} == {b"body 0"}

    async def test_consume_04_only_the_messages_given_back_come_again(
        self, scene: Scene, transport: Transport
    ) -> None:
        async def refuse_odd_once(batch: Sequence[ReceivedMessage]) -> list[ReceivedMessage]:
            return [m for m in batch if m.delivery_count == 1 and m.body[-1] % 2]

        recorder = scene.recorder(refuse_odd_once)
        await scene.consume(scene.unordered_subscription(), recorder)
        await transport.publish(scene.tasks, numbered(10))
        await recorder.until_handled(10)
        even, odd = ("m0", "m2", "m4", "m6", "m8"), ("m1", "m3", "m5", "m7", "m9")
        assert [recorder.counts_of(id_) for id_ in even] == [[1]] * 5
        assert [recorder.counts_of(id_) for id_ in odd] == [[1, 2]] * 5

    async def test_consume_05_a_batch_that_raises_comes_again_one_by_one(
        self, scene: Scene, transport: Transport, subscription: Subscription
    ) -> None:
        recorder = scene.recorder(fail_at_poison)
        await scene.consume(subscription, recorder)
        messages = [*numbered(2, "a"), POISON, *numbered(2, "b"), *numbered(2, "sick")]
        await transport.publish(subscription.topics[0], messages)
        await recorder.until_handled(6)
        await scene.until_dead(subscription, 1)
        assert {len(batch) for batch in recorder.batches if batch[0].delivery_count > 1} == {1}
        assert recorder.counts_of("poison") == [1, 2, 3]
        assert sorted(recorder.handled_ids) == [
            *("a-0", "a-1"),
            *("b-0", "b-1"),
            *("sick-0", "sick-1"),
        ]

    @pytest.mark.parametrize("react", [refuse_poison, fail_at_poison], ids=["answer", "raise"])
    async def test_consume_05_a_message_that_fails_too_often_is_dead_lettered_alone(
        self, scene: Scene, transport: Transport, subscription: Subscription, react: React
    ) -> None:
        hook = Hook()
        subscription = attrs.evolve(subscription, on_dead_letter=hook)
        recorder = scene.recorder(react)
        await scene.consume(subscription, recorder)
        topic = subscription.topics[0]
        await transport.publish(topic, [POISON, *numbered(3, "sick"), *numbered(3, "well")])
        await recorder.until_handled(6)
        (dead,) = await scene.until_dead(subscription, 1)
        assert (dead.id, dead.body, dead.key) == (POISON.id, POISON.body, POISON.key)
        assert dict(dead.properties)["workflow"] == "W"
        assert [id_ for id_, _ in hook.told] == ["poison"]
        assert recorder.counts_of("poison") == [1, 2, 3]
        # What follows a message given back comes again with it, so it may be handled twice.
        assert list(dict.fromkeys(recorder.handled_ids_of("sick"))) == [
            m.id for m in numbered(3, "sick")
        ]

    async def test_the_hook_is_told_why_before_the_move(
        self, scene: Scene, transport: Transport, subscription: Subscription
    ) -> None:
        moved_before: list[int] = []
        reasons: list[str] = []

        async def hook(_: ReceivedMessage, reason: str) -> None:
            reasons.append(reason)
            moved_before.append(len(await scene.harness.dead_letters(subscription)))

        subscription = attrs.evolve(subscription, on_dead_letter=hook, max_delivery_count=1)
        await scene.consume(subscription, scene.recorder(fail_at_poison))
        await transport.publish(subscription.topics[0], [POISON])
        await scene.until_dead(subscription, 1)
        assert moved_before == [0]
        assert "cannot swallow this" in reasons[0]

    async def test_a_message_whose_hook_raises_is_tried_again_later(
        self, scene: Scene, transport: Transport, subscription: Subscription
    ) -> None:
        hook = Hook(failures=1)
        subscription = attrs.evolve(subscription, on_dead_letter=hook, max_delivery_count=1)
        recorder = scene.recorder(fail_at_poison)
        await scene.consume(subscription, recorder)
        await transport.publish(subscription.topics[0], [POISON])
        dead = await scene.until_dead(subscription, 1)
        assert len(dead) == 1
        assert [id_ for id_, _ in hook.told] == ["poison", "poison"]
        assert recorder.counts_of("poison") == [1, 2]

    async def test_a_message_that_was_never_alone_when_it_failed_is_not_dead_lettered(
        self, scene: Scene, transport: Transport, subscription: Subscription
    ) -> None:
        recorder = scene.recorder(fail_at_poison)
        subscription = attrs.evolve(subscription, max_delivery_count=1)
        await scene.consume(subscription, recorder)
        messages = [*numbered(2, "a"), POISON, *numbered(2, "b")]
        await transport.publish(subscription.topics[0], messages)
        await recorder.until_handled(4)
        assert [dead.id for dead in await scene.until_dead(subscription, 1)] == ["poison"]

    async def test_what_is_unavailable_pauses_the_subscription_and_counts_nothing(
        self, scene: Scene, transport: Transport, subscription: Subscription
    ) -> None:
        rounds = 4

        async def come_back_later(_: Sequence[ReceivedMessage]) -> tuple[()]:
            if len(recorder.batches) <= rounds:
                msg = "not now"
                raise StorageUnavailable(msg)
            return ()

        recorder = scene.recorder(come_back_later)
        hook = Hook()
        subscription = attrs.evolve(subscription, max_delivery_count=1, on_dead_letter=hook)
        await scene.consume(subscription, recorder)
        topic = subscription.topics[0]
        await transport.publish(topic, numbered(2, "a"))
        await recorder.until(lambda: len(recorder.batches) >= 2)
        await transport.publish(topic, numbered(2, "b"))
        await recorder.until_handled(4)
        assert {message.delivery_count for message in recorder.deliveries} == {1}
        first = [message.id for message in recorder.batches[0]]
        tries = [[message.id for message in batch] for batch in recorder.batches[: rounds + 1]]
        assert tries == [first] * (rounds + 1)
        assert hook.told == []
        assert list(await scene.harness.dead_letters(subscription)) == []

    async def test_batches_that_find_something_unavailable_together_all_go_on(
        self, scene: Scene, transport: Transport, subscription: Subscription
    ) -> None:
        async def wait_for_company(_: Sequence[ReceivedMessage]) -> tuple[()]:
            if recorder.most_batches < 3 or len(recorder.batches) < 6:
                await recorder.until(lambda: recorder.most_batches >= 3)
                msg = "not now"
                raise Unavailable(msg)
            return ()

        recorder = scene.recorder(wait_for_company)
        subscription = attrs.evolve(subscription, max_delivery_count=1, max_batch_messages=1)
        await scene.consume(subscription, recorder)
        messages = [m for index in range(9) for m in numbered(1, f"key{index}")]
        await transport.publish(subscription.topics[0], messages)
        await recorder.until_handled(9)
        assert {message.delivery_count for message in recorder.deliveries} == {1}
