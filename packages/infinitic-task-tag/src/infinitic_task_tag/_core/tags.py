"""What a batch of messages means for the tags of tasks."""

from collections.abc import Iterable, Iterator, Mapping, Sequence

import attrs

from infinitic_common.ids import derived_id
from infinitic_common.messages import (
    AddTagToTask,
    GetTaskIdsByTag,
    RemoveTagFromTask,
    TaskIdsByTag,
)
from infinitic_common.requesters import ClientRequester
from infinitic_common.tag_sets import SetChanges, answer_parts, set_key

TagMessage = AddTagToTask | RemoveTagFromTask | GetTaskIdsByTag


def changes_of(messages: Sequence[TagMessage]) -> SetChanges:
    """The changes of a batch, in the order of its messages."""
    changes = SetChanges()
    for message in messages:
        match message:
            case AddTagToTask():
                changes.add(key_of(message), message.task_id)
            case RemoveTagFromTask():
                changes.remove(key_of(message), message.task_id)
            case GetTaskIdsByTag():
                continue
    return changes


def questions_in(messages: Sequence[TagMessage]) -> list[GetTaskIdsByTag]:
    """The questions of a batch."""
    return [message for message in messages if isinstance(message, GetTaskIdsByTag)]


def answers(
    questions: Sequence[GetTaskIdsByTag], sets: Mapping[str, frozenset[str]], max_bytes: int
) -> Iterator[TaskIdsByTag]:
    """The answers to the clients that asked.

    Args:
        questions: What they asked.
        sets: The ids by key, after the batch.
        max_bytes: The largest message that the broker accepts; larger answers have several parts.
    """
    for question in questions:
        yield from _answer(question, sets[key_of(question)], max_bytes)


def key_of(message: TagMessage) -> str:
    """The storage key of the ids that have the tag of a message."""
    return set_key("task", message.service_name, message.tag)


def _answer(
    question: GetTaskIdsByTag, ids: Iterable[str], max_bytes: int
) -> Iterator[TaskIdsByTag]:
    if not isinstance(question.requester, ClientRequester):
        return
    answer = TaskIdsByTag(
        message_id=derived_id("answer", question.message_id),
        client_name=question.requester.client_name,
        request_id=question.request_id,
        task_ids=(),
        question_id=question.message_id,
    )
    for one in answer_parts(answer, ids, max_bytes):
        yield attrs.evolve(
            answer, message_id=one.message_id, task_ids=one.ids, part=one.part, parts=one.parts
        )
