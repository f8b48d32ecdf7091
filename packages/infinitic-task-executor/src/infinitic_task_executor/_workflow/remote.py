"""Workflow tasks that come as messages, from engines in other processes."""

import asyncio
import logging
import time
from collections.abc import Sequence

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
from infinitic_task_executor._workflow.live_runs import REMOTE
from infinitic_task_executor._workflow.remote_history import ContinuedHistory, Known, entry_of
from infinitic_task_executor._workflow.runner import WorkflowTaskRunner
from infinitic_task_executor._workflow.telling import Telling

_LONG = 64 * 1024
"""Bytes of history beyond which the event loop does not read it."""

_LOGGER = logging.getLogger("infinitic.workflow_executor")


@attrs.frozen
class _Asked:
    message: ExecuteWorkflowTask
    remote: RemoteWorkflowTask
    task: WorkflowTask
    known: Known | None


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
        self._underway: set[str] = set()

    async def handle(self, messages: Sequence[ReceivedMessage]) -> Sequence[ReceivedMessage]:
        """Run the tasks of a batch; gives back what cannot be read."""
        if sum(len(message.body) for message in messages) > _LONG:
            asked, unreadable = await asyncio.to_thread(self._read_all, messages)
        else:
            asked, unreadable = self._read_all(messages)
        told, began = [(one.message, one.task) for one in asked], time.perf_counter()
        started = None if self._telling is None else self._telling.started(told)
        results = await self._run(asked)
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
            asked = self._read(message)
        except UndecodableMessage:
            return
        error = RuntimeError(f"workflow task {asked.task.task_id} cannot be run: {reason}")
        result = self._execution.failed(asked.task, error, None)
        await self._transport.publish(self._topic, [self._answer(asked, result)])

    async def _run(self, asked: Sequence[_Asked]) -> Sequence[WorkflowTaskResult]:
        """Run the tasks; of several of one workflow only the first with the run that is kept."""
        first = self._first_places(asked)
        others = [place for place in range(len(asked)) if place not in first]
        kept = await self._run_on([asked[place] for place in first])
        rebuilt = await self._runner.run([asked[place].task for place in others], keep=False)
        results = dict(zip((*first, *others), (*kept, *rebuilt), strict=True))
        return [results[place] for place in range(len(asked))]

    def _first_places(self, asked: Sequence[_Asked]) -> list[int]:
        first: dict[str, int] = {}
        for place, one in enumerate(asked):
            if one.task.workflow_id not in self._underway:
                first.setdefault(one.task.workflow_id, place)
        return list(first.values())

    async def _run_on(self, asked: Sequence[_Asked]) -> Sequence[WorkflowTaskResult]:
        """Run tasks of different workflows, each with the run that it continues, if any."""
        workflow_ids = {one.task.workflow_id for one in asked}
        self._underway |= workflow_ids
        try:
            for one in asked:
                remote = one.remote
                known = self._runner.known(remote.workflow_id, remote.method_id)
                if known is None or known is not one.known:
                    self._runner.drop(one.task)
            results = await self._runner.run([one.task for one in asked])
        finally:
            self._underway -= workflow_ids
        for one, result in zip(asked, results, strict=True):
            self._runner.note(Known(one.remote, result))
        return results

    def _read_all(
        self, messages: Sequence[ReceivedMessage]
    ) -> tuple[list[_Asked], list[ReceivedMessage]]:
        """The tasks, and the messages that cannot be read."""
        asked: list[_Asked] = []
        unreadable: list[ReceivedMessage] = []
        for message in messages:
            try:
                asked.append(self._read(message))
            except UndecodableMessage:
                _LOGGER.exception("a workflow task cannot be read: %s", dict(message.properties))
                unreadable.append(message)
        return asked, unreadable

    def _read(self, received: ReceivedMessage) -> _Asked:
        message = from_received(received)
        if not isinstance(message, ExecuteWorkflowTask):
            msg = f"{type(message).__name__} is no workflow task"
            raise UndecodableMessage(msg)
        remote = decode(message.task)
        if not isinstance(remote, RemoteWorkflowTask):
            msg = f"{type(remote).__name__} is no workflow task"
            raise UndecodableMessage(msg)
        known = self._runner.known(remote.workflow_id, remote.method_id)
        new = None if known is None else known.continued_by(remote)
        if new is None:
            history = [entry_of(data) for data in remote.history]
            return _Asked(message, remote, _local(remote, history), None)
        task = _local(remote, ContinuedHistory(remote.history, new))
        return _Asked(message, remote, task, known)

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


def _local(remote: RemoteWorkflowTask, history: Sequence[Entry]) -> WorkflowTask:
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
        turn=REMOTE,
        retry_index=remote.retry_index,
    )
