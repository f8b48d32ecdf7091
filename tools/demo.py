"""``tools/hatch run demo [--pulsar] [--kill]``: an order workflow, watched while it runs.

Without options everything runs in this process, in memory. With ``--pulsar`` a worker process runs
it on a real broker and Postgres. With ``--kill`` that worker is killed with SIGKILL in the middle of
each step and started again: the order completes with the right result, and no step is decided twice.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit

TOOLS = Path(__file__).parent
sys.path.insert(0, str(TOOLS))

from demo_shop.contracts import Order, OrderResult, OrderWorkflow  # noqa: E402 - the path first
from demo_shop.services import JOURNAL  # noqa: E402 - the same
from infinitic_client import Deferred, InfiniticClient  # noqa: E402 - the same
from infinitic_common import Channel  # noqa: E402 - the same
from infinitic_worker import InfiniticWorker  # noqa: E402 - the same
from rich.console import Console  # noqa: E402 - the same
from rich.live import Live  # noqa: E402 - the same
from rich.table import Table  # noqa: E402 - the same
from service_control import ensure  # noqa: E402 - the same

STEPS = ("charge", "ask approval", "ship", "refund")
PATIENCE = timedelta(seconds=90)
ENTRIES = """
services:
  - name: PaymentService
    class: demo_shop.services.PaymentServiceImpl
    concurrency: 10
  - name: ShippingService
    class: demo_shop.services.ShippingServiceImpl
    concurrency: 10
workflows:
  - name: OrderWorkflow
    class: demo_shop.workflow.OrderWorkflowImpl
    concurrency: 5
    stateEngine: {concurrency: 10}
    tagEngine: {concurrency: 5}
"""
MEMORY = "transport: inMemory\nstorage: inMemory\n"
SERVERS = """
transport:
  pulsar: {{brokerServiceUrl: "{broker}", webServiceUrl: "{web}", tenant: infinitic, namespace: {namespace}}}
storage:
  postgres: {{host: {host}, port: {port}, username: {user}, password: "{password}", schema: {schema}}}
"""

console = Console()


class Journal:
    """What the services noted: which step began or was done, for which task."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "journal.tsv"
        self.path.touch()
        os.environ[JOURNAL] = str(self.path)

    def lines(self) -> list[list[str]]:
        """What, step, subject and task id of each line."""
        return [line.split("\t") for line in self.path.read_text().splitlines()]

    def count(self, what: str, step: str) -> int:
        """How often a step began, or was done."""
        return sum(line[:2] == [what, step] for line in self.lines())

    def tasks(self) -> dict[tuple[str, str], set[str]]:
        """The ids of the tasks of each step of each order."""
        found: dict[tuple[str, str], set[str]] = defaultdict(set)
        for _, step, subject, task_id in self.lines():
            found[step, subject].add(task_id)
        return found


class WorkerProcess:
    """A worker in a process of its own, to be killed at will."""

    def __init__(self, configuration: Path) -> None:
        self._command = [
            sys.executable, "-m", "infinitic_worker", "run", str(configuration),
            "--log-level", "error",
        ]  # fmt: skip
        self._process = self._start()
        self.kills = 0

    def _start(self) -> "subprocess.Popen[bytes]":
        # Pulsar's native client tells of broken connections, which are the point of the demo.
        return subprocess.Popen(
            self._command, cwd=TOOLS, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )

    def kill_and_restart(self, step: str) -> None:
        """SIGKILL, then a new process."""
        self._process.kill()
        self._process.wait()
        self.kills += 1
        console.print(f"[red]SIGKILL[/] in the middle of [bold]{step}[/]; the worker starts again")
        self._process = self._start()

    def stop(self) -> None:
        """SIGTERM, and wait."""
        self._process.terminate()
        self._process.wait()


