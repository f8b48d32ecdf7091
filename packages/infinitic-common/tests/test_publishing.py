"""Messages to many topics."""

from collections.abc import Iterator

import pytest

from infinitic_common.exceptions import TransportUnavailable
from infinitic_common.messages import AddTagToWorkflow, RemoveTagFromTask
from infinitic_common.publishing import publish_all
from infinitic_common.testing.tag_engine import TagEngineHost


def tag(number: int, tag: str = "foo") -> AddTagToWorkflow:
    return AddTagToWorkflow(f"{number}", "Name", f"{number}", tag)


async def test_each_topic_is_published_once_in_order() -> None:
    host = TagEngineHost()
    other = RemoveTagFromTask("other", "Service", "id", "foo")
    await publish_all(host.transport, [tag(1), other, tag(2)])
    assert host.topics == ["workflow-tag-engine:Name", "service-tag-engine:Service"]
    assert host.messages == [tag(1), tag(2), other]


async def test_nothing_is_no_call() -> None:
    host = TagEngineHost()
    await publish_all(host.transport, [])
    assert host.lines == []


async def test_many_messages_go_in_bursts_and_keep_their_order() -> None:
    host = TagEngineHost()
    await publish_all(host.transport, (tag(number) for number in range(1200)))
    assert [len(burst) for _, burst in host.transport.published] == [500, 500, 200]
    assert host.messages == [tag(number) for number in range(1200)]


async def test_large_messages_are_made_when_their_burst_is_due() -> None:
    host, made = TagEngineHost(), list[int]()

    def large() -> Iterator[AddTagToWorkflow]:
        for number in range(4):
            made.append(number)
            yield tag(number, "x" * 5_000_000)

    host.journal.failures["publish"] = TransportUnavailable("away")
    with pytest.raises(TransportUnavailable):
        await publish_all(host.transport, large())
    assert made == [0, 1]
