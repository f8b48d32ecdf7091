"""What a message that cannot be handled means for its workflow: its task has failed."""

from __future__ import annotations

from infinitic_common.failures import ExceptionDetail, TaskFailure
from infinitic_common.ids import derived_id
from infinitic_common.messages import TaskFailed, to_outgoing, topic_of
from infinitic_common.transport import ReceivedMessage, Transport


async def report(transport: Transport, worker_name: str, dead: ReceivedMessage, why: str) -> None:
    """Tell the workflow of a dead result, from the names beside its body, that its task failed."""
    message = _task_failed(dead, worker_name, why, transport.now())
    if message is not None and message.message_id != dead.id:
        await transport.publish(topic_of(message), [to_outgoing(message)])


def _task_failed(dead: ReceivedMessage, worker_name: str, why: str, now: int) -> TaskFailed | None:
    names = dead.properties
    if not {"workflow_name", "workflow_id", "method_id", "position", "task_id"} <= names.keys():
        return None
    text = f"the message with its result could not be read: {why}"
    detail = ExceptionDetail("infinitic_common.exceptions.UndecodableMessage", text)
    failure = TaskFailure(worker_name, 0, 0, None, text, detail)
    return TaskFailed(
        message_id=derived_id("dead", names["task_id"]),
        workflow_name=names["workflow_name"],
        workflow_id=names["workflow_id"],
        method_id=names["method_id"],
        position=int(names["position"]),
        task_id=names["task_id"],
        service_name=names.get("service_name", "unknown"),
        method_name="unknown",
        failure=failure,
        emitted_at=now,
    )
