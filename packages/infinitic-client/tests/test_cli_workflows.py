"""``infinitic workflow``."""

from __future__ import annotations

import json
from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

import pytest
from shop_contracts import Item

from infinitic_client._cli import running
from infinitic_common.codec import decode
from infinitic_common.exceptions import TransportUnavailable
from infinitic_common.failures import (
    TaskTimedOutError,
    WorkflowCanceledError,
    WorkflowFailedError,
    WorkflowUnknownError,
)
from infinitic_common.messages import (
    CancelWorkflow,
    CommandByTag,
    CompleteTimers,
    RetryWorkflowTask,
    SendSignal,
)
from infinitic_common.serialization import decode_untyped, value_codec

if TYPE_CHECKING:
    from pathlib import Path

    from cli_engines import Engines, Run
    from conftest import RecordingTransport

TASK_OF_RUN = [("run-1", "task-1"), ("run-2", "task-2")]
CONTRACT = ("--contract", "shop_contracts.OrderWorkflow")


def test_a_start_prints_the_id(run: Run, transport: RecordingTransport) -> None:
    result = run("workflow", "start", "Order", "process", '"order-1"', "3", '{"a": [null]}')
    assert result.exit_code == 0, result.output
    start = transport.messages[0]
    assert result.output == f"{getattr(start, 'workflow_id', '')}\n"
    assert getattr(start, "workflow_name", "") == "Order"
    arguments = [decode_untyped(one) for one in getattr(start, "arguments", ())]
    assert arguments == ["order-1", 3, {"a": [None]}]


def test_a_start_has_tags_and_meta(run: Run, transport: RecordingTransport) -> None:
    result = run("workflow", "start", "Order", "m", "--tag", "vip", "--meta", "key=value", "--json")
    start = transport.messages[-1]
    assert getattr(start, "tags", None) == {"vip"}
    assert getattr(start, "meta", None) == {"key": b"value"}
    assert json.loads(result.output) == {
        "workflow": "Order",
        "id": getattr(start, "workflow_id", ""),
    }


def test_a_start_with_a_custom_id_prints_the_id_of_the_winner(run: Run) -> None:
    assert run("workflow", "start", "Order", "m", "--tag", "customId:a").output == "winner\n"


def test_a_start_can_wait(run: Run) -> None:
    result = run("workflow", "start", "Order", "process", "--wait")
    assert json.loads(result.output) == {"outcome": "sent"}


def test_arguments_are_typed_by_the_contract(run: Run, transport: RecordingTransport) -> None:
    words = ('[{"article": "a"}]', '"9.90"', "1.5")
    result = run("workflow", "start", "Order", "place_order", *words, *CONTRACT)
    assert result.exit_code == 0, result.output
    arguments: tuple[bytes, ...] = getattr(transport.messages[0], "arguments", ())
    items, price, patience = arguments
    assert getattr(transport.messages[0], "method_name", "") == "place"
    assert value_codec(list[Item], place="items").decode(items) == [Item("a")]
    assert decode_untyped(price) == Decimal("9.90")
    assert decode_untyped(patience) == timedelta(seconds=1.5)


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("start", "Order", "process", "order-1"), "must be JSON"),
        (("start", "Order", "place", "1", *CONTRACT), "place_order"),
        (("start", "Order", "place", "1", "2", "3", *CONTRACT), "expected list"),
        (("start", "Order", "other", *CONTRACT), "it has place_order"),
        (("start", "Other", "place", *CONTRACT), "is that of 'Order'"),
        (("start", "Order", "m", "--contract", "nowhere.Order"), "--contract"),
        (("start", "Order", "m", "--meta", "key"), "KEY=VALUE"),
        (("signal", "Order", "o1", "others", "1", *CONTRACT), "it has items"),
        (("signal", "Order", "o1", "approvals"), "NAME ID CHANNEL VALUE"),
        (("signal", "Order", "approvals", "--tag", "vip"), "NAME CHANNEL VALUE"),
        (("cancel", "Order"), "--tag"),
        (("cancel", "Order", "o1", "--tag", "vip"), "--tag"),
        (("status", "Order"), "Missing argument"),
        (("list", "Order"), "--tag"),
        (("stop", "Order", "o1"), "No such command"),
    ],
)
def test_wrong_use_is_told_with_exit_code_2(
    run: Run, transport: RecordingTransport, words: tuple[str, ...], told: str
) -> None:
    result = run("workflow", *words)
    assert result.exit_code == 2, result.output
    assert told in result.output
    assert transport.messages == []


def test_the_status_is_one_word(run: Run) -> None:
    assert run("workflow", "status", "Order", "o1").output == "WAITING\n"
    told = json.loads(run("workflow", "status", "Order", "o1", "--json").output)
    assert told == {"workflow": "Order", "id": "o1", "status": "WAITING"}


def test_a_result_is_printed_as_json(run: Run) -> None:
    assert json.loads(run("workflow", "result", "Order", "o1").output) == {"outcome": "sent"}
    told = json.loads(run("workflow", "result", "Order", "o1", "--json").output)
    assert told["result"] == {"outcome": "sent"}


