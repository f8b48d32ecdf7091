"""Workflows whose every effect leaves a line in a file, so that doubled and lost ones are seen."""

import os
from collections import defaultdict
from datetime import timedelta
from pathlib import Path
from typing import Protocol

from infinitic_common import Channel, Task, Workflow, channel, new_service

STEPS = 4


class Ledger(Protocol):
    """Effects."""

    def note(self, journal: str, order: int, step: int) -> int:
        """Write a line that names order, step and task; gives the step."""
        ...


class LedgerImpl(Ledger):
    """One write for each line, so that lines of several processes never mix."""

    def note(self, journal: str, order: int, step: int) -> int:
        """See ``Ledger``."""
        with Path(journal).open("ab", buffering=0) as file:
            file.write(f"{order} {step} {Task.task_id} {os.getpid()}\n".encode())
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
