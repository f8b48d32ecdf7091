"""The command ``infinitic``."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner, Result

from infinitic_client import InfiniticClient
from infinitic_client.cli import main
from infinitic_common.messages import CancelWorkflow, ClientMessage, QueryAnswered, QueryWorkflow
from infinitic_common.serialization import encode_untyped

if TYPE_CHECKING:
    from conftest import RecordingTransport

Run = Callable[..., Result]


@pytest.fixture
def run(transport: RecordingTransport, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs the command where a configuration stands, over the recording transport."""
    (tmp_path / "infinitic.yml").write_text("transport: inMemory\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(
        InfiniticClient, "from_yaml_file", lambda *_: InfiniticClient(transport=transport)
    )
    return lambda *words: CliRunner().invoke(main, words)


def answering(value: object) -> Callable[[object], ClientMessage | None]:
    """Answers questions about a workflow with a value; None: it is unknown."""
    data = None if value is None else encode_untyped(value)

    def reply(message: object) -> ClientMessage | None:
        if not isinstance(message, QueryWorkflow):
            return None
        return QueryAnswered("answer", "client-1", message.message_id, data)

    return reply


@pytest.mark.parametrize(
    "words", [(), ("status",), ("status", "Order"), ("state", "Order"), ("cancel", "Order")]
)
def test_a_missing_argument_is_named(run: Run, words: tuple[str, ...]) -> None:
    result = run(*words)
    assert result.exit_code == 2
    assert "Usage" in result.output


@pytest.mark.parametrize("words", [("stop", "Order", "o1"), ("status", "Order", "o1", "more")])
def test_what_is_too_much_is_refused(run: Run, words: tuple[str, ...]) -> None:
    assert run(*words).exit_code == 2


def test_a_configuration_that_is_missing_is_named_with_the_remedy(run: Run) -> None:
    result = run("--config", "other.yml", "status", "Order", "o1")
    assert result.exit_code == 1
    assert "there is no file other.yml: name the configuration with --config" in result.output


def test_an_empty_id_is_refused(run: Run) -> None:
    result = run("status", "Order", "")
    assert result.exit_code == 1
    assert "the id of a workflow" in result.output


def test_the_status_is_one_word(run: Run, transport: RecordingTransport) -> None:
    transport.reply = answering("WAITING")
    assert run("status", "Order", "o1").output == "WAITING\n"
    [question] = transport.messages
    assert isinstance(question, QueryWorkflow)
    assert (question.workflow_name, question.workflow_id) == ("Order", "o1")


def test_the_state_is_shown(run: Run, transport: RecordingTransport) -> None:
    transport.reply = answering({"workflow_id": "o1", "methods": []})
    result = run("state", "Order", "o1")
    assert result.exit_code == 0
    assert "'workflow_id': 'o1'" in result.output


@pytest.mark.parametrize("command", ["status", "state"])
def test_an_unknown_workflow_has_a_status_of_its_own(
    run: Run, transport: RecordingTransport, command: str
) -> None:
    transport.reply = answering(None)
    result = run(command, "Order", "o1")
    assert result.exit_code == 3
    assert "no workflow Order is known by the id o1" in result.output


def test_a_workflow_is_cancelled_by_name_and_id(run: Run, transport: RecordingTransport) -> None:
    assert run("cancel", "Order", "o1").exit_code == 0
    [command] = transport.messages
    assert isinstance(command, CancelWorkflow)
    assert (command.workflow_name, command.workflow_id) == ("Order", "o1")
