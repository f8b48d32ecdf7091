"""Workflow tasks that come as messages, from engines in other processes."""

import asyncio
import logging
import time
from collections.abc import Sequence
from functools import lru_cache

import attrs

from infinitic_common.codec import decode, encode
from infinitic_common.exceptions import PayloadTooLarge, UndecodableMessage
from infinitic_common.history import Entry
from infinitic_common.ids import derived_id
from infinitic_common.messages import (
    ExecuteWorkflowTask,
    WorkflowTaskCompleted,
    from_received,
    to_outgoing,
)
from infinitic_common.transport import (
    OutgoingMessage,
    ReceivedMessage,
    Topic,
    TopicKind,
    Transport,
)
from infinitic_common.workflow_tasks import RemoteWorkflowTask, WorkflowTask, WorkflowTaskResult
from infinitic_task_executor._workflow.execution import Execution
from infinitic_task_executor._workflow.runner import WorkflowTaskRunner
from infinitic_task_executor._workflow.telling import Telling

_LONG = 64 * 1024
"""Bytes of history beyond which the event loop does not read it."""

_SHORT = 1024
"""Bytes of an entry up to which it is remembered."""

_LOGGER = logging.getLogger("infinitic.workflow_executor")


@attrs.frozen
class _Asked:
    message: ExecuteWorkflowTask
    task: WorkflowTask


class RemoteTasks:
    """Runs the tasks of messages and publishes their results."""

    def __init__(
        self,
        workflow_name: str,
        transport: Transport,
        runner: WorkflowTaskRunner,
        execution: Execution,
        telling: Telling | None = None,
    ) -> None:
        """Answer to the engine of a workflow."""
        self._topic = Topic(TopicKind.WORKFLOW_STATE_ENGINE, workflow_name)
        self._transport = transport
        self._runner = runner
        self._execution = execution
        self._telling = telling

    async def handle(self, messages: Sequence[ReceivedMessage]) -> Sequence[ReceivedMessage]:
        """Run the tasks of a batch; gives back what cannot be read."""
        if sum(len(message.body) for message in messages) > _LONG:
            asked, unreadable = await asyncio.to_thread(_read_all, messages)
        else:
            asked, unreadable = _read_all(messages)
        told, began = [(one.message, one.task) for one in asked], time.perf_counter()
        started = None if self._telling is None else self._telling.started(told)
        results = await self._runner.run([one.task for one in asked], keep=False)
        answers = [self._answer(one, result) for one, result in zip(asked, results, strict=True)]
        ended = None if self._telling is None else self._telling.ended(told, results, began)
        if answers:
            await self._transport.publish(self._topic, answers)
        if self._telling is not None:
            await self._telling.finish(started, ended)
        return unreadable

    async def bury(self, message: ReceivedMessage, reason: str) -> None:
        """Tell the engine of a task that moves to the dead letters.

        One that cannot be read does not tell its id: the engine sends it again at its deadline.
        """
        try:
            asked = _read(message)
        except UndecodableMessage:
            return
        error = RuntimeError(f"workflow task {asked.task.task_id} cannot be run: {reason}")
        result = self._execution.failed(asked.task, error, None)
        await self._transport.publish(self._topic, [self._answer(asked, result)])

    def _answer(self, asked: _Asked, result: WorkflowTaskResult) -> OutgoingMessage:
        outgoing = self._message(asked, result)
        limit = self._transport.max_message_bytes
        if len(outgoing.body) <= limit:
            return outgoing
        msg = (
            f"what {asked.task.workflow_name}.{asked.task.method_name} asked for in one go takes "
            f"{len(outgoing.body)} bytes, more than the {limit} of the broker: pass references to "
            "large values instead of the values"
        )
        failed = self._execution.failed(asked.task, PayloadTooLarge(msg), result.workflow_version)
        return self._message(asked, failed)

    def _message(self, asked: _Asked, result: WorkflowTaskResult) -> OutgoingMessage:
        message = asked.message
        return to_outgoing(
            WorkflowTaskCompleted(
                message_id=derived_id("result", message.message_id, message.retry_index),
                workflow_name=message.workflow_name,
                workflow_id=message.workflow_id,
                method_id=message.method_id,
                workflow_task_id=message.workflow_task_id,
                result=encode(result),
                emitted_at=self._transport.now(),
            )
        )


def _read_all(
    messages: Sequence[ReceivedMessage],
) -> tuple[list[_Asked], list[ReceivedMessage]]:
    """The tasks, and the messages that cannot be read."""
    asked: list[_Asked] = []
    unreadable: list[ReceivedMessage] = []
    for message in messages:
        try:
            asked.append(_read(message))
        except UndecodableMessage:
            _LOGGER.exception("a workflow task cannot be read: %s", dict(message.properties))
            unreadable.append(message)
    return asked, unreadable


def _read(received: ReceivedMessage) -> _Asked:
    message = from_received(received)
    if not isinstance(message, ExecuteWorkflowTask):
        msg = f"{type(message).__name__} is no workflow task"
        raise UndecodableMessage(msg)
    remote = decode(message.task)
    if not isinstance(remote, RemoteWorkflowTask):
        msg = f"{type(remote).__name__} is no workflow task"
        raise UndecodableMessage(msg)
    return _Asked(message, _local(remote))


def _local(remote: RemoteWorkflowTask) -> WorkflowTask:
    history = [
        _known_entry(data) if len(data) <= _SHORT else _entry(data) for data in remote.history
    ]
    return WorkflowTask(
        task_id=remote.task_id,
        workflow_name=remote.workflow_name,
        workflow_id=remote.workflow_id,
        workflow_version=remote.workflow_version,
        tags=remote.tags,
        meta=remote.meta,
        method_id=remote.method_id,
        method_name=remote.method_name,
        arguments=remote.arguments,
        history=history,
        visible=len(history),
        state_version=remote.state_version,
        turn=0,
        retry_index=remote.retry_index,
    )


@lru_cache(maxsize=10_000)
def _known_entry(data: bytes) -> Entry:
    """An entry, which is a value: each task of a run has those of the tasks before, and a few new."""
    return _entry(data)


def _entry(data: bytes) -> Entry:
    entry = decode(data)
    if not isinstance(entry, Entry):
        msg = f"{type(entry).__name__} is no entry of a history"
        raise UndecodableMessage(msg)
    return entry
