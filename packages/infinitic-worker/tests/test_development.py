from pathlib import Path

import pytest
from commands import Start
from worker_sites import announce

MODULE = """
import os
from typing import Protocol

from infinitic_common import Workflow, new_service


class Payments(Protocol):
    def charge(self, order: str) -> str: ...


class PaymentsImpl(Payments):
    def charge(self, order: str) -> str:
        return order


class Orders(Protocol):
    def process(self, order: str) -> str: ...


class OrdersImpl(Workflow, Orders):
    payments = new_service(Payments)

    def process(self, order: str) -> str:
        return self.payments.charge(order)


class OrdersImpl_1(OrdersImpl):
    pass


def greet(client: object) -> str:
    return "greetings from " + type(client).__name__


def cannot(client: object) -> None:
    raise RuntimeError("no such order")
"""
DEVELOPMENT = "name: d\ntransport: {probe: {}}\nstorage: {probe: {}}\n"


@pytest.fixture
def module(tmp_path: Path) -> Path:
    (tmp_path / "d.yml").write_text(DEVELOPMENT, encoding="utf-8")
    path = tmp_path / "orders.py"
    path.write_text(MODULE, encoding="utf-8")
    return path


def test_dev_hosts_what_the_module_implements(start: Start, module: Path) -> None:
    command = start("dev", module.stem, "--config", "d.yml", "--no-reload")
    command.until("worker d ready")
    command.process.terminate()
    assert command.end() == 0
    for part in ("ServiceExecutor of Payments", "WorkflowStateEngine of Orders"):
        assert f"{part} " in command.log
    assert "Orders by orders.OrdersImpl, orders.OrdersImpl_1" in command.log


def test_dev_starts_anew_when_a_source_changes(start: Start, module: Path) -> None:
    command = start("dev", module.stem, "--config", "d.yml")
    command.until("worker d ready")
    module.write_text(f"{MODULE}\n# changed\n", encoding="utf-8")
    command.until("orders.py has changed")
    command.until("worker d ready")
    command.process.terminate()
    assert command.end() == 0


def test_dev_goes_on_after_code_that_cannot_be_imported(start: Start, module: Path) -> None:
    command = start("dev", module.stem, "--config", "d.yml")
    command.until("worker d ready")
    module.write_text("this is no Python", encoding="utf-8")
    command.until("SyntaxError")
    module.write_text(MODULE, encoding="utf-8")
    command.until("worker d ready")


def test_dev_says_what_a_module_lacks(start: Start, tmp_path: Path) -> None:
    (tmp_path / "empty.py").write_text("", encoding="utf-8")
    command = start("dev", "empty", "--no-reload")
    assert command.end() == 1
    assert "implements no service and no workflow" in command.log
    command = start("dev", "absent", "--no-reload")
    assert command.end() == 1
    assert "module absent is not found" in command.log


def test_dev_refuses_to_call_a_coroutine(start: Start, module: Path) -> None:
    with module.open("a", encoding="utf-8") as more:
        more.write("\nasync def later(client): pass\n")
    command = start("dev", module.stem, "--no-reload", "--call", "later")
    assert command.end() == 1
    assert "'later' is 'async def': name a plain function" in command.log


def test_dev_calls_a_function_with_the_client(start: Start, module: Path, tmp_path: Path) -> None:
    announce(
        tmp_path / "site",
        "probe-client",
        "[infinitic.clients]\nasync = worker_doubles:make_client\n",
    )
    command = start("dev", module.stem, "--config", "d.yml", "--no-reload", "--call", "greet")
    assert command.until_printed("greetings from RecordingBlockingClient")
    command.process.terminate()
    assert command.end() == 0


def test_dev_tells_why_the_call_failed_and_goes_on(
    start: Start, module: Path, tmp_path: Path
) -> None:
    announce(
        tmp_path / "site",
        "probe-client",
        "[infinitic.clients]\nasync = worker_doubles:make_client\n",
    )
    command = start("dev", module.stem, "--config", "d.yml", "--no-reload", "--call", "cannot")
    command.until("RuntimeError: no such order")
    command.process.terminate()
    assert command.end() == 0