def test_a_failed_workflow_has_exit_code_1(run: Run, engines: Engines) -> None:
    inner = TaskTimedOutError("Payments", "charge", "t")
    engines.error = WorkflowFailedError("Order", "o1", "process", "o1", inner)
    result = run("workflow", "result", "Order", "o1")
    assert result.exit_code == 1
    assert "workflow Order.process (o1) failed: task Payments.charge (t) timed out" in result.output


def test_a_cancelled_workflow_has_exit_code_1(run: Run, engines: Engines) -> None:
    engines.error = WorkflowCanceledError("Order", "o1", None, None)
    assert run("workflow", "result", "Order", "o1").exit_code == 1


def test_the_result_of_an_unknown_workflow_has_exit_code_4(run: Run, engines: Engines) -> None:
    engines.error = WorkflowUnknownError("Order", "o1", None, None)
    assert run("workflow", "result", "Order", "o1").exit_code == 4


@pytest.mark.parametrize(
    "words", [("status",), ("state",), ("cancel",), ("retry",), ("timers",), ("signal",)]
)
def test_an_unknown_workflow_has_exit_code_4(run: Run, words: tuple[str, ...]) -> None:
    more = ("channel", "1") if words == ("signal",) else ()
    result = run("workflow", *words, "Order", "unknown", *more)
    assert result.exit_code == 4
    assert "no workflow Order is known by the id unknown" in result.output


def test_a_command_to_an_ended_workflow_has_exit_code_1(run: Run) -> None:
    result = run("workflow", "cancel", "Order", "gone")
    assert result.exit_code == 1
    assert "has ended: COMPLETED" in result.output


def test_a_broker_that_is_away_has_exit_code_3(run: Run, transport: RecordingTransport) -> None:
    transport.failure = TransportUnavailable("no broker at pulsar://nowhere")
    result = run("workflow", "start", "Order", "process")
    assert result.exit_code == 3
    assert "no broker at pulsar://nowhere" in result.output


def test_no_answer_in_time_has_exit_code_5(run: Run, transport: RecordingTransport) -> None:
    transport.reply = lambda _: None
    result = run("workflow", "result", "Order", "o1", "--timeout", "0.01")
    assert result.exit_code == 5
    assert "within 0.01 s" in result.output


