"""What the workers of these tests host; each process imports it by name."""

import os
import time
from datetime import timedelta
from pathlib import Path
from typing import Protocol

from infinitic_common import Channel, Workflow, channel, new_service


class Counting(Protocol):
    """Calls that tell where they ran."""

    def add(self, left: int, right: int) -> int:
        """Add."""
        ...

    def process_id(self) -> int:
        """Return the id of the process."""
        ...

    def hold(self, folder: str) -> str:
        """Leave a file ``held``, and end when there is a file ``go``."""
        ...


class CountingImpl:
    """The code of it."""

    def add(self, left: int, right: int) -> int:
        """Add."""
        return left + right

    def process_id(self) -> int:
        """Return the id of the process."""
        return os.getpid()

    def hold(self, folder: str) -> str:
        """Leave a file ``held``, and end when there is a file ``go``."""
        with Path(folder, "held").open("a", encoding="utf-8") as file:
            file.write("x")
        while not Path(folder, "go").exists():
            time.sleep(0.01)
        return "went"


class Totals(Protocol):
    """Workflows over it."""

    numbers: Channel[int] = channel()

    def sum_to(self, count: int) -> int:
        """Add numbers, one call after the other, with a timer and a signal in between."""
        ...

    def where(self) -> int:
        """Tell in which process a call ran."""
        ...

    def hold(self, folder: str) -> str:
        """Have a call wait for a file."""
        ...


class TotalsImpl(Workflow, Totals):
    """The code of them."""

    counting = new_service(Counting)

    def sum_to(self, count: int) -> int:
        """Add numbers, one call after the other, with a timer and a signal in between."""
        received = self.numbers.receive()
        total = 0
        for number in range(count):
            total = self.counting.add(total, number)
        self.timer(timedelta(milliseconds=100)).result()
        return self.counting.add(total, received.result())

    def where(self) -> int:
        """Tell in which process a call ran."""
        return self.counting.process_id()

    def hold(self, folder: str) -> str:
        """Have a call wait for a file."""
        return self.counting.hold(folder)
