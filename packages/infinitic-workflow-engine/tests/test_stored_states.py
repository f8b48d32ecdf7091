"""Stored forms: read back equal, and readable for ever."""

from pathlib import Path
from typing import Any

import attrs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from infinitic_common.codec import encode
from infinitic_common.failures import WorkflowUnknownError
from infinitic_common.history import RunFailed
from infinitic_common.requesters import ClientRequester, WorkflowRequester
from infinitic_workflow_engine._core.mailbox import Mailbox, ParkedSignal
from infinitic_workflow_engine._core.outbox import (
    MessageEffect,
    Outbox,
    OutboxEntry,
    WorkflowTaskEffect,
)
from infinitic_workflow_engine._core.state import (
    MethodOutcome,
    MethodRun,
    PendingRetry,
    Receiver,
    RunningTask,
    WorkflowState,
)
from infinitic_workflow_engine._storage.format import (
    FORMAT,
    StoredChannel,
    StoredLog,
    StoredRun,
    StoredState,
    head_from_bytes,
    to_bytes,
)
from infinitic_workflow_engine._storage.restoring import from_head

FOLDER = Path(__file__).parent / "stored_states"
ERROR = WorkflowUnknownError("Echo", "w2", "run", "m2")
names = st.text("abcé☃", min_size=1, max_size=5)
requesters = st.builds(ClientRequester, names) | st.builds(
    WorkflowRequester, names, names, names, names, st.integers(0, 9)
)
runs = st.builds(
    MethodRun,
    method_id=names,
    method_name=names,
    arguments=st.lists(st.binary(max_size=4), max_size=2).map(tuple),
    requester=requesters,
    waiting_clients=st.lists(names, max_size=2),
    returned=st.booleans(),
    retries=st.integers(0, 3),
)
hashes = st.binary(min_size=8, max_size=8)


@st.composite
def states(draw: st.DrawFn) -> WorkflowState:
    methods = {run.method_id: run for run in draw(st.lists(runs, max_size=3))}
    mailbox = Mailbox()
    for signal in draw(
        st.lists(st.builds(ParkedSignal, names, names, st.binary(), st.just(())), max_size=3)
    ):
        mailbox.park(signal)
    outbox = Outbox(known=dict.fromkeys(draw(st.lists(hashes, max_size=3))))
    return WorkflowState(
        draw(names),
        draw(names),
        version=1,
        workflow_version=draw(st.none() | st.integers(0, 42)),
        tags=draw(st.frozensets(names, max_size=3)),
        meta=draw(st.dictionaries(names, st.binary(max_size=4), max_size=2)),
        created_at=draw(st.integers(0, 2**42)),
        methods=methods,
        running=draw(st.none() | st.builds(RunningTask, names, names, st.integers(0), st.just(1))),
        receivers={name: [Receiver("m", 1)] for name in draw(st.lists(names, max_size=2))},
        mailbox=mailbox,
        signal_ids={signal.signal_id for _, signal in mailbox.all_waiting()},
        outcomes={"m": MethodOutcome("m", "run", draw(st.binary()), None, 7)},
        outbox=outbox,
        ended_at=draw(st.none() | st.integers(0, 2**42)),
    )


@given(states())
@settings(max_examples=60, deadline=None)
def test_engine_09_a_state_is_read_back_as_it_was_written(state: WorkflowState) -> None:
    data = to_bytes(state)
    read = from_head(head_from_bytes(data), {}, 1)
    assert to_bytes(read) == data
    assert encode(head_from_bytes(data)) == data
    assert attrs.evolve(read, outbox=state.outbox) == state
    assert read.outbox.known == state.outbox.known


@pytest.mark.parametrize("name", ["waiting", "failed", "methods", "ended", "signals", "remote"])
def test_engine_09_rel_28_states_stored_by_earlier_releases_are_read(name: str) -> None:
    data = bytes.fromhex((FOLDER / f"{name}.hex").read_text())
    state = from_head(head_from_bytes(data), {}, 1)
    assert (state.workflow_id, state.workflow_name) == ("w1", "Flow")
    again = from_head(head_from_bytes(to_bytes(state)), {}, 1)
    assert again.methods.keys() == state.methods.keys()
    assert to_bytes(again) == to_bytes(state)


FULL_RUN = StoredRun(
    method_id="m",
    method_name="run",
    arguments=(b"a",),
    requester=ClientRequester("c"),
    waiting_clients=("c",),
    log=StoredLog((), (encode(RunFailed(ERROR)),)),
    returned=True,
    waiting_workflows=(WorkflowRequester("Echo", "parent", "run", "parent", 3),),
    retry=PendingRetry("t", 1, 5, ERROR),
    retries=2,
)
FULL = StoredState(
    format=FORMAT,
    workflow_id="w1",
    workflow_name="Flow",
    workflow_version=3,
    tags=frozenset({"tag"}),
    meta={"key": b"1"},
    started=True,
    created_at=1,
    runs=(FULL_RUN,),
    running=RunningTask("t", "m", 9, 1),
    properties={"p": b"hash"},
    values={b"hash": b"value"},
    channels=(StoredChannel("approvals", (Receiver("m", 1),)),),
    mailbox=StoredLog((), (encode(ParkedSignal("approvals", "s", b"1", ())),) * 3),
    mailbox_first=1,
    mailbox_taken=(2,),
    discarding=frozenset({"noise"}),
    outcomes=(MethodOutcome("m", "run", b"v", None, 7),),
    outbox=(OutboxEntry(b"12345678", (WorkflowTaskEffect("t", 1, 2, 3),)),),
    known=b"12345678",
    last_write=1,
    ended_at=8,
    garbage=("segment",),
    ready=("m",),
)


@pytest.mark.parametrize("stored", [FULL, FULL_RUN], ids=["state", "run"])
def test_the_full_head_has_something_in_each_field(stored: StoredState | StoredRun) -> None:
    """Give a new field a value above: the next test is about the fields that have one."""
    values = attrs.asdict(stored, recurse=False)
    assert [name for name, value in values.items() if not value] == []


def test_engine_09_no_field_of_a_head_is_forgotten_on_the_way() -> None:
    data = encode(FULL)
    assert to_bytes(from_head(head_from_bytes(data), {}, 1)) == data


def test_what_waits_for_a_run_and_its_retry_are_kept(drive: Any, start: Any) -> None:
    drive.send(start())
    run = drive.state.methods["w1"]
    run.waiting_workflows = [WorkflowRequester("Echo", "parent", "run", "parent", 3)]
    run.retries = 2
    drive.state.outbox.entries.append(OutboxEntry(b"12345678", (MessageEffect(b"m", 5),)))
    drive.reload()
    read = drive.state.methods["w1"]
    assert (read.waiting_workflows, read.retries) == (run.waiting_workflows, 2)
    assert read.retry is None


def test_what_seldom_changes_is_stored_as_it_is_when_it_does() -> None:
    state = WorkflowState("w1", "Flow", started=False)
    for change in ({"started": True, "tags": frozenset("ab")}, {"workflow_version": 3}):
        to_bytes(state)
        for name, value in change.items():
            setattr(state, name, value)
        read = head_from_bytes(to_bytes(state))
        assert {name: getattr(read, name) for name in change} == change
