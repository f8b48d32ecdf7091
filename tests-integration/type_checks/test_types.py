"""Type checkers accept every construct of the authoring API, and find every misuse."""

import importlib.util
import json
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from infinitic_task_executor import ServiceExecutor, WorkflowExecutor

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
EXAMPLES, MISUSES = HERE / "examples.py", HERE / "misuses.py"

Check = Callable[[Path], dict[int, str]]


def mypy(file: Path) -> dict[int, str]:
    """What mypy finds, by line."""
    words = ["-m", "mypy", "--config-file", str(ROOT / "tools" / "mypy.ini"), "--no-error-summary"]
    told = _output(*words, "--cache-dir", str(ROOT / "tools" / ".cache" / "mypy"), str(file))
    found = re.findall(rf"{re.escape(file.name)}:(\d+): error: (.*)", told)
    assert found or not told.strip(), told
    return {int(line): message for line, message in found}


def pyright(file: Path) -> dict[int, str]:
    """What pyright finds, by line; the file itself says that it is strict."""
    words = ["-m", "pyright", "--outputjson", "--pythonpath", sys.executable]
    diagnostics = json.loads(_output(*words, str(file)))["generalDiagnostics"]
    return {one["range"]["start"]["line"] + 1: one["message"] for one in diagnostics}


def _output(*words: str) -> str:
    run = subprocess.run(  # noqa: S603 - the checkers of this environment
        [sys.executable, *words], capture_output=True, text=True, check=False, cwd=ROOT
    )
    assert run.returncode in (0, 1), run.stdout + run.stderr
    return run.stdout


@pytest.mark.parametrize("check", [mypy, pyright])
def test_the_examples_have_the_types_they_say(check: Check) -> None:
    assert check(EXAMPLES) == {}


@pytest.mark.parametrize("check", [mypy, pyright])
def test_each_misuse_is_found_and_nothing_else(check: Check) -> None:
    lines = MISUSES.read_text(encoding="utf-8").splitlines()
    expected = {number for number, line in enumerate(lines, 1) if "# error" in line}
    found = check(MISUSES)
    assert sorted(found) == sorted(expected), found


def test_executors_accept_what_the_examples_declare() -> None:
    spec = importlib.util.spec_from_file_location("type_check_examples", EXAMPLES)
    assert spec is not None
    assert spec.loader is not None
    examples = importlib.util.module_from_spec(spec)
    sys.modules["type_check_examples"] = examples
    spec.loader.exec_module(examples)
    for contract, implementation in (
        (examples.Payments, examples.PaymentsImpl),
        (examples.Approvals, examples.ApprovalsImpl),
        (examples.Mails, examples.MailsImpl),
    ):
        _ = ServiceExecutor(contract, implementation)
    executor = WorkflowExecutor(examples.Orders, examples.OrdersImpl, examples.AsyncOrdersImpl)
    assert "versions 0, 3" in str(executor)
