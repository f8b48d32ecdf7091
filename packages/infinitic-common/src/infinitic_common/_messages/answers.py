"""To clients (client-response)."""

from __future__ import annotations

import attrs

from infinitic_common.codec import record
from infinitic_common.failures import DeferredError


@record(160)
@attrs.frozen
class MethodCompleted:
    """The method run that a client waits for has a value."""

    message_id: str
    client_name: str
    workflow_id: str
    method_id: str
    value: bytes


@record(161)
@attrs.frozen
class MethodFailed:
    """The method run that a client waits for failed, was cancelled, or is unknown."""

    message_id: str
    client_name: str
    workflow_id: str
    method_id: str
    error: DeferredError


@record(162)
@attrs.frozen
class QueryAnswered:
    """The answer to a ``QueryWorkflow``: plain CBOR data, or None for an unknown workflow."""

    message_id: str
    client_name: str
    request_id: str
    answer: bytes | None


@record(163)
@attrs.frozen
class WorkflowIdsByTag:
    """The running workflows that have a tag; in several parts when one message cannot hold them.

    Attributes:
        part: Which part of the answer this is, from 0.
        parts: How many parts the answer has.
        question_id: Id of the message that asked: a question asked again is answered again, and
            only parts that name the same message belong together.
    """

    message_id: str
    client_name: str
    request_id: str
    workflow_ids: tuple[str, ...]
    part: int = 0
    parts: int = 1
    question_id: str = ""


@record(164)
@attrs.frozen
class TaskIdsByTag:
    """The running tasks that have a tag; in several parts when one message cannot hold them.

    Attributes:
        part: Which part of the answer this is, from 0.
        parts: How many parts the answer has.
        question_id: Id of the message that asked: a question asked again is answered again, and
            only parts that name the same message belong together.
    """

    message_id: str
    client_name: str
    request_id: str
    task_ids: tuple[str, ...]
    part: int = 0
    parts: int = 1
    question_id: str = ""


@record(165)
@attrs.frozen
class CustomIdClaimed:
    """Which instance has the custom id that a client asked for: its own, or one that ran before."""

    message_id: str
    client_name: str
    request_id: str
    workflow_id: str
