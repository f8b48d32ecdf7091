# ruff: noqa: PLR2004, S101 -- a test's name says what it shows
"""Topics, what messages carry, delays, retention."""

import asyncio

import attrs
import pytest

from infinitic_common.exceptions import PayloadTooLarge
from infinitic_common.testing._transport.harness import (
    Scene,
    TransportHarness,
    TransportSuite,
    numbered,
)
from infinitic_common.transport import (
    OutgoingMessage,
    Subscription,
    Topic,
    TopicKind,
    Transport,
)

MANY = 300


class TopicsSuite(TransportSuite):
    """What is published arrives, as it was published, when it is due."""

    async def test_a_message_keeps_its_id_key_body_and_properties(
        self, scene: Scene, transport: Transport
    ) -> None:
        recorder = scene.recorder()
        await scene.consume(scene.ordered_subscription(), recorder)
        sent = OutgoingMessage("the-id", b"\x00\xffbody", "the-key", {"name": "värde", "id": "1"})
        before = transport.now()
        await transport.publish(scene.commands, [sent])
        await recorder.until_handled(1)
        (got,) = recorder.handled
        assert (got.id, got.body, got.key) == ("the-id", b"\x00\xffbody", "the-key")
        assert dict(got.properties) == {"name": "värde", "id": "1"}
        assert got.topic == scene.commands
        assert got.delivery_count == 1
        assert before - 1000 <= got.published_at <= transport.now() + 1000

    async def test_a_message_without_key_has_none(self, scene: Scene, transport: Transport) -> None:
        recorder = scene.recorder()
        await scene.consume(scene.unordered_subscription(), recorder)
        await transport.publish(scene.tasks, numbered(1))
        await recorder.until_handled(1)
        assert recorder.handled[0].key is None
        assert dict(recorder.handled[0].properties) == {}

    async def test_publishing_no_message_does_nothing(
        self, scene: Scene, transport: Transport
    ) -> None:
        await transport.publish(scene.tasks, [])

    async def test_many_messages_in_one_call_all_arrive(
        self, scene: Scene, transport: Transport
    ) -> None:
        recorder = scene.recorder()
        await scene.consume(scene.unordered_subscription(), recorder)
        await transport.publish(scene.tasks, numbered(500))
        await recorder.until_handled(500)
        assert sorted(recorder.handled_ids) == sorted(message.id for message in numbered(500))

    async def test_messages_published_before_the_first_subscription_are_kept(
        self, scene: Scene, transport: Transport
    ) -> None:
        await transport.publish(scene.tasks, numbered(3))
        recorder = scene.recorder()
        await scene.consume(scene.unordered_subscription(), recorder)
        await recorder.until_handled(3)

    async def test_topics_of_other_entities_and_kinds_are_not_read(
        self, scene: Scene, transport: Transport
    ) -> None:
        recorder = scene.recorder()
        await scene.consume(scene.unordered_subscription(), recorder)
        await transport.publish(scene.delayed, numbered(1, prefix="other-kind"))
        other = Topic(TopicKind.SERVICE_EXECUTOR, f"{scene.entity}Other")
        await transport.publish(other, numbered(1, prefix="other-entity"))
        await transport.publish(scene.tasks, numbered(1))
        await recorder.until_handled(1)
        assert recorder.delivered_ids == ["m0"]

    async def test_names_with_unusual_characters_are_topics(
        self, scene: Scene, transport: Transport
    ) -> None:
        topic = Topic(TopicKind.SERVICE_EXECUTOR, f"{scene.entity} é/ü?#%:+ñ")
        recorder = scene.recorder()
        await scene.consume(Subscription((topic,), "service"), recorder)
        await transport.publish(topic, numbered(1))
        await recorder.until_handled(1)
        assert recorder.handled[0].topic == topic

    async def test_a_delayed_message_waits_and_later_ones_overtake_it(
        self, scene: Scene, transport: Transport
    ) -> None:
        due = transport.now() + 700
        arrivals: list[int] = []

        async def note_arrival(_: object) -> tuple[()]:
            arrivals.append(transport.now())
            return ()

        recorder = scene.recorder(note_arrival)
        await scene.consume(Subscription((scene.delayed,), "service"), recorder)
        delayed = attrs.evolve(numbered(1, prefix="delayed")[0], deliver_at=due)
        await transport.publish(scene.delayed, [delayed, *numbered(1)])
        await recorder.until_handled(2)
        assert recorder.handled_ids == ["m0", "delayed0"]
        assert arrivals[-1] >= due

    async def test_messages_due_in_the_past_and_in_the_future_all_arrive_from_many_calls(
        self, scene: Scene, transport: Transport
    ) -> None:
        recorder = scene.recorder()
        await scene.consume(Subscription((scene.delayed,), "service"), recorder)
        now = transport.now()
        due = [now + 300 if number % 3 else now - 300 for number in range(MANY)]
        messages = numbered(MANY)
        await asyncio.gather(
            *(
                transport.publish(scene.delayed, [attrs.evolve(message, deliver_at=at)])
                for message, at in zip(messages, due, strict=True)
            )
        )
        await recorder.until_handled(MANY)
        assert sorted(recorder.handled_ids) == sorted(message.id for message in messages)

    async def test_a_message_due_in_the_past_arrives_at_once(
        self, scene: Scene, transport: Transport
    ) -> None:
        recorder = scene.recorder()
        await scene.consume(Subscription((scene.delayed,), "service"), recorder)
        past = attrs.evolve(numbered(1)[0], deliver_at=transport.now() - 60_000)
        await transport.publish(scene.delayed, [past])
        await recorder.until_handled(1)

    async def test_the_answer_to_a_client_that_is_gone_is_swallowed(
        self, scene: Scene, transport: Transport
    ) -> None:
        topic = Topic(TopicKind.CLIENT_RESPONSE, scene.entity)
        await transport.publish(topic, numbered(2))
        recorder = scene.recorder()
        subscription = Subscription((topic,), "client", durable=False)
        consumption = await scene.consume(subscription, recorder)
        await transport.publish(topic, numbered(1, first=2))
        await recorder.until_handled(1)
        await consumption.stop(1)
        await transport.publish(topic, numbered(1, first=3))
        assert recorder.delivered_ids == ["m2"]

    async def test_a_message_beyond_the_limit_is_refused_with_its_size(
        self, scene: Scene, transport: Transport
    ) -> None:
        limit = transport.max_message_bytes
        with pytest.raises(PayloadTooLarge, match=str(limit + 1)):
            await transport.publish(scene.tasks, [OutgoingMessage("m", bytes(limit + 1))])

    async def test_processes_have_different_names_unless_told(
        self, harness: TransportHarness
    ) -> None:
        first, second, told = await harness.open(), await harness.open(), await harness.open("me")
        assert len({first.name, second.name, told.name}) == 3
        assert told.name == "me"
