"""What the image is made by, run without it: wheels of the checkout, and a worker that works."""

import asyncio
import re
import shutil
import signal
import socket
import subprocess
import time
import urllib.request
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

import attrs
import pytest
from containers.documents import KUBERNETES, ROOT, SHOP, Document, at, documents_of, of_kind
from containers.files import compose_files, stack
from containers.unprivileged import Unprivileged, unprivileged
from deployments.configurations import Servers, servers

from infinitic_client import AsyncInfiniticClient

PATIENCE_SECONDS = 60.0
LOOK_SECONDS = 0.05
IGNORED = shutil.ignore_patterns(".*", "__pycache__", "tests")


class OrderWorkflow(Protocol):
    """What a client needs to know of the workflow in docker/shop."""

    def process_order(self, order_id: str, approval_seconds: float) -> str:
        """See there."""
        ...


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@attrs.frozen
class Worker:
    """A worker that was installed and runs with the configuration of docker/stack.yaml.

    Attributes:
        process: It.
        log: What it writes.
        transport: Where its broker is, for clients.
        health: Port that tells how it is.
        metrics: Port that tells what it counts.
    """

    process: subprocess.Popen[bytes]
    log: Path
    transport: str
    health: int
    metrics: int

    def wait_until_logged(self, pattern: str) -> None:
        """Wait for a match in the log."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not re.search(pattern, self.text):
            assert self.process.poll() is None, self.text
            assert time.monotonic() < deadline, self.text
            time.sleep(LOOK_SECONDS)

    @property
    def text(self) -> str:
        """All that it wrote."""
        return self.log.read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def somebody() -> Generator[Unprivileged]:
    """A user without rights, who has the files that the image is made from."""
    with unprivileged() as user:
        for name in ("docker", "tools", "packages"):
            shutil.copytree(ROOT / name, user.home / "checkout" / name, ignore=IGNORED)
        shutil.copytree(SHOP, user.home / "app")
        user.own(user.home)
        yield user


@pytest.fixture(scope="module")
def installed(somebody: Unprivileged) -> Path:
    """The environment that ``docker/install.sh`` made."""
    target = somebody.home / "installed"
    script = somebody.home / "checkout" / "docker" / "install.sh"
    status, output = somebody.run(script, target, PYTHON=str(somebody.python()))
    assert status == 0, output
    return target


@pytest.fixture(scope="module")
def worker(somebody: Unprivileged, installed: Path) -> Iterator[Worker]:
    """The worker of docker/stack.yaml, on other servers and ports, until the end of the tests."""
    with _running(somebody, installed, servers()) as running:
        yield running


@contextmanager
def _running(somebody: Unprivileged, installed: Path, places: Servers) -> Generator[Worker]:
    health, metrics = _free_port(), _free_port()
    hosted = compose_files()["/config/worker.yml"]
    _, _, hosted = hosted.partition("namespace: example\n")
    hosted = hosted.replace("8081", str(health)).replace("9464", str(metrics))
    own = somebody.home / "app" / "infinitic.yml"
    own.write_text(places.transport + places.storage + hosted, encoding="utf-8")
    app = str(somebody.home / "app")
    log = somebody.home / "worker.log"
    command = installed / "bin" / "infinitic-worker"
    process = somebody.start(command, "run", log=log, INFINITIC_CONFIG=str(own), PYTHONPATH=app)
    try:
        running = Worker(process, log, places.transport, health, metrics)
        running.wait_until_logged(r"worker \S+ ready")
        yield running
    finally:
        process.kill()
        process.wait()


@pytest.mark.timeout(1200)
def test_the_check_of_the_container_finds_the_worker_healthy(
    worker: Worker, somebody: Unprivileged, installed: Path
) -> None:
    test = at(stack(), "services", "worker", "healthcheck", "test")
    assert isinstance(test, list)
    assert test[:3] == ["CMD", "python", "-c"]
    code = str(test[3]).replace("8081", str(worker.health))
    assert somebody.run(installed / "bin" / "python", "-c", code) == (0, "")


@pytest.mark.timeout(1200)
@pytest.mark.parametrize("probe", ["startupProbe", "readinessProbe", "livenessProbe"])
def test_probes_of_kubernetes_are_answered(worker: Worker, probe: str) -> None:
    for deployment in of_kind("Deployment"):
        containers = at(deployment, "spec", "template", "spec", "containers")
        assert isinstance(containers, list)
        path = at(containers[0], probe, "httpGet", "path")
        with urllib.request.urlopen(f"http://127.0.0.1:{worker.health}{path}") as answer:
            assert answer.status == 200


@pytest.mark.timeout(1200)
def test_pods_are_scaled_by_a_series_that_workers_have(worker: Worker) -> None:
    selectors = [
        at(each, "spec", "metrics", 0, "external", "metric", "selector", "matchLabels")
        for each in of_kind("HorizontalPodAutoscaler")
    ]
    # The example deploys the parts that one worker has here, but for workflow code elsewhere.
    wanted = [each for each in selectors if "workflow-executor" not in str(each)]
    assert len(wanted) == 2
    (adapter,) = documents_of(KUBERNETES / "prometheus-adapter.yaml")
    query = str(at(adapter, "rules", "external", 0, "seriesQuery"))
    name = query.partition('"')[2].partition('"')[0]
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not all(_has(worker, name, each) for each in wanted):
        assert time.monotonic() < deadline, (name, wanted)
        time.sleep(LOOK_SECONDS)


def _has(worker: Worker, name: str, labels: object) -> bool:
    assert isinstance(labels, dict)
    with urllib.request.urlopen(f"http://127.0.0.1:{worker.metrics}/metrics") as answer:
        lines = answer.read().decode().splitlines()
    found: list[Document] = [
        dict(re.findall(r'(\w+)="([^"]*)"', line)) for line in lines if line.startswith(f"{name}{{")
    ]
    return any(labels.items() <= each.items() for each in found)


@pytest.mark.timeout(1200)
async def test_the_installed_worker_runs_an_order_on_real_servers(worker: Worker) -> None:
    async with (
        AsyncInfiniticClient.from_yaml_string(worker.transport) as client,
        asyncio.timeout(PATIENCE_SECONDS),
    ):
        order = client.new_workflow(OrderWorkflow).process_order
        assert await client.call(order, "order-1", 0.1) == "refunded order-1-99.99"


@pytest.mark.timeout(1200)
def test_the_command_of_the_client_is_beside_it_and_reads_the_same_file(
    worker: Worker, somebody: Unprivileged, installed: Path
) -> None:
    assert worker.process.poll() is None
    words = ("workflow", "start", "--wait", "OrderWorkflow", "process_order", '"order-2"', "0.1")
    own = str(somebody.home / "app" / "infinitic.yml")
    status, output = somebody.run(installed / "bin" / "infinitic", *words, INFINITIC_CONFIG=own)
    assert (status, output.strip().strip('"')) == (0, "refunded order-2-99.99")


@pytest.mark.timeout(1200)
def test_it_ends_with_status_0_on_sigterm(worker: Worker) -> None:
    worker.process.send_signal(signal.SIGTERM)
    assert worker.process.wait(PATIENCE_SECONDS) == 0, worker.text
    assert "In Flight Messages:" in worker.text
    assert "Traceback" not in worker.text


@pytest.mark.timeout(1200)
def test_what_is_installed_comes_from_the_wheels_of_the_checkout(
    somebody: Unprivileged, installed: Path
) -> None:
    code = (
        "import importlib.metadata as m; "
        "print(*sorted(f'{d.name}={d.version}' for d in m.distributions()))"
    )
    status, output = somebody.run(installed / "bin" / "python", "-I", "-c", code)
    assert status == 0, output
    found = dict(word.split("=") for word in output.split())
    ours = {name for name in found if name.startswith("infinitic-")}
    assert ours == {path.name for path in (ROOT / "packages").glob("infinitic-*")}
    pins = dict(
        line.split("==")
        for line in (ROOT / "tools" / "constraints.txt").read_text(encoding="utf-8").splitlines()
        if "==" in line
    )
    others = {name.lower().replace("_", "-"): found[name] for name in set(found) - ours}
    # A patch release of Python may need a package more than the one that the pins were made with.
    assert {name: pins.get(name, version) for name, version in others.items()} == others


@pytest.mark.timeout(1200)
def test_a_folder_that_is_there_is_left_alone(somebody: Unprivileged, installed: Path) -> None:
    script = somebody.home / "checkout" / "docker" / "install.sh"
    status, output = somebody.run(script, installed)
    assert status == 1
    assert "is there already" in output
