"""What a batch of messages means for the tags of tasks: pure functions, no I/O."""

from collections.abc import Mapping, Sequence

import attrs

from infinitic_common.ids import derived_id
from infinitic_common.messages import (
    AddTagToTask,
    GetTaskIdsByTag,
    RemoveTagFromTask,
    ServiceTagMessage,
    TaskIdsByTag,
)
from infinitic_common.requesters import ClientRequester
from infinitic_common.tag_sets import TagBatch, set_key


@attrs.frozen(eq=False)
class Turn:
    """What to read and to change, and who asked.

    Attributes:
        sets: Reads and changes.
        questions: Whose answers are due when the changes are made.
    """

    sets: TagBatch = attrs.field(factory=TagBatch)
    questions: list[GetTaskIdsByTag] = attrs.field(factory=list[GetTaskIdsByTag])


def decide(messages: Sequence[ServiceTagMessage]) -> Turn:
    """The turn of a batch of messages, in their order."""
    turn = Turn()
    for message in messages:
        key = key_of(message)
        match message:
            case AddTagToTask():
                turn.sets.add(key, message.task_id)
            case RemoveTagFromTask():
                turn.sets.remove(key, message.task_id)
            case GetTaskIdsByTag():
                turn.sets.ask(key)
                turn.questions.append(message)
    return turn


def answers(turn: Turn, sets: Mapping[str, frozenset[str]]) -> list[TaskIdsByTag]:
    """The answers to the clients that asked.

    Args:
        turn: The turn.
        sets: The ids by key, after the turn.
    """
    return [
        TaskIdsByTag(
            message_id=derived_id("answer", question.message_id),
            client_name=question.requester.client_name,
            request_id=question.request_id,
            task_ids=tuple(sorted(sets[key_of(question)])),
        )
        for question in turn.questions
        if isinstance(question.requester, ClientRequester)
    ]


def key_of(message: ServiceTagMessage) -> str:
    """The storage key of the ids that have the tag of a message."""
    return set_key("task", message.service_name, message.tag)
