"""The deployments of `worker/`, on real servers and in environments that hold no more than they need."""

import asyncio
import subprocess
import sys
import uuid
from collections.abc import Iterator
from contextlib import ExitStack, chdir
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
from deployments.environments import ALL_WHEELS, Environment, environment_with
from deployments.processes import PATIENCE_SECONDS, running
from service_control import ensure

from infinitic_client import AsyncInfiniticClient

WORKER = Path(__file__).resolve().parent / "worker"
sys.path.insert(0, str(WORKER))

from shop import OrderWorkflow  # noqa: E402 - it is beside the example

HOST = ("infinitic-common", "infinitic-worker", "infinitic-transport-pulsar")
EXECUTORS = (*HOST, "infinitic-task-executor")
ENGINES = (
    *HOST,
    "infinitic-storage",
    "infinitic-workflow-engine",
    "infinitic-workflow-tag",
    "infinitic-task-tag",
)
BY_HAND = (
    "infinitic-common",
    "infinitic-worker",
    "infinitic-client",
    "infinitic-transport",
    "infinitic-storage",
    "infinitic-task-executor",
    "infinitic-workflow-engine",
)
PARTS = {
    ("services.yml", "pulsar.yml"): EXECUTORS,
    ("executors.yml", "pulsar.yml"): EXECUTORS,
    ("engines.yml", "pulsar.yml", "postgres.yml"): ENGINES,
}


@pytest.fixture(autouse=True)
def places(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Real servers, told as the files ask for them; classes are found in the working directory."""
    urls = ensure("pulsar", "postgres")
    postgres = urlsplit(urls["INFINITIC_POSTGRES_URL"])
    told = {
        "PULSAR_BROKER_URL": urls["INFINITIC_PULSAR_BROKER_URL"],
        "PULSAR_WEB_URL": urls["INFINITIC_PULSAR_WEB_URL"],
        "NAMESPACE": f"examples-{uuid.uuid4().hex[:12]}",
        "PG_HOST": postgres.hostname or "",
        "PG_PORT": str(postgres.port or 5432),
        "PG_USER": unquote(postgres.username or "postgres"),
        "PG_PASSWORD": unquote(postgres.password or "none"),
    }
    for name, value in told.items():
        monkeypatch.setenv(name, value)
    with chdir(WORKER):
        yield


async def orders(count: int) -> list[str]:
    """Have some orders processed, and return the ids of the transactions."""
    async with (
        asyncio.timeout(60),
        AsyncInfiniticClient.from_yaml_file(WORKER / "pulsar.yml") as client,
    ):
        order = client.new_workflow(OrderWorkflow).process_order
        receipts = [client.call(order, f"order-{number}") for number in range(count)]
        return [receipt.transaction_id for receipt in await asyncio.gather(*receipts)]


EXPECTED = [f"order-{number} paid 99.99" for number in range(10)]


async def test_the_monolithic_worker_processes_orders(tmp_path: Path) -> None:
    everything = environment_with(ALL_WHEELS, tmp_path / "wheels")
    with running(everything, linked(tmp_path, "monolithic.yml")):
        assert await orders(10) == EXPECTED


async def test_the_three_parts_process_orders_together(tmp_path: Path) -> None:
    with ExitStack() as stack:
        for number, (files, wheels) in enumerate(PARTS.items()):
            environment: Environment = environment_with(wheels, tmp_path / f"wheels-{number}")
            first, *others = (str(linked(tmp_path, file)) for file in files)
            stack.enter_context(running(environment, Path(first), *others))
        assert await orders(10) == EXPECTED


def test_worker_01_the_worker_composed_by_hand_needs_its_wheels_only(tmp_path: Path) -> None:
    environment = environment_with(BY_HAND, tmp_path / "wheels")
    done = subprocess.run(  # noqa: S603 - our own command
        [*environment.python, "by_hand.py"],
        env={**environment.variables, "PYTHONWARNINGS": "error"},
        cwd=WORKER,
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECONDS,
        check=False,
    )
    assert (done.returncode, done.stdout) == (0, "order-1 paid 99.99\n"), done.stderr


def linked(folder: Path, name: str) -> Path:
    """The file in a folder where its worker may write its log beside it."""
    path = folder / name
    if not path.exists():
        path.symlink_to(WORKER / name)
    return path
