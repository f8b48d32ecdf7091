"""What a batch changes and emits."""

from collections.abc import Iterable, Iterator, Mapping, Sequence

import attrs

from infinitic_common.ids import derived_id
from infinitic_common.messages import (
    AddTagToWorkflow,
    CustomIdClaimed,
    GetWorkflowIdsByTag,
    Message,
    RemoveTagFromWorkflow,
    WaitWorkflow,
    WorkflowIdsByTag,
)
from infinitic_common.requesters import ClientRequester
from infinitic_common.storage import Page
from infinitic_common.tag_sets import SetChanges, answer_parts
from infinitic_workflow_tag._core.asked import Asked, FanOut, UniqueStart, key_of
from infinitic_workflow_tag._core.fan_out import fan_out

PageKey = tuple[str, str | None]
"""The key of a set, and where the page begins."""


@attrs.frozen(eq=False)
class Found:
    """What was read for a batch, as it was before it.

    Attributes:
        sets: Whole sets, by key.
        pages: Pages of sets, by key and cursor.
        now: Milliseconds since the epoch.
        max_bytes: The largest message that the broker accepts.
    """

    sets: Mapping[str, frozenset[str]]
    pages: Mapping[PageKey, Page]
    now: int
    max_bytes: int


@attrs.frozen(eq=False)
class Turn:
    """What a batch changes, and what it emits in three waves, each confirmed before the next.

    Attributes:
        changes: Of the sets.
        tags: First: the tags of workflows that start.
        commands: Second: what workflows are told; made when they are taken, as they may be millions.
        answers: Last: what clients are told, and how a fan-out goes on.
        notes: For the log, each with the tag that it is about.
    """

    changes: SetChanges = attrs.field(factory=SetChanges)
    tags: list[Message] = attrs.field(factory=list[Message])
    commands: list[Iterable[Message]] = attrs.field(factory=list[Iterable[Message]])
    answers: list[Message] = attrs.field(factory=list[Message])
    notes: list[tuple[str, str]] = attrs.field(factory=list[tuple[str, str]])


def sets_of(asked: Sequence[Asked]) -> set[str]:
    """Keys of the sets to read as a whole."""
    return {key_of(one) for one in asked if isinstance(one, GetWorkflowIdsByTag)}


def pages_of(asked: Sequence[Asked]) -> set[PageKey]:
    """The pages to read: all commands to a tag share one."""
    return {(key_of(one), one.message.cursor) for one in asked if isinstance(one, FanOut)}


def decide(asked: Sequence[Asked], found: Found) -> Turn:
    """The turn of a batch whose custom ids are settled.

    A command goes to the workflows that have the tag when its turn comes: those of the store, with
    the changes that precede it in the batch. A question is about the sets after the whole batch.
    """
    turn = Turn()
    for one in asked:
        match one:
            case AddTagToWorkflow():
                turn.changes.add(key_of(one), one.workflow_id)
            case RemoveTagFromWorkflow():
                turn.changes.remove(key_of(one), one.workflow_id)
            case FanOut():
                _command(one, found, turn)
            case UniqueStart():
                _start(one, found, turn)
            case GetWorkflowIdsByTag():
                continue
    for one in asked:
        if isinstance(one, GetWorkflowIdsByTag):
            turn.answers.extend(_answer(one, found, turn))
    return turn


def _command(asked: FanOut, found: Found, turn: Turn) -> None:
    key = key_of(asked)
    page = found.pages[key, asked.message.cursor]
    reached = fan_out(asked, page, turn.changes.of(key), found.now)
    turn.commands.append(reached.commands)
    turn.answers.extend(reached.continuation)
    if reached.note:
        turn.notes.append((asked.message.tag, reached.note))


def _start(asked: UniqueStart, found: Found, turn: Turn) -> None:
    message, start = asked.message, asked.start
    if asked.is_won:
        turn.changes.add(key_of(asked), start.workflow_id)
        turn.tags.extend(_other_tags(asked))
        turn.commands.append((start,))
    else:
        kind = f"{start.workflow_name} {start.workflow_id}"
        turn.notes.append(
            (message.tag, f"{kind} is not started: {asked.holder} has its custom id {message.tag}")
        )
    _tell(asked, found, turn)


def _tell(asked: UniqueStart, found: Found, turn: Turn) -> None:
    """Tell a client whose the id is; have the holder's outcome sent to a workflow that lost."""
    message, start, holder = asked.message, asked.start, asked.holder
    requester = message.requester
    if isinstance(requester, ClientRequester):
        if message.request_id is not None:
            identifier = derived_id("claimed", message.message_id, holder)
            turn.answers.append(
                CustomIdClaimed(identifier, requester.client_name, message.request_id, holder)
            )
    elif not asked.is_won:
        wait = WaitWorkflow(
            message_id=derived_id("wait", start.workflow_id, holder),
            workflow_name=start.workflow_name,
            workflow_id=holder,
            method_id=holder,
            requester=requester,
            emitted_at=found.now,
        )
        turn.commands.append((wait,))


def _other_tags(asked: UniqueStart) -> Iterator[AddTagToWorkflow]:
    """The tags that other batches keep, as they have other keys."""
    start = asked.start
    for tag in sorted(start.tags - {asked.message.tag}):
        identifier = derived_id("tag", start.workflow_id, tag)
        yield AddTagToWorkflow(identifier, start.workflow_name, start.workflow_id, tag)


def _answer(question: GetWorkflowIdsByTag, found: Found, turn: Turn) -> Iterator[WorkflowIdsByTag]:
    if not isinstance(question.requester, ClientRequester):
        return
    key = key_of(question)
    answer = WorkflowIdsByTag(
        message_id=derived_id("answer", question.message_id),
        client_name=question.requester.client_name,
        request_id=question.request_id,
        workflow_ids=(),
        question_id=question.message_id,
    )
    ids = turn.changes.after(key, found.sets[key])
    for one in answer_parts(answer, ids, found.max_bytes):
        yield attrs.evolve(
            answer,
            message_id=one.message_id,
            workflow_ids=one.ids,
            part=one.part,
            parts=one.parts,
        )
