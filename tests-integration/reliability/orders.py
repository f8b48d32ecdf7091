"""Workflows whose every effect leaves a line in a file, so that doubled and lost ones are seen."""

import os
import time
from collections import defaultdict
from datetime import timedelta
from pathlib import Path
from typing import Protocol

from infinitic_common import Channel, Task, Workflow, channel, new_service

STEPS = 4
_LOOK_SECONDS = 0.01


class Ledger(Protocol):
    """Effects."""

    def note(self, journal: str, order: int, step: int) -> int:
        """Write a line that names order, step and task; gives the step."""
        ...

    def note_and_wait(self, journal: str, step: int) -> int:
        """As ``note``, of order 0; then wait for a file that lets the step end."""
        ...


class LedgerImpl(Ledger):
    """One write for each line, so that lines of several processes never mix."""

    def note(self, journal: str, order: int, step: int) -> int:
        """See ``Ledger``."""
        with Path(journal).open("ab", buffering=0) as file:
            file.write(f"{order} {step} {Task.task_id} {os.getpid()}\n".encode())
        return step

    def note_and_wait(self, journal: str, step: int) -> int:
        """See ``Ledger``."""
        self.note(journal, 0, step)
        while not Path(f"{journal}.{step}").exists():
            time.sleep(_LOOK_SECONDS)
        return step


class Orders(Protocol):
    """The load."""

    approvals: Channel[int] = channel()

    def process(self, journal: str, order: int) -> int:
        """Some steps, a timer and a signal; gives the sum of the steps and the signal."""
        ...


class OrdersImpl(Workflow, Orders):
    """Its code."""

    ledger = new_service(Ledger)

    def process(self, journal: str, order: int) -> int:
        """See ``Orders``."""
        approval = self.approvals.receive()
        total = 0
        for step in range(STEPS):
            total += self.ledger.note(journal, order, step)
            self.timer(timedelta(milliseconds=200)).result()
        total += approval.result()
        return total + self.ledger.note(journal, order, STEPS)


class Walk(Protocol):
    """One workflow whose every step is killed."""

    def walk(self, journal: str, inlines: str) -> int:
        """An inline block and a task, step by step; gives the number of steps."""
        ...


class WalkImpl(Workflow, Walk):
    """Its code."""

    ledger = new_service(Ledger)

    def walk(self, journal: str, inlines: str) -> int:
        """See ``Walk``."""
        for step in range(STEPS + 1):
            self.inline(_note_inline, inlines, step)
            self.ledger.note_and_wait(journal, step)
        return STEPS + 1


def _note_inline(inlines: str, step: int) -> None:
    with Path(inlines).open("ab", buffering=0) as file:
        file.write(f"{step}\n".encode())


def result_of(order: int) -> int:
    """What an order gives when its signal is its number."""
    return sum(range(STEPS + 1)) + order


def decisions(journal: Path) -> dict[tuple[int, int], set[str]]:
    """The ids of the tasks that noted each step of each order: one, or it was decided twice."""
    ids: dict[tuple[int, int], set[str]] = defaultdict(set)
    for line in journal.read_text(encoding="utf-8").splitlines():
        order, step, task_id, _ = line.split()
        ids[int(order), int(step)].add(task_id)
    return dict(ids)
