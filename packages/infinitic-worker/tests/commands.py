"""A running ``infinitic-worker``, whose output a test can wait for."""

# ruff: noqa: D102, INP001, S101 - this is read beside the tests

import os
import queue
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

PATIENCE_SECONDS = 20.0


class Command:
    """The process, and the lines of its log."""

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
            time.sleep(0.02)  # nothing tells of what is written to the file
        return text in self.output

    @property
    def output(self) -> str:
        return self._output.read_text(encoding="utf-8")

    @property
    def log(self) -> str:
        return "".join(self.lines)


Start = Callable[..., Command]
