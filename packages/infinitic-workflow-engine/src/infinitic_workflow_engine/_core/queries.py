"""Answers about a workflow, for clients; nothing changes by asking."""

from __future__ import annotations

from collections.abc import Iterator
from typing import cast

from infinitic_common.ids import derived_id
from infinitic_common.messages import QueryAnswered, QueryWorkflow
from infinitic_common.requesters import ClientRequester
from infinitic_common.serialization import encode_untyped
from infinitic_workflow_engine._core.state import WorkflowState
from infinitic_workflow_engine._core.turn import ANSWERS, Turn, emission
from infinitic_workflow_engine._core.views import View, state_view, workflow_status

_ROOM = 1000
"""Bytes of an answer besides what is asked for."""

_MOST = 1000, 10
"""How many commands of a kind a run shows when all of them are too many for one message."""


def query_workflow(state: WorkflowState | None, message: QueryWorkflow, turn: Turn) -> None:
    """Answer a client; None for a workflow that is not known."""
    if not isinstance(message.requester, ClientRequester):
        return
    known = state is not None and state.started and not turn.is_forgotten
    answer = _answer(state, message, turn) if state is not None and known else None
    answered = QueryAnswered(
        derived_id("answer", message.message_id),
        message.requester.client_name,
        message.request_id,
        answer,
    )
    turn.emissions.append(emission(answered, wave=ANSWERS))


def _answer(state: WorkflowState, message: QueryWorkflow, turn: Turn) -> bytes | None:
    if message.query == "status":
        return encode_untyped(workflow_status(state))
    room = turn.max_message_bytes - _ROOM
    if message.query == "property":
        found = state.values.get(state.properties.get(message.argument or "", b""))
        return found if found is None or len(found) <= room else None
    return next(
        (data for view in _views(state) if len(data := encode_untyped(view)) <= room),
        encode_untyped({"workflow_id": state.workflow_id, "status": workflow_status(state)}),
    )


def _views(state: WorkflowState) -> Iterator[View]:
    """The state as plain data, then with less and less of it, which it says."""
    view = state_view(state)
    yield view
    for most in _MOST:
        yield {**view, **_shortened(view, most)}
    yield {**view, **_shortened(view, 0), "properties": {}, "ended_methods": []}


def _shortened(view: View, most: int) -> View:
    runs = [_short_run(run, most) for run in cast("list[View]", view["methods"])]
    return {"methods": runs, "shortened": True}


def _short_run(run: View, most: int) -> View:
    short: dict[str, object] = {
        name: cast("list[object]", value)[-most:] if most else []
        for name, value in run.items()
        if isinstance(value, list) and name != "arguments"
    }
    return {**run, **short, "arguments": []}
