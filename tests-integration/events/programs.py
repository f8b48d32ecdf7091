"""A service and a workflow that do a bit of everything that events tell of."""

# ruff: noqa: D101, D102, D103 - their names say what they do

from datetime import timedelta
from typing import Protocol

from infinitic_common import (
    Channel,
    Deferred,
    Task,
    TaskTimedOut,
    Workflow,
    WorkflowTimedOut,
    WorkflowUnknown,
    channel,
    delegated,
    get_workflow_by_id,
    new_service,
    new_workflow,
    retry,
    timeout,
)

TAGS = frozenset({"blue"})
META = {"note": b"\x00\xff"}
SHORT = timedelta(milliseconds=30)


class OutOfStockError(Exception):
    """There is none."""

    def __init__(self, item: str) -> None:
        super().__init__(f"no {item}")
        self.item = item


def once_more(attempt: int, exception: Exception) -> float | None:  # noqa: ARG001 - a policy's
    return 0.01 if attempt == 0 else None


class Stock(Protocol):
    def count(self, item: str) -> int: ...
    def shaky(self, item: str) -> int: ...
    def broken(self, item: str) -> int: ...
    @delegated
    def ordered(self, item: str) -> int: ...
    @delegated
    @timeout(SHORT)
    def forgotten(self, item: str) -> int: ...


class StockImpl:
    def count(self, item: str) -> int:
        return len(item)

    @retry(once_more)
    def shaky(self, item: str) -> int:
        if Task.retry_index == 0:
            raise OutOfStockError(item)
        return len(item)

    @retry(once_more)
    def broken(self, item: str) -> int:
        raise OutOfStockError(item)

    @delegated
    def ordered(self, item: str) -> int:
        return len(item) + 100

    @delegated
    def forgotten(self, item: str) -> int:
        return len(item)


class Orders(Protocol):
    approvals: Channel[str] = channel()
    offers: Channel[str] = channel(discard_unexpected=True)

    def order(self, item: str) -> int: ...
    def shaky(self, item: str) -> int: ...
    def broken(self, item: str) -> int: ...
    def ordered(self, item: str) -> int: ...
    def forgotten(self, item: str) -> str: ...
    def buggy(self) -> int: ...
    def approved(self) -> str: ...
    def offered(self) -> str: ...
    def later(self, item: str) -> int: ...
    def note(self, text: str) -> str: ...
    def parent(self, item: str) -> int: ...
    def parent_of_broken(self, item: str) -> int: ...
    def parent_of_waiting(self) -> str: ...
    def parent_of_impatient(self) -> str: ...
    def asks(self, workflow_id: str) -> str: ...
    def asks_nobody(self) -> str: ...
    def sends(self, workflow_id: str) -> None: ...
    @timeout(SHORT)
    def impatient(self) -> str: ...


class OrdersImpl(Workflow, Orders):
    stock = new_service(Stock, tags=TAGS, meta=META)
    child = new_workflow(Orders, tags=TAGS, meta=META)

    def order(self, item: str) -> int:
        return self.stock.count(item)

    def shaky(self, item: str) -> int:
        return self.stock.shaky(item)

    def broken(self, item: str) -> int:
        return self.stock.broken(item)

    def ordered(self, item: str) -> int:
        return self.stock.ordered(item)

    def forgotten(self, item: str) -> str:
        try:
            return str(self.stock.forgotten(item))
        except TaskTimedOut:
            return "forgotten"

    def buggy(self) -> int:
        item = "luck"
        raise OutOfStockError(item)

    def approved(self) -> str:
        return self.approvals.receive().result()

    def offered(self) -> str:
        return self.offers.receive().result()

    def later(self, item: str) -> int:
        counted = self.stock.count(item)
        self.timer(SHORT).result()
        return counted

    def note(self, text: str) -> str:
        return text

    def parent(self, item: str) -> int:
        return self.child.order(item)

    def parent_of_broken(self, item: str) -> int:
        return self.child.broken(item)

    def parent_of_waiting(self) -> str:
        return self.child.approved()

    def parent_of_impatient(self) -> str:
        waiting: Deferred[str] = self.dispatch(self.child.impatient)
        try:
            return waiting.result()
        except WorkflowTimedOut:
            return "impatient"

    def asks(self, workflow_id: str) -> str:
        return get_workflow_by_id(Orders, workflow_id).note("asked")

    def asks_nobody(self) -> str:
        try:
            return get_workflow_by_id(Orders, "nobody").note("asked")
        except WorkflowUnknown:
            return "nobody"

    def sends(self, workflow_id: str) -> None:
        get_workflow_by_id(Orders, workflow_id).approvals.send("sent")

    def impatient(self) -> str:
        return self.approvals.receive().result()
