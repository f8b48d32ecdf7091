"""What clients are shown of a state."""

import json
from typing import Any

import pytest

from infinitic_common.codec import decode, encode
from infinitic_common.command_ids import command_id
from infinitic_common.failures import ExceptionDetail, TaskFailure, WorkflowExecutorFailedError
from infinitic_common.history import (
    ChildWorkflowCommand,
    ReceiveCommand,
    RemoteMethodCommand,
    TaskCommand,
    TimerCommand,
)
from infinitic_common.messages import QueryWorkflow, RetryTasks
from infinitic_common.requesters import ClientRequester
from infinitic_common.serialization import decode_untyped, encode_untyped, to_json
from infinitic_workflow_engine._core.state import WorkflowState
from infinitic_workflow_engine._core.views import state_view, workflow_status

ID = "w1"
CLIENT = ClientRequester("client-1")
BUG = WorkflowExecutorFailedError(
    "Flow", ID, "t", TaskFailure("w", 0, 0, 3.0, "trace", ExceptionDetail("RuntimeError", "a bug"))
)
COMMANDS = [
    (0, TaskCommand("Util", "reverse", (), frozenset({"b", "a"}))),
    (1, TaskCommand("Util", "reverse", ())),
    (2, ChildWorkflowCommand("Echo", "concat", (), frozenset({"customId:x"}))),
    (3, RemoteMethodCommand("Echo", None, "foo", "plus", ())),
    (4, TimerCommand(9000, 8000)),
    (5, ReceiveCommand("approvals", limit=2)),
    (6, ReceiveCommand("others", limit=1)),
]


def queried(drive: Any, query: str = "state", argument: str | None = None) -> Any:
    [answer] = drive.send(QueryWorkflow("q", "Flow", ID, "r", query, argument, CLIENT, 1))
    assert answer.request_id == "r"
    return None if answer.answer is None else decode_untyped(answer.answer)


def busy(drive: Any, start: Any, signal: Any, failed: Any) -> None:
    drive.send(start())
    drive.answer(
        COMMANDS, waits=(7, ["all", 1, 2, 3, 4, [5, 1]]), properties={"p": encode_untyped([1, 2])}
    )
    drive.send(signal("s1"), signal("s2", "others"), signal("s3", "nobody"))
    drive.send(failed(0))


def test_engine_08_a_state_without_runs_is_completed_and_shows_its_meta_and_tags() -> None:
    state = WorkflowState(ID, "Flow", tags=frozenset({"b", "a"}), meta={"foo": b"bar"})
    assert workflow_status(state) == "COMPLETED"
    shown = json.loads(json.dumps(to_json(encode_untyped(state_view(state)))))
    assert (shown["status"], shown["tags"]) == ("COMPLETED", ["a", "b"])
    assert shown["meta"] == {"foo": "YmFy"}


def test_an_unknown_workflow_has_no_state_no_status_and_no_property(
    drive: Any, signal: Any
) -> None:
    assert [queried(drive, query, "p") for query in ("state", "status", "property")] == [None] * 3
    drive.send(signal("s1"))
    assert queried(drive) is None


def test_a_task_is_shown_with_id_service_method_status_attempt_and_last_failure(
    drive: Any, start: Any, signal: Any, failed: Any
) -> None:
    busy(drive, start, signal, failed)
    drive.send(RetryTasks("r", "Flow", ID, None, None, None, CLIENT, 1))
    [run] = queried(drive)["methods"]
    assert run["tasks"] == [
        {
            "id": command_id(ID, ID, 0),
            "service": "Util",
            "method": "reverse",
            "tags": ["a", "b"],
            "position": 0,
            "status": "ONGOING",
            "attempt": 1,
            "last_failure": "ValueError: sorry",
        },
        {
            "id": command_id(ID, ID, 1),
            "service": "Util",
            "method": "reverse",
            "tags": [],
            "position": 1,
            "status": "ONGOING",
            "attempt": 0,
            "last_failure": None,
        },
    ]


def test_children_calls_timers_and_receives_are_shown(
    drive: Any, start: Any, signal: Any, failed: Any
) -> None:
    busy(drive, start, signal, failed)
    shown = queried(drive)
    [run] = shown["methods"]
    [child] = run["children"]
    assert child.items() >= {"workflow": "Echo", "method": "concat", "status": "ONGOING"}.items()
    assert (child["id"], child["tags"]) == (command_id(ID, ID, 2), ["customId:x"])
    [call] = run["calls"]
    assert (call["workflow_id"], call["workflow_tag"], call["method"]) == (None, "foo", "plus")
    [timer] = run["timers"]
    assert (timer["fires_at"], timer["status"]) == (9000, "ONGOING")
    assert run["receives"] == [
        {"channel": "approvals", "position": 5, "received": 1, "limit": 2, "open": True},
        {"channel": "others", "position": 6, "received": 1, "limit": 1, "open": False},
    ]
    assert (shown["waiting_signals"], shown["properties"]) == (1, {"p": [1, 2]})
    assert queried(drive, "property", "p") == [1, 2]
    assert queried(drive, "property", "q") is None


def test_a_run_shows_what_it_does_and_why_it_failed(
    drive: Any, start: Any, signal: Any, failed: Any
) -> None:
    busy(drive, start, signal, failed)
    assert queried(drive)["methods"][0]["status"] == "WAITING"
    assert queried(drive, "status") == "WAITING"
    drive.send(failed(1))
    drive.answer(error=BUG, retry_after_ms=3000)
    [run] = queried(drive)["methods"]
    assert run["status"] == "RETRYING"
    assert run["retry"] == {"number": 1, "due": 4000, "failure": "RuntimeError: a bug"}


def test_a_stalled_run_shows_why(drive: Any, start: Any) -> None:
    drive.send(start())
    drive.answer(error=BUG)
    [run] = queried(drive)["methods"]
    assert (run["status"], run["failure"]) == ("FAILED", "RuntimeError: a bug")
    assert run["waiting_clients"] == 1


def test_an_ended_workflow_shows_its_outcome(drive: Any, start: Any) -> None:
    drive.send(start())
    drive.answer(value=encode_untyped("v"))
    shown = queried(drive)
    [ended] = shown["ended_methods"]
    assert (ended["status"], ended["value"], shown["status"]) == ("COMPLETED", "v", "COMPLETED")


def test_a_query_changes_nothing(drive: Any, start: Any, signal: Any, failed: Any) -> None:
    busy(drive, start, signal, failed)
    version = drive.state.version
    queried(drive)
    assert drive.state.version == version


@pytest.mark.parametrize("room", [100_000, 9_000, 3_000, 1_100])
def test_a_state_that_no_message_can_hold_is_shown_in_part(
    drive: Any, start: Any, room: int
) -> None:
    drive.send(start())
    tasks = [(n, TaskCommand("Util", "reverse", ())) for n in range(2000)]
    drive.answer(tasks, waits=(2000, 0), properties={"p": encode_untyped("x" * 5000)})
    drive.max_bytes = room
    [answer] = drive.send(QueryWorkflow("q", "Flow", ID, "r", "state", None, CLIENT, 1))
    assert len(encode(answer)) <= room
    shown = decode_untyped(answer.answer)
    assert isinstance(shown, dict)
    assert shown["workflow_id"] == ID
    assert decode(encode(answer)) == answer
