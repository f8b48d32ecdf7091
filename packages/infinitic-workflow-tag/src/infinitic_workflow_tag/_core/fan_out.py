"""A command by tag, for one page of the workflows that have it."""

from collections.abc import Iterable, Iterator, Mapping, Sequence

import attrs

from infinitic_common.failures import WorkflowUnknownError
from infinitic_common.ids import derived_id
from infinitic_common.messages import (
    CancelWorkflow,
    CommandByTag,
    DispatchMethod,
    RemoteMethodFailed,
    SendSignal,
)
from infinitic_common.requesters import WorkflowRequester
from infinitic_common.storage import Page
from infinitic_workflow_tag._core.asked import Command, FanOut


@attrs.frozen(eq=False)
class Reached:
    """What a page of a fan-out comes to.

    Attributes:
        commands: One per workflow, or that there is none.
        continuation: How it goes on, if it does.
        note: What the log has to say.
    """

    commands: Iterable[Command | RemoteMethodFailed]
    continuation: Sequence[CommandByTag] = ()
    note: str = ""


def fan_out(asked: FanOut, page: Page, changes: Mapping[str, bool], now: int) -> Reached:
    """The commands for a page.

    Args:
        asked: The command.
        page: The workflows as stored before the batch.
        changes: What the batch changed before the command: True for added.
        now: Milliseconds since the epoch.
    """
    message = asked.message
    ids = _ids(page, changes, first=message.cursor is None)
    if page.next_cursor is not None:
        # A first page of which nothing is left is read again: whether anything has the tag at all
        # is known only by a first page.
        cursor = page.next_cursor if ids else message.cursor
        return Reached(_commands(asked, ids), [_continuation(asked, cursor)])
    if not ids and message.cursor is None:
        return _nobody(asked, now)
    return Reached(_commands(asked, ids))


def _ids(page: Page, changes: Mapping[str, bool], *, first: bool) -> list[str]:
    kept = [value for value in page.values if changes.get(value, True)]
    if not first:
        return kept
    # Those that a later page has again get the same message again, which they know by its id.
    present = set(kept)
    return kept + [value for value, there in changes.items() if there and value not in present]


def _commands(asked: FanOut, ids: Sequence[str]) -> Iterator[Command]:
    command, itself = asked.command, _itself(asked)
    for workflow_id in ids:
        if workflow_id != itself:
            identifier = derived_id(command.message_id, workflow_id)
            yield attrs.evolve(command, message_id=identifier, workflow_id=workflow_id)


def _itself(asked: FanOut) -> str | None:
    """The workflow that asks, when it does not mean itself."""
    requester = asked.message.requester
    if isinstance(requester, WorkflowRequester) and isinstance(
        asked.command, SendSignal | CancelWorkflow
    ):
        return requester.workflow_id
    return None


def _continuation(asked: FanOut, cursor: str | None) -> CommandByTag:
    message = asked.message
    # Also when the page is read again the id has to change, as another message it is.
    identifier = derived_id("continue", message.message_id, cursor or "")
    return attrs.evolve(message, message_id=identifier, cursor=cursor)


def _nobody(asked: FanOut, now: int) -> Reached:
    message, command = asked.message, asked.command
    what = f"{type(command).__name__} finds no running {message.workflow_name} by tag {message.tag}"
    requester = message.requester
    if not isinstance(command, DispatchMethod) or not isinstance(requester, WorkflowRequester):
        return Reached([], note=what)
    error = WorkflowUnknownError(
        workflow_name=message.workflow_name,
        workflow_id=f"tag {message.tag}",
        method_name=command.method_name,
        method_id=None,
    )
    unknown = RemoteMethodFailed(
        message_id=derived_id("unknown", command.message_id),
        workflow_name=requester.workflow_name,
        workflow_id=requester.workflow_id,
        method_id=requester.method_id,
        position=requester.position,
        error=error,
        emitted_at=now,
    )
    return Reached([unknown], note=what)
