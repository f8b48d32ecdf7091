"""A cause that comes again tells the same: events with the same ids, and those told in vain."""

from collections import Counter, defaultdict
from collections.abc import Sequence

import pytest
from cloudevents.core.v1.event import CloudEvent
from harness.modes import Mode
from harness.unreliable import Twice

from events.hearing import LOCAL, REMOTE, Heard, shop, until
from events.programs import Orders, Stock
from infinitic_common.exceptions import TransportUnavailable
from infinitic_common.transport import OutgoingMessage, Topic, TopicKind, Transport
from infinitic_transport import InMemoryTransport
from infinitic_worker import EventListener

pytestmark = pytest.mark.timeout(60)

BY_TURNS = frozenset({"workflow.executorDispatched", "workflow.executorCompleted"})
"""How often code runs for the same messages depends on which of them come together."""


def _ids(events: list[CloudEvent]) -> dict[str, set[str]]:
    ids: defaultdict[str, set[str]] = defaultdict(set)
    for event in events:
        if event.get_type() not in BY_TURNS:
            ids[event.get_type()].add(event.get_id())
    return ids


async def _heard(transport: Transport, mode: Mode, method: str) -> dict[str, int]:
    """How many different events of each type there were of a workflow and its task."""
    heard = Heard()
    # A transport that delivers twice cannot say whom there is to listen to.
    listener = EventListener(heard, allow_services=[Stock], allow_workflows=[Orders])
    async with shop(mode, listeners=[listener], transport=transport) as running:
        client = running.client
        started = await client.dispatch(getattr(client.new_workflow(Orders), method), "pen")
        assert await started.result() == 3
        told = await heard.until_heard(started.id, "workflow.completed", "workflow.taskDispatched")
        data = told["workflow.taskDispatched"].get_data()
        assert isinstance(data, dict)
        task_id = data["taskDispatched"]["taskId"]
        await heard.until_heard(task_id, "task.completed")
        about = heard.about(started.id) + heard.about(task_id)
        return {kind: len(ids) for kind, ids in _ids(about).items()}


@pytest.mark.parametrize("mode", [LOCAL, REMOTE], ids=lambda mode: mode.name)
@pytest.mark.parametrize("method", ["later", "shaky"])
async def test_what_is_delivered_twice_is_told_with_the_same_ids(mode: Mode, method: str) -> None:
    once = await _heard(InMemoryTransport(), mode, method)
    twice = await _heard(Twice(InMemoryTransport()), mode, method)
    assert twice == once
    assert once["workflow.completed"] == 1


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


async def test_what_a_turn_could_not_tell_is_told_when_its_cause_comes_again() -> None:
    transport = Shaky()
    assert await _heard(transport, LOCAL, "later") == await _heard(
        InMemoryTransport(), LOCAL, "later"
    )
    assert transport.calls[TopicKind.SERVICE_EXECUTOR] > 1
    assert transport.calls[TopicKind.CLIENT_RESPONSE] > 1


async def test_a_command_sent_again_after_the_end_is_told_with_the_same_id() -> None:
    heard = Heard()
    transport = Twice(InMemoryTransport())
    listener = EventListener(heard, allow_services=[Stock], allow_workflows=[Orders])
    async with shop(listeners=[listener], transport=transport) as running:
        client = running.client
        started = await client.dispatch(client.new_workflow(Orders).order, "pen")
        await started.result()
        await until(lambda: _count(heard, started.id, "workflow.dispatch") > 1)
        await heard.until_heard(started.id, "workflow.completed")
        ids = _ids(heard.about(started.id))
        assert len(ids["workflow.dispatch"]) == 1
        assert len(ids["workflow.completed"]) == 1


def _count(heard: Heard, subject: str, kind: str) -> int:
    return sum(event.get_type() == kind for event in heard.about(subject))
