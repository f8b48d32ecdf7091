"""Messages in their envelopes: what is published is what is received, under the right key."""

from typing import get_args

import attrs
import pytest

from infinitic_common.failures import ExceptionDetail, TaskFailure, WorkflowCanceledError
from infinitic_common.messages import Message, from_received, to_outgoing, topic_of
from infinitic_common.requesters import ClientRequester
from infinitic_common.transport import ReceivedMessage, TopicKind

FAILURE = TaskFailure("worker", 0, 1, None, "trace", ExceptionDetail("ValueError", "wrong"))
ERROR = WorkflowCanceledError("Flow", "w", "run", "m")
NO_TEXTS: dict[str, object] = {
    "arguments": (b"\x01", b"\x02"),
    "tags": frozenset({"bar", "foo"}),
    "meta": {"foo": b"bar"},
    "requester": ClientRequester("client"),
    "client_waiting": True,
    "emitted_at": 1_700_000_000_000,
    "value": b"\x01",
    "value_types": ("Child", "Parent"),
    "position": 3,
    "failure": FAILURE,
    "last_failure": FAILURE,
    "deferred_error": ERROR,
    "error": ERROR,
    "result": b"\x01",
    "task": b"\x01",
    "retry_sequence": 1,
    "retry_index": 2,
    "answer": b"\x01",
    "workflow_ids": ("a", "b"),
    "task_ids": ("a", "b"),
}
KEYS = {
    TopicKind.WORKFLOW_STATE_CMD: "the workflow_id",
    TopicKind.WORKFLOW_STATE_ENGINE: "the workflow_id",
    TopicKind.WORKFLOW_EXECUTOR: "the workflow_id",
    TopicKind.WORKFLOW_TAG_ENGINE: "the tag",
    TopicKind.SERVICE_TAG_ENGINE: "the tag",
    TopicKind.SERVICE_EXECUTOR: None,
    TopicKind.CLIENT_RESPONSE: None,
}
CLASSES: tuple[type, ...] = get_args(Message)


def filled(cls: type) -> Message:
    """A message whose texts say what they are."""
    names = [field.name for field in attrs.fields(cls)]
    message: Message = cls(*(NO_TEXTS.get(name, f"the {name}") for name in names))
    return message


@pytest.mark.parametrize("cls", CLASSES)
def test_serde_16_a_message_is_received_as_it_was_published(cls: type) -> None:
    message = filled(cls)
    sent = to_outgoing(message)
    received = ReceivedMessage(
        id=sent.id,
        topic=topic_of(message),
        body=sent.body,
        key=sent.key,
        properties=sent.properties,
        delivery_count=1,
        published_at=0,
    )
    assert from_received(received) == message


@pytest.mark.parametrize("cls", CLASSES)
def test_serde_18_the_key_is_what_must_stay_in_order(cls: type) -> None:
    message = filled(cls)
    key = "the task_id" if "DelegatedTask" in cls.__name__ else KEYS[topic_of(message).kind]
    assert to_outgoing(message).key == key
