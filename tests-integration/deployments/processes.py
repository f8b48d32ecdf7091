"""Processes that run ``infinitic-worker``."""

import re
import signal
import subprocess
import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from deployments.environments import Environment

PATIENCE_SECONDS = 60.0
LOOK_SECONDS = 0.02


class WorkerProcess:
    """A running ``infinitic-worker run``."""

    def __init__(self, environment: Environment, configuration: Path, *options: str) -> None:
        """Start it."""
        words = [*environment.python, "-m", "infinitic_worker", "run", str(configuration)]
        self._log = configuration.with_suffix(".log")
        with self._log.open("ab") as log:
            self.process = subprocess.Popen(  # noqa: S603 - our own command
                [*words, *options], env=environment.variables, stdout=log, stderr=log
            )

    @property
    def log(self) -> str:
        """All that it wrote."""
        return self._log.read_text(encoding="utf-8")

    def wait_until_logged(self, pattern: str, times: int = 1) -> None:
        """Wait for as many matches of a pattern in the log."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while len(re.findall(pattern, self.log)) < times:
            if self.process.poll() is not None or time.monotonic() > deadline:
                msg = f"{pattern!r} was not logged {times} times by {self.process.args!r}:\n"
                raise AssertionError(msg + self.log)
            time.sleep(LOOK_SECONDS)

    def wait_until_ready(self, processes: int = 1) -> None:
        """Wait until all of its processes receive."""
        self.wait_until_logged(r"worker \S+ ready", processes)

    def terminate(self) -> int:
        """Send SIGTERM, and wait; returns the status."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(PATIENCE_SECONDS)

    def end(self) -> None:
        """Stop it somehow."""
        if self.process.poll() is not None:
            return
        try:
            self.terminate()
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


@contextmanager
def running(
    environment: Environment, configuration: Path, *options: str, processes: int = 1
) -> Generator[WorkerProcess]:
    """Run a worker during the block, which begins when it receives."""
    worker = WorkerProcess(environment, configuration, *options)
    try:
        worker.wait_until_ready(processes)
        yield worker
    finally:
        worker.end()
