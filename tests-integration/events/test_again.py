"""What is emitted again is told again, as the same events; what was told in vain is told at last."""

from collections import Counter
from collections.abc import Sequence

from events.listening import Scene, components, listened
from events.shop import Orders
from infinitic_common.exceptions import TransportUnavailable
from infinitic_common.transport import OutgoingMessage, Topic, TopicKind
from infinitic_transport import InMemoryTransport

BEST_EFFORT = {"workflow.executorDispatched", "workflow.executorCompleted"}
"""Told by the turn that ran the code alone, and not remembered."""


class Shaky(InMemoryTransport):
    """The broker goes away each second time that an engine sends a task or an answer.

    What the engine has written then is told to nobody until its cause comes again.
    """

    def __init__(self) -> None:
        super().__init__()
        self.calls = Counter[TopicKind]()

    async def publish(self, topic: Topic, messages: Sequence[OutgoingMessage]) -> None:
        self.calls[topic.kind] += 1
        sends = topic.kind in (TopicKind.SERVICE_EXECUTOR, TopicKind.CLIENT_RESPONSE)
        if sends and self.calls[topic.kind] % 2:
            msg = "simulated"
            raise TransportUnavailable(msg)
        await super().publish(topic, messages)


async def _types(scene: Scene) -> Counter[str]:
    client = scene.client
    deferred = await client.dispatch(client.new_workflow(Orders).order, "abc")
    assert await deferred == 6
    await scene.told.first("workflow.completed", deferred.id)
    await scene.told.first("workflow.methodCompleted", deferred.id)
    return Counter(
        event.get_type()
        for event in scene.told.events.values()
        if event.get_type() not in BEST_EFFORT and event.get_type().startswith("workflow")
    )


async def test_what_a_turn_could_not_tell_is_told_when_its_cause_comes_again() -> None:
    async with listened(components()) as calm:
        expected = await _types(calm)
    transport = Shaky()
    async with listened(components(), transport) as shaky:
        assert await _types(shaky) == expected
    assert transport.calls[TopicKind.CLIENT_RESPONSE] > 1
