"""Where the worker and its client run: in this process, or over real servers."""

import os
import subprocess
import sys
import time
from abc import ABC, abstractmethod
from pathlib import Path
from typing import IO
from urllib.parse import unquote, urlsplit

from service_control import ensure

from infinitic_client import AsyncInfiniticClient
from infinitic_worker import InfiniticWorker

TOOLS = Path(__file__).resolve().parent.parent
GRACE_SECONDS = 15

MEMORY = """\
transport: memory
storage: memory
"""

REAL = """\
transport:
  pulsar: {{brokerServiceUrl: "{broker}", webServiceUrl: "{web}", tenant: infinitic, namespace: {name}}}
storage:
  postgres: {{host: "{host}", port: {port}, username: "{user}", password: "${{PG_PASSWORD}}", schema: infinitic_demo}}
"""

SHOP = """\
services:
  - name: PaymentService
    class: demo_shop.PaymentServiceImpl
    concurrency: 10
  - name: ApprovalService
    class: demo_shop.ApprovalServiceImpl
    concurrency: 10
  - name: ShippingService
    class: demo_shop.ShippingServiceImpl
    concurrency: 10
workflows:
  - name: OrderWorkflow
    class: demo_shop.OrderWorkflowImpl
    concurrency: 5
    stateEngine: {concurrency: 10}
"""


class Place(ABC):
    """A worker, and a client that reaches it."""

    client: AsyncInfiniticClient

    @abstractmethod
    async def start(self) -> None:
        """Start the worker."""

    @abstractmethod
    async def close(self) -> None:
        """Stop everything."""

    @abstractmethod
    def worker(self) -> str:
        """Tell in words where the worker is."""

    @abstractmethod
    def check(self) -> None:
        """Raise when the worker ended by itself."""


class OneProcess(Place):
    """Everything in this process, over memory."""

    def __init__(self) -> None:
        """Take the configuration."""
        self._worker = InfiniticWorker.from_yaml_string(MEMORY + SHOP)
        self.client = AsyncInfiniticClient(transport=self._worker.transport, close_transport=False)

    async def start(self) -> None:
        """Start the worker."""
        await self._worker.open()

    async def close(self) -> None:
        """Stop everything."""
        await self.client.close()
        await self._worker.aclose()

    def worker(self) -> str:
        """Tell in words where the worker is."""
        return "in this process"

    def check(self) -> None:
        """Do nothing: it ends with this process."""


class WorkerProcess(Place):
    """The worker in a process of its own, over Pulsar and Postgres."""

    def __init__(self, folder: Path) -> None:
        """Provide the servers, and write the configuration."""
        urls = ensure("pulsar", "postgres")
        postgres = urlsplit(urls["INFINITIC_POSTGRES_URL"])
        text = REAL.format(
            broker=urls["INFINITIC_PULSAR_BROKER_URL"],
            web=urls["INFINITIC_PULSAR_WEB_URL"],
            name=f"demo-{time.time_ns()}",
            host=postgres.hostname or "127.0.0.1",
            port=postgres.port or 5432,
            user=unquote(postgres.username or "postgres"),
        )
        os.environ["PG_PASSWORD"] = unquote(postgres.password or "")
        self._configuration = folder / "infinitic.yml"
        self._configuration.write_text(text + SHOP)
        self.client = AsyncInfiniticClient.from_yaml_string(text)
        self.log = folder / "worker.log"
        self._process: subprocess.Popen[bytes] | None = None
        self._log_file: IO[bytes] = self.log.open("ab")
        self._starts = 0

    async def start(self) -> None:
        """Start the worker."""
        command = [sys.executable, "-m", "infinitic_worker", "run", str(self._configuration)]
        # Classes are looked for in the working directory.
        self._process = subprocess.Popen(  # noqa: ASYNC220 - it takes a moment, once
            command, cwd=TOOLS, stdout=self._log_file, stderr=self._log_file
        )
        self._starts += 1

    def kill(self) -> None:
        """End the worker as the kernel or a power cut does."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    async def close(self) -> None:
        """Stop everything."""
        await self.client.close()
        if self._process is not None:
            self._process.terminate()
            try:
                self._process.wait(GRACE_SECONDS)
            except subprocess.TimeoutExpired:
                self.kill()
        self._log_file.close()

    def worker(self) -> str:
        """Tell in words where the worker is."""
        if self._process is None:
            return "killed"
        return f"process {self._process.pid}, start number {self._starts}"

    def check(self) -> None:
        """Raise when the worker ended by itself."""
        if self._process is not None and self._process.poll() is not None:
            msg = f"the worker ended by itself, status {self._process.returncode}"
            raise ChildProcessError(msg)
