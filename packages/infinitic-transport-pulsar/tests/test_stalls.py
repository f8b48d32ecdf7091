import asyncio
from collections.abc import Sequence
from typing import TYPE_CHECKING

import pytest

from infinitic_common._consumption import BackOff
from infinitic_common.testing.transport import Scene, numbered
from infinitic_common.transport import Counts, ReceivedMessage, Topic, TopicKind
from infinitic_transport_pulsar._names import main_subscription
from infinitic_transport_pulsar._receiving import Receipt
from infinitic_transport_pulsar._stalls import until_held_back

if TYPE_CHECKING:
    from conftest import PulsarHarness

COMMANDS = Topic(TopicKind.WORKFLOW_STATE_CMD, "Order")
ENGINE = Topic(TopicKind.WORKFLOW_STATE_ENGINE, "Order")


class Subscribed:
    """A consumption, and what the administration answers about it, one look after the other."""

    def __init__(self, *answers: set[Topic], busy: tuple[int, ...] = ()) -> None:
        self.looks = 0
        self._answers = answers
        self._busy = busy
        self._received = 0

    def counts(self) -> Counts:
        return Counts(self._received, 0)

    async def look(self) -> frozenset[Topic]:
        self.looks += 1
        if self.looks in self._busy:
            self._received += 1
        return frozenset(self._answers[self.looks - 1])

    async def until_held_back(self) -> frozenset[Topic]:
        async with asyncio.timeout(30):
            return await until_held_back(self.counts, self.look, BackOff(0.001, 0.001), 0.001)


async def test_what_waits_in_two_looks_is_held_back() -> None:
    subscribed = Subscribed({ENGINE}, {COMMANDS, ENGINE})
    assert await subscribed.until_held_back() == {ENGINE}


async def test_what_waits_in_one_look_was_under_way() -> None:
    subscribed = Subscribed({ENGINE}, set(), {COMMANDS}, {ENGINE}, set(), {ENGINE}, {ENGINE})
    assert await subscribed.until_held_back() == {ENGINE}
    assert subscribed.looks == 7


async def test_nothing_is_held_back_from_who_receives_meanwhile() -> None:
    subscribed = Subscribed({ENGINE}, {ENGINE}, {ENGINE}, {ENGINE}, busy=(1,))
    assert await subscribed.until_held_back() == {ENGINE}
    assert subscribed.looks == 4  # the first two were in vain, since a message came


async def test_while_a_message_is_handled_nobody_looks() -> None:
    remaining = [1, 1, 1, 1, 0]
    looked_at: list[int] = []

    def counts() -> Counts:
        return Counts(1, remaining.pop(0) if len(remaining) > 1 else remaining[0])

    async def look() -> frozenset[Topic]:
        looked_at.append(remaining[0])
        return frozenset({ENGINE})

    async with asyncio.timeout(30):
        await until_held_back(counts, look, BackOff(0.001, 0.001), 0.001)
    assert looked_at == [0, 0]


async def test_what_the_broker_does_not_deliver_by_itself_is_fetched(
    scene: Scene,
    pulsar_harness: "PulsarHarness",
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    # A broker that holds a message back cannot be had at will. One whose acknowledgement was lost
    # is like it: it waits, and does not come by itself.
    acknowledge, forgotten = Receipt.acknowledge, set[Receipt]()

    def forget_the_first(receipt: Receipt) -> None:
        if not forgotten or receipt in forgotten:
            forgotten.add(receipt)
        else:
            acknowledge(receipt)

    monkeypatch.setattr(Receipt, "acknowledge", forget_the_first)
    recorder = scene.recorder()
    await scene.consume(scene.ordered_subscription(), recorder)
    publisher = await pulsar_harness.open()
    await publisher.publish(scene.engine, numbered(1, "key"))
    await recorder.until(lambda: recorder.delivered_ids == ["key-0", "key-0"])
    assert f"the broker holds back messages of {scene.engine}" in caplog.text
    await publisher.publish(scene.commands, numbered(1, "other"))
    await recorder.until(lambda: "other-0" in recorder.handled_ids)


async def test_what_waits_for_other_processes_does_not_count(
    scene: Scene, pulsar_harness: "PulsarHarness"
) -> None:
    gate = asyncio.Event()

    async def wait(_: Sequence[ReceivedMessage]) -> tuple[()]:
        await gate.wait()
        return ()

    reading, other = await pulsar_harness.open(), await pulsar_harness.open()
    recorder = scene.recorder(wait)
    await scene.consume(scene.ordered_subscription(), recorder, reading)
    await other.publish(scene.engine, numbered(1, "key"))
    await recorder.until(lambda: recorder.in_handler)
    provisioning, name = other._connected().provisioning, main_subscription(scene.engine.kind)
    consumer = reading._connected().consumer
    assert await provisioning.waits_for(scene.engine, name, consumer)
    assert not await provisioning.waits_for(scene.engine, name, other._connected().consumer)
    assert not await provisioning.waits_for(scene.engine, f"another {name}", consumer)
    assert not await provisioning.waits_for(scene.commands, name, consumer)
    gate.set()
