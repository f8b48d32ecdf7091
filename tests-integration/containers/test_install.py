"""What the image is made by, run without it: wheels of the checkout, and a worker that works."""

import asyncio
import re
import shutil
import signal
import subprocess
import time
from collections.abc import Generator
from pathlib import Path
from typing import Protocol

import pytest
from containers.documents import ROOT, SHOP
from containers.unprivileged import Unprivileged, unprivileged
from deployments.configurations import servers

from infinitic_client import AsyncInfiniticClient

READY_SECONDS = 60.0
LOOK_SECONDS = 0.05
IGNORED = shutil.ignore_patterns(".*", "__pycache__", "tests")

HOSTED = """\
health: {port: 0, host: 127.0.0.1}
services:
  - {name: PaymentService, class: shop.PaymentServiceImpl, concurrency: 10}
workflows:
  - name: OrderWorkflow
    class: shop.OrderWorkflowImpl
    concurrency: 5
    stateEngine: {concurrency: 10}
    tagEngine: {concurrency: 5}
"""


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


def _wait_until_logged(pattern: str, log: Path, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + READY_SECONDS
    while not re.search(pattern, log.read_text(encoding="utf-8")):
        text = log.read_text(encoding="utf-8")
        assert process.poll() is None, text
        assert time.monotonic() < deadline, text
        time.sleep(LOOK_SECONDS)


@pytest.mark.timeout(1200)
async def test_the_installed_worker_runs_an_order_on_real_servers_and_stops_on_sigterm(
    somebody: Unprivileged, installed: Path
) -> None:
    places = servers()
    configuration = somebody.home / "app" / "infinitic.yml"
    configuration.write_text(places.transport + places.storage + HOSTED, encoding="utf-8")
    log = somebody.home / "worker.log"
    variables = {"INFINITIC_CONFIG": str(configuration), "PYTHONPATH": str(somebody.home / "app")}
    process = somebody.start(installed / "bin" / "infinitic-worker", "run", log=log, **variables)
    try:
        _wait_until_logged(r"worker \S+ ready", log, process)
        async with (
            AsyncInfiniticClient.from_yaml_string(places.transport) as client,
            asyncio.timeout(60),
        ):
            assert await _order(client) == "refunded order-1-99.99"
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 0, log.read_text(encoding="utf-8")
    finally:
        process.kill()
        process.wait()
    assert "In Flight Messages:" in log.read_text(encoding="utf-8")


class OrderWorkflow(Protocol):
    """What a client needs to know of the workflow in docker/shop."""

    def process_order(self, order_id: str, approval_seconds: float) -> str:
        """See there."""
        ...


async def _order(client: AsyncInfiniticClient) -> str:
    return await client.call(client.new_workflow(OrderWorkflow).process_order, "order-1", 0.1)


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
