from typing import TYPE_CHECKING

from infinitic_common.testing.transport import Scene, numbered

if TYPE_CHECKING:
    from conftest import PulsarHarness


async def test_a_topic_removed_by_hand_is_made_again_when_published_to(
    scene: Scene, pulsar_harness: "PulsarHarness"
) -> None:
    transport = await pulsar_harness.open()
    await transport.publish(scene.tasks, numbered(1))
    await pulsar_harness.remove(pulsar_harness.names.of(scene.tasks))
    fresh = await pulsar_harness.open()
    await fresh.publish(scene.tasks, numbered(1, first=1))
    recorder = scene.recorder()
    await scene.consume(scene.unordered_subscription(), recorder)
    await recorder.until_handled(1)
    assert recorder.delivered_ids == ["m1"]


async def test_a_topic_removed_before_it_is_first_consumed_is_made_again(
    scene: Scene, pulsar_harness: "PulsarHarness"
) -> None:
    transport, recorder = await pulsar_harness.open(), scene.recorder()
    first = await scene.consume(scene.unordered_subscription(), scene.recorder(), transport)
    await first.stop(1)
    await pulsar_harness.remove(pulsar_harness.names.of(scene.tasks))
    await scene.consume(scene.unordered_subscription(), recorder, transport)
    await transport.publish(scene.tasks, numbered(1))
    await recorder.until_handled(1)


async def test_consume_13_a_consumer_whose_topic_is_removed_receives_again(
    scene: Scene, pulsar_harness: "PulsarHarness"
) -> None:
    transport, recorder = await pulsar_harness.open(), scene.recorder()
    await scene.consume(scene.unordered_subscription(), recorder, transport)
    await transport.publish(scene.tasks, numbered(1))
    await recorder.until_handled(1)
    await pulsar_harness.remove(pulsar_harness.names.of(scene.tasks))
    publisher = await pulsar_harness.open()
    await publisher.publish(scene.tasks, numbered(1, first=1))
    await recorder.until_handled(2)
