import attrs

from infinitic_common.codec import decode
from infinitic_common.messages import ExecuteTask, from_received, to_outgoing
from infinitic_common.requesters import ClientRequester
from infinitic_common.telemetry import NO_TELEMETRY, NO_WATCH, telemetry_of, watched_decoder
from infinitic_common.transport import ReceivedMessage, Topic, TopicKind

TASK = ExecuteTask("m", "Payments", "t", "charge", (), frozenset(), {}, ClientRequester("c"))


@attrs.frozen
class Host:
    telemetry: object


def received() -> ReceivedMessage:
    sent = to_outgoing(TASK)
    topic = Topic(TopicKind.SERVICE_EXECUTOR, "Payments")
    return ReceivedMessage(sent.id, topic, sent.body, None, {}, 1, 0)


def test_a_host_that_is_not_watched_has_a_telemetry_that_does_nothing() -> None:
    telemetry = telemetry_of(object())
    watch = telemetry.attempt(TASK)
    watch.enter()
    watch.ended("completed")
    assert telemetry is NO_TELEMETRY
    assert watch is NO_WATCH
    assert not telemetry.is_on


def test_a_watched_host_names_whom_to_tell() -> None:
    assert telemetry_of(Host(NO_TELEMETRY)) is NO_TELEMETRY


def test_decoding_can_be_watched() -> None:
    seen: list[ReceivedMessage] = []

    def watched(message: ReceivedMessage) -> object:
        seen.append(message)
        return decode(message.body)

    token = watched_decoder.set(watched)
    message = received()
    assert from_received(message) == TASK
    watched_decoder.reset(token)
    assert from_received(message) == TASK
    assert seen == [message]
