import json
import os
import signal
import time
from collections.abc import Callable
from importlib import resources
from pathlib import Path

import pytest
from commands import PATIENCE_SECONDS, Start

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


def test_without_files_the_usual_one_is_used(
    start: Start, configure: Configure, tmp_path: Path
) -> None:
    configure("Pays")
    (tmp_path / "w.yml").rename(tmp_path / "infinitic.yml")
    check = start("check")
    assert check.end() == 0, check.log
    start("run").until("worker w ready")


def test_the_environment_comes_before_the_usual_file(
    start: Start, configure: Configure, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    configure("Pays")
    (tmp_path / "infinitic.yml").write_text("name: other\n", encoding="utf-8")
    monkeypatch.setenv("INFINITIC_CONFIG", "w.yml")
    start("run").until("worker w ready")


def test_without_any_file_it_is_told_where_to_name_one(start: Start) -> None:
    command = start("check")
    assert command.end() == 1
    assert "INFINITIC_CONFIG" in command.log


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


@pytest.mark.parametrize("copies", ["1", "2"])
def test_garbage_is_collected_less_often_in_every_process(
    start: Start, configure: Configure, copies: str
) -> None:
    configure("Pays")
    command = start("run", "w.yml", "--processes", copies, "--log-level", "debug")
    for _ in range(int(copies)):
        assert "after 50000 alloc" in command.until("garbage is collected")


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


def test_copies_that_are_asked_to_stop_before_they_listen_ended_as_asked(
    start: Start, configure: Configure
) -> None:
    configure("Pays")
    command = start("run", "w.yml", "--processes", "2", "--log-level", "info")
    deadline = time.monotonic() + PATIENCE_SECONDS
    while len(copies_of(command.process.pid)) < 2:
        assert time.monotonic() < deadline
        time.sleep(0.005)  # copies tell nothing before they listen
    command.process.send_signal(signal.SIGTERM)
    assert command.end() == 0
    assert command.log.count(" ready") == 0


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


def copies_of(pid: int) -> list[str]:
    return Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="utf-8").split()


def name_in(line: str) -> str:
    return line.partition("worker ")[2].partition(" ready")[0]


# --- before and beside running --------------------------------------------------------------------


def test_check_tells_what_would_be_hosted(start: Start, configure: Configure) -> None:
    configure("Pays")
    command = start("check", "w.yml")
    assert command.end() == 0
    assert "hosts ServiceExecutor of Payments" in command.output
    assert "transport: probe\n" in command.output


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
