"""``infinitic task``."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import TYPE_CHECKING

import pytest
from shop_contracts import Item

from infinitic_common.codec import decode
from infinitic_common.messages import (
    CommandByTag,
    CompleteDelegatedTask,
    FailDelegatedTask,
    RetryTasks,
)
from infinitic_common.serialization import decode_untyped, value_codec

if TYPE_CHECKING:
    from cli_engines import Run
    from conftest import RecordingTransport


def test_the_tasks_of_a_workflow_are_listed(run: Run) -> None:
    rows = json.loads(run("task", "status", "Order", "o1", "--json").output)
    assert [row["id"] for row in rows] == ["task-1", "task-2"]
    table = run("task", "status", "Order", "o1").output
    assert "ValueError: no" in table


def test_one_task_is_shown(run: Run) -> None:
    [row] = json.loads(run("task", "status", "Order", "o1", "task-2", "--json").output)
    assert (row["status"], row["attempt"], row["last_failure"]) == ("ONGOING", 1, None)


@pytest.mark.parametrize("words", [("unknown",), ("o1", "task-3")])
def test_an_unknown_task_has_exit_code_4(run: Run, words: tuple[str, ...]) -> None:
    assert run("task", "status", "Order", *words).exit_code == 4


@pytest.mark.parametrize(
    ("words", "filters"),
    [
        (("o1", "task-1"), ("task-1", None, None)),
        (("o1", "--status", "failed", "--service", "Payments"), (None, "FAILED", "Payments")),
        (("o1", "--all"), (None, None, None)),
    ],
)
def test_tasks_are_retried_by_filters(
    run: Run,
    transport: RecordingTransport,
    words: tuple[str, ...],
    filters: tuple[str | None, ...],
) -> None:
    result = run("task", "retry", "Order", *words)
    assert result.exit_code == 0, result.output
    sent = transport.messages[-1]
    assert isinstance(sent, RetryTasks)
    assert (sent.task_id, sent.task_status, sent.service_name) == filters


def test_tasks_are_retried_by_tag(run: Run, transport: RecordingTransport) -> None:
    assert run("task", "retry", "Order", "--tag", "vip", "--status", "FAILED").exit_code == 0
    [sent] = transport.messages
    assert isinstance(sent, CommandByTag)
    assert isinstance(decode(sent.command), RetryTasks)


def test_a_retry_needs_a_filter(run: Run) -> None:
    result = run("task", "retry", "Order", "o1")
    assert result.exit_code == 2
    assert "all" in result.output


def test_a_retry_of_an_unknown_task_has_exit_code_4(
    run: Run, transport: RecordingTransport
) -> None:
    result = run("task", "retry", "Order", "o1", "task-9")
    assert result.exit_code == 4
    assert "task task-9" in result.output
    assert not any(isinstance(one, RetryTasks) for one in transport.messages)


def test_a_retry_in_an_unknown_workflow_has_exit_code_4(run: Run) -> None:
    assert run("task", "retry", "Order", "unknown", "--all").exit_code == 4


def test_a_retry_in_an_ended_workflow_has_exit_code_1(
    run: Run, transport: RecordingTransport
) -> None:
    result = run("task", "retry", "Order", "gone", "--all")
    assert result.exit_code == 1
    assert "has ended: COMPLETED" in result.output
    assert not any(isinstance(one, RetryTasks) for one in transport.messages)


def completed(transport: RecordingTransport) -> CompleteDelegatedTask:
    [sent] = transport.messages
    assert isinstance(sent, CompleteDelegatedTask)
    assert (sent.service_name, sent.task_id) == ("Payments", "task-1")
    return sent


def test_a_delegated_task_is_completed(run: Run, transport: RecordingTransport) -> None:
    assert run("task", "complete", "Payments", "task-1", '{"paid": true}').exit_code == 0
    assert decode_untyped(completed(transport).value) == {"paid": True}


def test_a_delegated_task_is_completed_by_the_contract(
    run: Run, transport: RecordingTransport
) -> None:
    words = ("task-1", '{"article": "a"}', "--contract", "shop_contracts.PaymentService")
    assert run("task", "complete", "Payments", *words).exit_code == 0
    item = value_codec(Item, place="an item").decode(completed(transport).value)
    assert item == Item("a")


def test_a_decimal_is_completed_from_its_text(run: Run, transport: RecordingTransport) -> None:
    words = ("task-1", '"9.90"', "--contract", "shop_contracts.RefundService")
    result = run("task", "complete", "Refunds", *words)
    assert result.exit_code == 0, result.output
    [sent] = transport.messages
    assert isinstance(sent, CompleteDelegatedTask)
    assert decode_untyped(sent.value) == Decimal("9.90")


@pytest.mark.parametrize(
    ("service", "words", "told"),
    [
        ("Payments", ('"a"', "--contract", "shop_contracts.PaymentService"), "Item"),
        ("Refunds", ('"much"', "--contract", "shop_contracts.RefundService"), "'much' is no"),
        ("Payments", ('"a"', "--method", "charge"), "give --contract too"),
    ],
)
def test_a_value_that_does_not_fit_is_refused(
    run: Run, transport: RecordingTransport, service: str, words: tuple[str, ...], told: str
) -> None:
    result = run("task", "complete", service, "task-1", *words)
    assert result.exit_code == 2, result.output
    assert told in result.output
    assert transport.messages == []


def test_a_delegated_task_is_failed(run: Run, transport: RecordingTransport) -> None:
    assert run("task", "fail", "Payments", "task-1", "card expired").exit_code == 0
    [sent] = transport.messages
    assert isinstance(sent, FailDelegatedTask)
    assert sent.failure.exception.message == "card expired"


def test_a_negative_number_completes_a_task(run: Run, transport: RecordingTransport) -> None:
    assert run("task", "complete", "Payments", "t1", "-5").exit_code == 0
    [sent] = transport.messages
    assert isinstance(sent, CompleteDelegatedTask)
    assert decode_untyped(sent.value) == -5
