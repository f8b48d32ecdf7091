"""What the READMEs show, run as it is written there."""

import re
import signal
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Protocol, cast

import pytest

from infinitic_common import Workflow
from infinitic_common.configuration import (
    WorkerConfiguration,
    load_configuration,
    string_source,
)
from infinitic_worker import InfiniticWorker

ROOT = Path(__file__).resolve().parent.parent.parent
README = ROOT / "README.md"
WORKER_README = ROOT / "packages" / "infinitic-worker" / "README.md"
PATIENCE_SECONDS = 60


class Payments(Protocol):
    def charge(self, amount: int) -> int: ...


class PaymentsImpl:
    def charge(self, amount: int) -> int:
        return amount


class Order(Protocol):
    def process(self) -> int: ...


class OrderImpl(Workflow, Order):
    def process(self) -> int:
        return 1


def _block(file: Path, language: str, text: str) -> str:
    fenced = re.compile(rf"```{language}\n(.*?)```", re.DOTALL)
    blocks = (match.group(1) for match in fenced.finditer(file.read_text(encoding="utf-8")))
    return next(block for block in blocks if text in block)


@pytest.fixture
def hello(tmp_path: Path) -> Path:
    for language, name in (("python", "hello.py"), ("yaml", "infinitic.yml")):
        (tmp_path / name).write_text(_block(README, language, f"# {name}"), encoding="utf-8")
    return tmp_path


def test_the_hello_world_says_hello(hello: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-W", "error", "hello.py"],
        cwd=hello,
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECONDS,
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "Hello, Ada!\n", "")


def test_the_command_runs_the_hello_world_until_sigterm(hello: Path) -> None:
    command = Path(sys.executable).with_name("infinitic-worker")
    with subprocess.Popen(  # noqa: S603 - our own command
        [command, "run", "infinitic.yml"], cwd=hello, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stderr is not None
        while "ready" not in (line := process.stderr.readline()):
            assert line, process.wait()
        process.send_signal(signal.SIGTERM)
        _, log = process.communicate(timeout=PATIENCE_SECONDS)
    assert process.returncode == 0
    assert "In Flight Messages:" in log


def test_the_way_to_pulsar_keeps_the_rest_of_the_hello_world(
    hello: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PG_PASSWORD", "secret")
    servers = _block(README, "yaml", "brokerServiceUrl")
    memory = (hello / "infinitic.yml").read_text(encoding="utf-8")
    code = memory.partition("services:")[2]
    configuration = load_configuration(
        WorkerConfiguration, string_source(f"{servers}services:{code}")
    )
    assert configuration.transport.kind == "pulsar"
    assert [each.name for each in configuration.workflows] == ["Welcome"]


def test_the_worker_of_its_readme_runs_from_yaml(
    hello: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(hello)
    monkeypatch.syspath_prepend(str(hello))
    names: dict[str, object] = {}
    exec(_block(WORKER_README, "python", "from_yaml_file"), names)  # noqa: S102 - our own words
    assert names["client"] is not None


async def test_the_worker_of_its_readme_runs_composed_by_hand(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    shop = ModuleType("shop")
    vars(shop).update(
        Payments=Payments, PaymentsImpl=PaymentsImpl, Order=Order, OrderImpl=OrderImpl
    )
    monkeypatch.setitem(sys.modules, "shop", shop)
    names: dict[str, object] = {}
    exec(_block(WORKER_README, "python", "components=["), names)  # noqa: S102 - our own words
    async with cast("InfiniticWorker", names["worker"]) as worker:
        client = worker.async_client
        assert await client.call(client.new_workflow(Order).process) == 1
