from infinitic_common._consumption.delivery import Delivery
from infinitic_common._consumption.lanes import Lanes
from infinitic_common.transport import ReceivedMessage, Topic, TopicKind

TOPIC = Topic(TopicKind.WORKFLOW_STATE_CMD, "W")


def deliveries(*ids: str) -> list[Delivery[None]]:
    return [Delivery(ReceivedMessage(id_, TOPIC, b"", id_[0], {}, 1, 0), None) for id_ in ids]


def taken_ids(lanes: Lanes[None], limit: int) -> list[str]:
    batch = lanes.take(limit)
    return [delivery.message.id for delivery in batch.deliveries] if batch else []


def test_a_batch_takes_the_messages_of_a_key_together_and_in_order() -> None:
    lanes: Lanes[None] = Lanes(ordered=True)
    lanes.add(deliveries("a1", "b1", "a2"))
    assert taken_ids(lanes, 10) == ["a1", "a2", "b1"]


def test_a_batch_stops_at_its_limit_and_a_held_key_waits() -> None:
    lanes: Lanes[None] = Lanes(ordered=True)
    lanes.add(deliveries("a1", "a2", "a3", "b1"))
    assert taken_ids(lanes, 2) == ["a1", "a2"]
    lanes.add(deliveries("a4"))
    assert taken_ids(lanes, 10) == ["b1"]
    assert taken_ids(lanes, 10) == []


def test_a_freed_lane_goes_behind_those_that_were_ready() -> None:
    lanes: Lanes[None] = Lanes(ordered=True)
    lanes.add(deliveries("a1", "a2", "b1"))
    batch = lanes.take(1)
    assert batch is not None
    lanes.free(batch.lanes[0])
    assert taken_ids(lanes, 10) == ["b1", "a2"]


def test_only_messages_that_can_be_delivered_count_as_ready() -> None:
    lanes: Lanes[None] = Lanes(ordered=True)
    lanes.add(deliveries("a1", "a2", "b1"))
    before = lanes.ready_messages
    batch = lanes.take(1)
    assert batch is not None
    held = lanes.ready_messages
    lanes.free(batch.lanes[0])
    assert (before, held, lanes.ready_messages) == (3, 1, 2)


def test_a_message_that_must_be_alone_is_alone() -> None:
    lanes: Lanes[None] = Lanes(ordered=True)
    lanes.add(deliveries("a1", "a2", "b1"))
    batch = lanes.take(2)
    assert batch is not None
    batch.deliveries[0].alone = True
    batch.lanes[0].put_back(batch.deliveries)
    lanes.free(batch.lanes[0])
    lanes.add(deliveries("c1"))
    assert [taken_ids(lanes, 10) for _ in range(4)] == [["b1"], ["a1"], ["c1"], []]


def test_without_order_keys_do_not_matter() -> None:
    lanes: Lanes[None] = Lanes(ordered=False)
    lanes.add(deliveries("a1", "a2", "b1"))
    assert taken_ids(lanes, 1) == ["a1"]
    assert taken_ids(lanes, 10) == ["a2", "b1"]


def test_a_lane_that_is_done_with_is_forgotten() -> None:
    lanes: Lanes[None] = Lanes(ordered=True)
    lanes.add(deliveries("a1"))
    batch = lanes.take(1)
    assert batch is not None
    lanes.free(batch.lanes[0])
    lanes.add(deliveries("a2"))
    assert taken_ids(lanes, 10) == ["a2"]
