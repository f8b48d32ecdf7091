"""Tasks that run together: BATCH."""

import threading
import time
from collections import defaultdict
from collections.abc import Mapping
from typing import Protocol

import attrs

from infinitic_common import Workflow, batch, name, new_service

SIZES: defaultdict[str, list[int]] = defaultdict(list)
"""How many tasks the batches of each method had."""


@attrs.frozen
class Pair:
    first: int
    second: int


@attrs.frozen
class Total:
    value: int


class BatchService(Protocol):
    def double(self, number: int) -> int: ...
    def add(self, first: int, second: int) -> int: ...
    def add_slowly(self, first: int, second: int) -> int: ...
    def total(self, number: int) -> Total: ...
    def total_of(self, pair: Pair) -> Total: ...
    def total_slowly(self, pair: Pair) -> Total: ...
    def note(self, number: int) -> None: ...
    def alone(self, number: int) -> int: ...
    def companions(self, number: int) -> int: ...


class BatchServiceImpl:
    def double(self, number: int) -> int:
        raise NotImplementedError

    @batch
    @name("double")
    def doubles(self, numbers: Mapping[str, int]) -> dict[str, int]:
        _count("double", numbers)
        return {task_id: 2 * number for task_id, number in numbers.items()}

    def add(self, first: int, second: int) -> int:
        raise NotImplementedError

    @batch
    @name("add")
    def sums(self, pairs: Mapping[str, Pair]) -> dict[str, int]:
        _count("add", pairs)
        return {task_id: pair.first + pair.second for task_id, pair in pairs.items()}

    def add_slowly(self, first: int, second: int) -> int:
        raise NotImplementedError

    @batch
    @name("add_slowly")
    async def slow_sums(self, pairs: Mapping[str, Pair]) -> dict[str, int]:
        _count("add_slowly", pairs)
        return {task_id: pair.first + pair.second for task_id, pair in pairs.items()}

    def total(self, number: int) -> Total:
        raise NotImplementedError

    @batch
    @name("total")
    def totals(self, numbers: Mapping[str, int]) -> dict[str, Total]:
        _count("total", numbers)
        return {task_id: Total(number) for task_id, number in numbers.items()}

    def total_of(self, pair: Pair) -> Total:
        raise NotImplementedError

    @batch
    @name("total_of")
    def totals_of(self, pairs: Mapping[str, Pair]) -> dict[str, Total]:
        _count("total_of", pairs)
        return {key: Total(pair.first + pair.second) for key, pair in pairs.items()}

    def total_slowly(self, pair: Pair) -> Total:
        raise NotImplementedError

    @batch
    @name("total_slowly")
    def totals_slowly(self, pairs: Mapping[str, Pair]) -> dict[str, Total]:
        _count("total_slowly", pairs)
        return {key: Total(pair.first + pair.second) for key, pair in pairs.items()}

    def note(self, number: int) -> None:
        raise NotImplementedError

    @batch
    @name("note")
    def notes(self, numbers: Mapping[str, int]) -> None:
        _count("note", numbers)

    def alone(self, number: int) -> int:
        return -number

    def companions(self, number: int) -> int:
        raise NotImplementedError

    @batch
    @name("companions")
    def sizes(self, numbers: Mapping[str, int]) -> dict[str, int]:
        return dict.fromkeys(numbers, len(numbers))


def _count(method: str, batch_of_tasks: Mapping[str, object]) -> None:
    SIZES[method].append(len(batch_of_tasks))


class Batches(Protocol):
    def double(self, number: int) -> int: ...
    def add(self, number: int) -> int: ...
    def add_slowly(self, number: int) -> int: ...
    def total(self, number: int) -> int: ...
    def total_of(self, number: int) -> int: ...
    def total_slowly(self, number: int) -> int: ...
    async def note(self, number: int) -> int: ...
    def alone(self, number: int) -> int: ...
    def together(self, number: int) -> list[int]: ...


class BatchesImpl(Workflow, Batches):
    service = new_service(BatchService)

    def double(self, number: int) -> int:
        return self.service.double(number)

    def add(self, number: int) -> int:
        return self.service.add(number, 1)

    def add_slowly(self, number: int) -> int:
        return self.service.add_slowly(number, 1)

    def total(self, number: int) -> int:
        return self.service.total(number).value

    def total_of(self, number: int) -> int:
        return self.service.total_of(Pair(number, 1)).value

    def total_slowly(self, number: int) -> int:
        return self.service.total_slowly(Pair(number, 1)).value

    async def note(self, number: int) -> int:
        await self.dispatch(self.service.note, number)
        return number

    def alone(self, number: int) -> int:
        return self.service.alone(number)

    def together(self, number: int) -> list[int]:
        tasks = [self.dispatch(self.service.companions, n) for n in range(number)]
        return [task.result() for task in tasks]


class Blocking(Protocol):
    def block(self, milliseconds: int) -> int: ...


class BlockingImpl(Workflow, Blocking):
    def block(self, milliseconds: int) -> int:
        """Gives how many blocked at once when it began."""
        return self.inline(_blocked_together, milliseconds / 1000)


_BLOCKED: set[int] = set()


def _blocked_together(seconds: float) -> int:
    here = threading.get_ident()
    _BLOCKED.add(here)
    together = len(_BLOCKED)
    time.sleep(seconds)  # what blocks is the test: in it others may begin
    _BLOCKED.discard(here)
    return together
