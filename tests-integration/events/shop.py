"""A service and a workflow that do a bit of everything that events tell of."""

# ruff: noqa: D101, D102 - read beside the tests

from datetime import timedelta
from typing import Protocol

from infinitic_common import (
    Channel,
    Task,
    Workflow,
    channel,
    delegated,
    new_service,
    new_workflow,
    retry,
)


class OutOfStockError(Exception):
    """There is none."""


def at_once(attempt: int, exception: Exception) -> float | None:  # noqa: ARG001 - the policy's
    """A second attempt, no third."""
    return 0.01 if attempt == 0 else None


class Stock(Protocol):
    def count(self, item: str) -> int: ...
    def shaky(self, item: str) -> int: ...
    def broken(self, item: str) -> int: ...
    def ordered(self, item: str) -> int: ...


class StockImpl:
    def count(self, item: str) -> int:
        return len(item)

    @retry(at_once)
    def shaky(self, item: str) -> int:
        if Task.retry_index == 0:
            raise OutOfStockError(item)
        return len(item)

    def broken(self, item: str) -> int:
        raise OutOfStockError(item)

    @delegated
    def ordered(self, item: str) -> int:
        return len(item)


class Orders(Protocol):
    approvals: Channel[bool] = channel()

    def order(self, item: str) -> int: ...
    def approved(self) -> bool: ...
    def later(self) -> int: ...
    def failing(self, item: str) -> int: ...
    def parent(self, item: str) -> int: ...
    def waiting(self, item: str) -> int: ...
    def note(self, text: str) -> str: ...


class OrdersImpl(Workflow, Orders):
    stock = new_service(Stock)
    other = new_workflow(Orders)

    def order(self, item: str) -> int:
        return self.stock.count(item) + self.stock.shaky(item)

    def approved(self) -> bool:
        return self.approvals.receive().result()

    def later(self) -> int:
        self.timer(timedelta(milliseconds=20)).result()
        return 1

    def failing(self, item: str) -> int:
        return self.stock.broken(item)

    def parent(self, item: str) -> int:
        return self.other.order(item)

    def waiting(self, item: str) -> int:
        return self.stock.ordered(item)

    def note(self, text: str) -> str:
        return text