def main() -> int:
    """Run the demo; the exit status."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pulsar", action="store_true", help="on a real broker and Postgres")
    parser.add_argument("--kill", action="store_true", help="kill the worker in each step")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="infinitic-demo-") as folder:
        journal = Journal(Path(folder))
        if arguments.pulsar or arguments.kill:
            return _on_servers(journal, Path(folder), kill=arguments.kill)
        return _in_memory(journal)


def _in_memory(journal: Journal) -> int:
    with (
        InfiniticWorker.from_yaml_string(MEMORY + ENTRIES),
        InfiniticClient.from_yaml_string(MEMORY) as client,
        _watched(journal),
    ):
        results = [_order(client, journal, "1001", approve=True)]
        results.append(_order(client, journal, "1002", approve=False))
    return _verdict(journal, results)


def _on_servers(journal: Journal, folder: Path, *, kill: bool) -> int:
    configuration = folder / "infinitic.yml"
    configuration.write_text(_servers() + ENTRIES)
    worker = WorkerProcess(configuration)
    try:
        with InfiniticClient.from_yaml_file(configuration) as client, _watched(journal):
            killing = worker if kill else None
            results = [_order(client, journal, "1001", approve=True, worker=killing)]
            results.append(_order(client, journal, "1002", approve=False))
    finally:
        worker.stop()
    if kill:
        console.print(f"The worker was killed {worker.kills} times.")
    return _verdict(journal, results)


def _servers() -> str:
    urls = ensure("pulsar", "postgres")
    postgres = urlsplit(urls["INFINITIC_POSTGRES_URL"])
    name = f"demo_{time.time_ns()}"
    return SERVERS.format(
        broker=urls["INFINITIC_PULSAR_BROKER_URL"],
        web=urls["INFINITIC_PULSAR_WEB_URL"],
        namespace=name,
        host=postgres.hostname,
        port=postgres.port,
        user=postgres.username,
        password=postgres.password or "",
        schema=name,
    )


def _order(
    client: InfiniticClient,
    journal: Journal,
    order_id: str,
    *,
    approve: bool,
    worker: WorkerProcess | None = None,
) -> OrderResult:
    """One order, approved or refused; with a worker, killed in the middle of each step."""
    order = Order(order_id, 99.99)
    deferred = client.dispatch(client.new_workflow(OrderWorkflow).process, order)
    approvals = client.get_workflow_by_id(OrderWorkflow, deferred.id).approvals
    if worker is not None:
        return _order_with_kills(journal, worker, deferred, approvals)
    asked = journal.count("done", "ask approval")
    _wait_until(lambda: journal.count("done", "ask approval") > asked)
    approvals.send(approve)
    return deferred.result(timeout=PATIENCE)


def _order_with_kills(
    journal: Journal,
    worker: WorkerProcess,
    deferred: Deferred[OrderResult],
    approvals: Channel[bool],
) -> OrderResult:
    _wait_until(lambda: journal.count("begun", "charge") > 0)
    worker.kill_and_restart("charge")
    _wait_until(lambda: journal.count("done", "charge") > 0)
    time.sleep(0.5)  # into the timer, which nothing outside the worker shows
    worker.kill_and_restart("the timer")
    _wait_until(lambda: journal.count("begun", "ask approval") > 0)
    worker.kill_and_restart("ask approval")
    _wait_until(lambda: journal.count("done", "ask approval") > 0)
    worker.kill_and_restart("the wait for an approval")
    approvals.send(True)
    _wait_until(lambda: journal.count("begun", "ship") > 0)
    worker.kill_and_restart("ship")
    return deferred.result(timeout=PATIENCE)


def _wait_until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE.total_seconds()
    while not condition():
        if time.monotonic() > deadline:
            message = f"the demo waited for {PATIENCE.total_seconds():.0f} s in vain"
            raise TimeoutError(message)
        time.sleep(0.05)


@contextmanager
def _watched(journal: Journal) -> Iterator[None]:
    """Show the steps while they run."""
    with Live(get_renderable=lambda: _steps(journal), console=console, refresh_per_second=8):
        yield


def _steps(journal: Journal) -> Table:
    table = Table("step", "order", "attempts", "state", title="Orders")
    attempts: Counter[tuple[str, str]] = Counter()
    done: set[tuple[str, str]] = set()
    for what, step, subject, _ in journal.lines():
        if what == "begun":
            attempts[step, subject] += 1
        else:
            done.add((step, subject))
    for step, subject in attempts:
        state = "[green]done[/]" if (step, subject) in done else "[yellow]running[/]"
        table.add_row(step, subject, str(attempts[step, subject]), state)
    return table


def _verdict(journal: Journal, results: list[OrderResult]) -> int:
    """Print what came of it; 0 when all is as it must be."""
    expected = [
        OrderResult("shipped", "payment-1001-99.99", "parcel-1001"),
        OrderResult("refunded", "payment-1002-99.99"),
    ]
    for result in results:
        console.print(result)
    twice = {step: ids for step, ids in journal.tasks().items() if len(ids) > 1}
    console.print(
        "[green]No step was decided twice:[/] each has one task id, however often it was tried."
        if not twice
        else f"[red]Decided twice:[/] {twice}"
    )
    right = results == expected and len(journal.tasks()) == len(expected) * 3
    if not right:
        console.print(f"[red]Not as expected:[/] {expected}")
    return 0 if right and not twice else 1


if __name__ == "__main__":
    sys.exit(main())
