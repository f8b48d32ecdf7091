import json
import os
import queue
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from importlib import resources
from pathlib import Path

import pytest
from worker_sites import WHEELS, announce

from infinitic_common.configuration import (
    HealthConfiguration,
    MetricsConfiguration,
    PrometheusConfiguration,
    WorkerConfiguration,
    json_schema,
    load_configuration,
    string_source,
)
from infinitic_worker.cli import of_copy

SHOP = "class Pays: ...\nclass FailsToStart: ...\nclass NeverFinishes: ...\n"
PATIENCE_SECONDS = 20.0


class Command:
    """A running ``infinitic-worker``, and the lines of its log."""

    def __init__(self, folder: Path, *words: str) -> None:
        path = [str(folder / "site"), *sys.path]
        self._output = folder / "output"
        with self._output.open("w", encoding="utf-8") as output:
            self.process = subprocess.Popen(  # noqa: S603 - our own command
                [sys.executable, "-m", "infinitic_worker", *words],
                cwd=folder,
                env={**os.environ, "PYTHONPATH": os.pathsep.join(path)},
                stdout=output,
                stderr=subprocess.PIPE,
                text=True,
            )
        self.lines: list[str] = []
        self._fresh: queue.Queue[str | None] = queue.Queue()
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        assert self.process.stderr is not None
        with self.process.stderr as lines:
            for line in lines:
                self._fresh.put(line)
        self._fresh.put(None)

    def until(self, text: str) -> str:
        """Wait for a line with that text."""
        for line in self._new_lines():
            if text in line:
                return line
        pytest.fail(f"{text!r} was never logged:\n{self.log}")

    def end(self) -> int:
        """Wait for the end; its status."""
        status = self.process.wait(PATIENCE_SECONDS)
        for _ in self._new_lines():
            pass
        return status

    def _new_lines(self) -> Iterator[str]:
        while (line := self._fresh.get(timeout=PATIENCE_SECONDS)) is not None:
            self.lines.append(line)
            yield line
        self._fresh.put(None)  # there is no line after the end, whoever asks

    def until_printed(self, text: str) -> bool:
        """Wait for a text on standard output."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while text not in self.output and time.monotonic() < deadline:
            time.sleep(0.02)
        return text in self.output

    @property
    def output(self) -> str:
        return self._output.read_text(encoding="utf-8")

    @property
    def log(self) -> str:
        return "".join(self.lines)


Start = Callable[..., Command]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    site = tmp_path / "site"
    site.mkdir()
    announce(site, "probe", WHEELS)
    (tmp_path / "shop.py").write_text(SHOP, encoding="utf-8")
    commands: list[Command] = []

    def started(*words: str) -> Command:
        commands.append(Command(tmp_path, *words))
        return commands[-1]

    yield started
    for command in commands:
        command.process.kill()
        command.end()


@pytest.fixture
def configure(tmp_path: Path) -> Callable[[str], None]:
    def configured(class_name: str) -> None:
        text = (
            "name: w\ntransport: {probe: {}}\n"
            f"services: [{{name: Payments, class: shop.{class_name}}}]\n"
        )
        (tmp_path / "w.yml").write_text(text, encoding="utf-8")

    return configured


Configure = Callable[[str], None]


def pid_in(line: str) -> int:
    return int(line.partition(" INFO ")[2].split(maxsplit=1)[0])


# --- one process ----------------------------------------------------------------------------------


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_the_worker_gracefully(
    start: Start, configure: Configure, number: signal.Signals
) -> None:
    configure("Pays")
    command = start("run", "w.yml")
    command.until("worker w ready")
    command.process.send_signal(number)
    assert command.end() == 0
    assert "In Flight Messages:\n* ServiceExecutor of Payments: 0 remaining (0 rec" in command.log
    assert "Traceback" not in command.log


def test_a_second_signal_gives_up_what_is_in_flight(start: Start, configure: Configure) -> None:
    configure("NeverFinishes")
    command = start("run", "w.yml")
    command.until("worker w ready")
    command.process.send_signal(signal.SIGTERM)
    command.until("a second signal")
    command.process.send_signal(signal.SIGTERM)
    assert command.end() == 0
    assert "5 remaining (1000 received)" in command.log


def test_records_show_their_fields_behind_the_text(start: Start, configure: Configure) -> None:
    configure("Pays")
    line = start("run", "w.yml").until("ServiceExecutor of Payments [")
    assert line.endswith("[component=ServiceExecutor of Payments]\n")


def test_the_files_that_the_environment_lists_are_used(
    start: Start, configure: Configure, monkeypatch: pytest.MonkeyPatch
) -> None:
    configure("Pays")
    monkeypatch.setenv("INFINITIC_CONFIG", "w.yml")
    start("run").until("worker w ready")


def test_a_refused_configuration_is_told_without_a_traceback(
    start: Start, configure: Configure
) -> None:
    configure("Missing")
    command = start("run", "w.yml")
    assert command.end() == 1
    assert "infinitic-worker: " in command.log
    assert "shop.Missing" in command.log
    assert "Traceback" not in command.log


def test_a_start_that_fails_is_told_with_the_component(start: Start, configure: Configure) -> None:
    configure("FailsToStart")
    command = start("run", "w.yml")
    assert command.end() == 1
    told = command.lines[-1]
    assert told.startswith("infinitic-worker: while starting ServiceExecutor of Payments")
    assert told.endswith("RuntimeError: the broker said no\n")
    assert "Traceback" not in command.log


# --- several processes ----------------------------------------------------------------------------


def test_a_copy_that_dies_is_started_again(start: Start, configure: Configure) -> None:
    configure("Pays")
    command = start("run", "w.yml", "--processes", "2", "--log-level", "info")
    first = command.until("ready")
    names = {name_in(first), name_in(command.until("ready"))}
    assert names == {"w-1", "w-2"}
    os.kill(pid_in(first), signal.SIGKILL)
    assert "SIGKILL" in command.until("it is started again")
    again = command.until("ready")
    assert name_in(again) == name_in(first)
    command.process.send_signal(signal.SIGTERM)
    assert command.end() == 0
    assert command.log.count(" closed") == 2


def test_a_second_signal_kills_the_copies(start: Start, configure: Configure) -> None:
    configure("NeverFinishes")
    command = start("run", "w.yml", "--processes", "2", "--log-level", "info")
    command.until("ready")
    command.until("ready")
    command.process.send_signal(signal.SIGTERM)
    command.until("stopping")
    command.until("stopping")
    command.process.send_signal(signal.SIGTERM)
    assert command.end() == 1


def test_copies_end_with_the_process_that_started_them(start: Start, configure: Configure) -> None:
    configure("NeverFinishes")
    command = start("run", "w.yml", "--processes", "2", "--log-level", "info")
    command.until("ready")
    command.until("ready")
    command.process.kill()
    command.end()  # the log ends when the last of them has closed it


def test_copies_of_a_worker_in_memory_are_refused(start: Start, tmp_path: Path) -> None:
    (tmp_path / "m.yml").write_text("transport: inMemory\n", encoding="utf-8")
    command = start("run", "m.yml", "--processes", "2")
    assert command.end() == 1
    assert "reaches nobody outside one process" in command.log


def name_in(line: str) -> str:
    return line.partition("worker ")[2].partition(" ready")[0]


# --- before and beside running --------------------------------------------------------------------


def test_check_tells_what_would_be_hosted(start: Start, configure: Configure) -> None:
    configure("Pays")
    command = start("check", "w.yml")
    assert command.end() == 0
    assert "hosts ServiceExecutor of Payments" in command.output
    assert "transport: " in command.output


def test_check_tells_every_problem_with_its_place(start: Start, tmp_path: Path) -> None:
    (tmp_path / "w.yml").write_text(
        "transport: {probe: {}}\nservices: [{name: P, class: shop.Pays, concurency: 2}]\nlog: {}\n",
        encoding="utf-8",
    )
    command = start("check", "w.yml")
    assert command.end() == 1
    assert (
        "services[0].concurency (w.yml:2): unknown key; did you mean 'concurrency'?" in command.log
    )
    assert "log (w.yml:3): unknown key; did you mean 'logs'?" in command.log


def test_the_schema_is_printed_and_shipped(start: Start) -> None:
    command = start("schema")
    assert command.end() == 0
    assert json.loads(command.output) == json_schema()
    shipped = resources.files("infinitic_worker").joinpath("infinitic.schema.json").read_text()
    remedy = "renew it: infinitic-worker schema > src/infinitic_worker/infinitic.schema.json"
    assert shipped == command.output, remedy


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


# --- how it is watched ----------------------------------------------------------------------------


def test_each_copy_has_a_name_and_ports_of_its_own() -> None:
    text = (
        "name: w\ntransport: inMemory\nhealth: {port: 8081}\n"
        "metrics: {prometheus: {port: 9464}, queueDepthSeconds: 3}\n"
    )
    configuration = load_configuration(WorkerConfiguration, string_source(text))
    third = of_copy(configuration, 3)
    assert third.name == "w-3"
    assert third.health == HealthConfiguration(port=8083)
    assert third.metrics == MetricsConfiguration(
        prometheus=PrometheusConfiguration(port=9466), queue_depth_seconds=3
    )
    first = of_copy(configuration, 1)
    assert (first.health, first.metrics) == (configuration.health, configuration.metrics)


def test_a_free_port_stays_one_and_what_is_not_watched_stays_unwatched() -> None:
    text = "transport: inMemory\nhealth: {port: 0}\n"
    second = of_copy(load_configuration(WorkerConfiguration, string_source(text)), 2)
    assert (second.name, second.health, second.metrics) == (None, HealthConfiguration(port=0), None)


def test_logs_are_as_the_file_says(start: Start, configure: Configure, tmp_path: Path) -> None:
    configure("Pays")
    with (tmp_path / "w.yml").open("a", encoding="utf-8") as file:
        file.write("logs: {format: json, level: debug}\n")
    command = start("run", "w.yml")
    command.until("worker w ready")
    command.process.send_signal(signal.SIGTERM)
    command.end()
    said = [json.loads(line) for line in command.lines]
    assert {one["level"] for one in said} >= {"DEBUG", "INFO"}
    assert "Worker" in {one.get("component") for one in said}


def test_the_level_of_the_command_line_goes_before_that_of_the_file(
    start: Start, configure: Configure, tmp_path: Path
) -> None:
    configure("Pays")
    with (tmp_path / "w.yml").open("a", encoding="utf-8") as file:
        file.write("logs: {level: error}\n")
    assert "worker w ready" in start("run", "w.yml", "--log-level", "info").until("ready")