def test_questions_have_a_limit_of_their_own(
    run: Run, transport: RecordingTransport, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(running, "ANSWER_SECONDS", 0.01)
    transport.reply = lambda _: None
    assert run("workflow", "status", "Order", "o1").exit_code == 5


def test_a_signal_is_json(run: Run, transport: RecordingTransport) -> None:
    assert run("workflow", "signal", "Order", "o1", "approvals", "true").exit_code == 0
    sent = transport.messages[-1]
    assert isinstance(sent, SendSignal)
    assert (sent.workflow_id, sent.channel_name) == ("o1", "approvals")
    assert decode_untyped(sent.value) is True
    assert sent.value_types == ("bool", "int")


def test_a_signal_is_typed_by_the_contract(run: Run, transport: RecordingTransport) -> None:
    result = run("workflow", "signal", "Order", "o1", "items", '{"article": "a"}', *CONTRACT)
    assert result.exit_code == 0, result.output
    sent = transport.messages[-1]
    assert isinstance(sent, SendSignal)
    assert sent.value_types == ("shop_contracts.Item",)


def test_a_signal_goes_to_a_tag(run: Run, transport: RecordingTransport) -> None:
    result = run("workflow", "signal", "Order", "approvals", "true", "--tag", "vip")
    assert result.exit_code == 0, result.output
    [sent] = transport.messages
    assert isinstance(sent, CommandByTag)
    assert isinstance(decode(sent.command), SendSignal)


@pytest.mark.parametrize(
    ("words", "kind", "method_id"),
    [
        (("cancel",), CancelWorkflow, None),
        (("cancel", "--method-id", "o1"), CancelWorkflow, "o1"),
        (("timers",), CompleteTimers, None),
        (("timers", "--method-id", "o1"), CompleteTimers, "o1"),
        (("retry",), RetryWorkflowTask, None),
    ],
)
def test_a_workflow_is_steered_by_id_or_by_tag(
    run: Run,
    transport: RecordingTransport,
    words: tuple[str, ...],
    kind: type,
    method_id: str | None,
) -> None:
    command, *options = words
    assert run("workflow", command, "Order", "o1", *options).exit_code == 0
    sent = transport.messages[-1]
    assert isinstance(sent, kind)
    assert getattr(sent, "workflow_id", "") == "o1"
    assert getattr(sent, "method_id", None) == method_id
    assert run("workflow", command, "Order", "--tag", "vip", *options).exit_code == 0
    by_tag = transport.messages[-1]
    assert isinstance(by_tag, CommandByTag)
    assert isinstance(decode(by_tag.command), kind)


@pytest.mark.parametrize("command", ["cancel", "timers"])
def test_an_unknown_method_run_has_exit_code_4(
    run: Run, transport: RecordingTransport, command: str
) -> None:
    result = run("workflow", command, "Order", "o1", "--method-id", "run-9")
    assert result.exit_code == 4
    assert "method run run-9" in result.output
    assert not any(isinstance(m, CancelWorkflow | CompleteTimers) for m in transport.messages)


def test_of_a_state_too_large_to_tell_every_method_run_may_exist(
    run: Run, engines: Engines
) -> None:
    cut: list[dict[str, object]] = [{"status": "WAITING"}, {"methods": [], "shortened": True}]
    for state in cut:
        engines.state = state
        result = run("workflow", "cancel", "Order", "o1", "--method-id", "run-9")
        assert result.exit_code == 0, result.output


@pytest.mark.parametrize(
    ("words", "values"),
    [
        (("start", "Order", "m", "-5", "-1.5e3"), [-5, -1500.0]),
        (("start", "Order", "m", "-5", "--tag", "vip", "--", "-1.5e3"), [-5, -1500.0]),
        (("signal", "Order", "o1", "limits", "-5"), [-5]),
    ],
)
def test_a_negative_number_is_a_value(
    run: Run, transport: RecordingTransport, words: tuple[str, ...], values: list[object]
) -> None:
    result = run("workflow", *words)
    assert result.exit_code == 0, result.output
    sent = transport.messages[-1]
    data = [sent.value] if isinstance(sent, SendSignal) else getattr(sent, "arguments", ())
    assert [decode_untyped(one) for one in data] == values


@pytest.mark.parametrize(
    "words",
    [
        ("start", "Order", "m", "--tga", "vip"),
        ("start", "Order", "m", "-t"),
        ("signal", "Order", "o1", "limits", "--tga"),
    ],
)
def test_an_unknown_option_is_no_value(run: Run, words: tuple[str, ...]) -> None:
    result = run("workflow", *words)
    assert result.exit_code == 2
    assert "No such option" in result.output


def test_the_state_is_shown(run: Run) -> None:
    told = json.loads(run("workflow", "state", "Order", "o1", "--json").output)
    assert told["meta"] == {"key": "AP8="}
    assert "workflow_id" in run("workflow", "state", "Order", "o1").output


def test_methods_and_tasks_of_a_state_are_tables_of_their_own(run: Run) -> None:
    output = run("workflow", "state", "Order", "o1").output
    facts, methods, tasks = output.split("methods")[0], *output.split("methods")[1].split("tasks")
    assert "WAITING" in facts
    assert "method_id" in methods
    assert "children" not in output
    row = next(line for line in tasks.splitlines() if "task-1" in line)
    cells = [cell.strip() for cell in row.strip("│").split("│")]
    assert cells == ["task-1", "Payments", "charge", "FAILED", "0", "ValueError: no"]


def test_tasks_name_their_method_run_where_there_are_several(run: Run, engines: Engines) -> None:
    runs = [{"method_id": run, "tasks": [{"id": task}]} for run, task in TASK_OF_RUN]
    engines.state = {**engines.state, "methods": runs}
    output = run("workflow", "state", "Order", "o1").output
    for run_id, task_id in TASK_OF_RUN:
        assert any(run_id in line and task_id in line for line in output.splitlines())


def test_no_cell_is_folded_where_no_terminal_is(run: Run, engines: Engines) -> None:
    text = "a failure of about a hundred characters: " + "x" * 60
    engines.state = {**engines.state, "properties": text}
    assert text in run("workflow", "state", "Order", "o1").output


def test_workflows_are_listed_by_tag(run: Run) -> None:
    result = run("workflow", "list", "Order", "--tag", "vip", "--json")
    rows = [{"id": "o1", "status": "WAITING"}, {"id": "o2", "status": "RUNNING"}]
    assert json.loads(result.output) == rows
    table = run("workflow", "list", "Order", "--tag", "vip").output
    assert "o1" in table
    assert "RUNNING" in table


def test_a_configuration_that_is_missing_is_named_with_the_remedy(run: Run) -> None:
    result = run("--config", "other.yml", "workflow", "status", "Order", "o1")
    assert result.exit_code == 2
    assert "there is no file other.yml: name the configuration with --config" in result.output


def test_the_configuration_of_the_environment_is_used(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "infinitic.yml").rename(tmp_path / "elsewhere.yml")
    assert run("workflow", "status", "Order", "o1").exit_code == 2
    monkeypatch.setenv("INFINITIC_CONFIG", "elsewhere.yml")
    assert run("workflow", "status", "Order", "o1").exit_code == 0


@pytest.mark.parametrize("value", [[True], "no [/closing] of [bold]"])
def test_brackets_in_a_cell_are_shown(run: Run, engines: Engines, value: object) -> None:
    engines.state = {**engines.state, "properties": value}
    shown = value if isinstance(value, str) else json.dumps(value)
    assert shown in run("workflow", "state", "Order", "o1").output


def test_a_transport_that_reaches_nobody_is_refused(
    run: Run, transport: RecordingTransport, tmp_path: Path
) -> None:
    (tmp_path / "infinitic.yml").write_text("transport: memory\n")
    result = run("workflow", "start", "Order", "process")
    assert result.exit_code == 2
    assert "'inMemory' reaches no worker outside the process" in result.output
    assert transport.messages == []
