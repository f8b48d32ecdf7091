"""A service and a workflow that configurations can name."""

# ruff: noqa: D101, D102, INP001 - these are read beside the tests

import asyncio
from datetime import timedelta
from typing import Protocol

from infinitic_common import Channel, DeferredTimeout, Workflow, channel, new_service


class Payments(Protocol):
    def charge(self, order_id: str, amount: float) -> str: ...
    async def refund(self, order_id: str) -> str: ...


class PaymentsImpl(Payments):
    def charge(self, order_id: str, amount: float) -> str:
        return f"{order_id}: {amount}"

    async def refund(self, order_id: str) -> str:
        return order_id


class Order(Protocol):
    approvals: Channel[bool] = channel(discard_unexpected=True)

    def process(self, order_id: str) -> str: ...
    def parallel(self) -> str: ...
    def context(self) -> list[object]: ...
    def approval(self) -> bool: ...
    async def later(self, order_id: str) -> str: ...
    async def sleeps(self) -> None: ...


class OrderImpl(Workflow, Order):
    payments = new_service(Payments)

    def __init__(self) -> None:
        self.created_by = self.workflow_id
        self.created_with = sorted(self.tags)
        self.notes: list[str] = []

    def process(self, order_id: str) -> str:
        text = ""
        for number in range(3):
            text += self.payments.charge(order_id, number)
            self.notes.append(text)
        return text

    def parallel(self) -> str:
        first = self.dispatch(self.payments.charge, "a", 1.0)
        second = self.dispatch(self.payments.refund, "b")
        return second.result() + first.result()

    def context(self) -> list[object]:
        return [self.created_by, self.created_with]

    def approval(self) -> bool:
        try:
            return self.approvals.receive().result(timeout=timedelta(minutes=1))
        except DeferredTimeout:
            return False

    async def later(self, order_id: str) -> str:
        refund = self.dispatch(self.payments.refund, order_id)
        return await self.payments.refund(order_id) + await refund

    async def sleeps(self) -> None:
        await asyncio.sleep(1)


class OrderImpl_1(OrderImpl):  # noqa: N801 - versions end class names
    def context(self) -> list[object]:
        return ["version 1"]


class OrderImpl_01(OrderImpl):  # noqa: N801 - as above
    pass
