"""A file in which every execution of a service leaves a line when it begins and when it ends.

It outlives the worker, so that the demo can see what a killed one had begun.
"""

import json
import os
import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import attrs

from infinitic_common import Task

FILE_VARIABLE = "INFINITIC_DEMO_JOURNAL"
WORK_VARIABLE = "INFINITIC_DEMO_WORK_SECONDS"


@attrs.frozen
class Entry:
    """A line of the journal.

    Attributes:
        order_id: The order that is worked on.
        step: The method of the service.
        task_id: Id of the task; each decision of a workflow to have work done makes a new one.
        ended: Whether the execution ends with this line, or begins.
        at: Seconds since the epoch.
    """

    order_id: str
    step: str
    task_id: str
    ended: bool
    at: float


def work_seconds() -> float:
    """How long services pretend to work, in seconds."""
    return float(os.environ.get(WORK_VARIABLE, "0"))


@contextmanager
def journaled(order_id: str, step: str) -> Generator[None]:
    """Note the beginning and the end of the block."""
    _write(Entry(order_id, step, Task.task_id, ended=False, at=time.time()))
    yield
    _write(Entry(order_id, step, Task.task_id, ended=True, at=time.time()))


def read(path: Path) -> list[Entry]:
    """All lines so far; one that is being written is left for later."""
    lines = path.read_text().splitlines(keepends=True)
    return [Entry(**json.loads(line)) for line in lines if line.endswith("\n")]


def _write(entry: Entry) -> None:
    line = json.dumps(attrs.asdict(entry)) + "\n"
    # One write, appended: lines of several threads and processes do not mix.
    with Path(os.environ[FILE_VARIABLE]).open("ab", buffering=0) as file:
        file.write(line.encode())
