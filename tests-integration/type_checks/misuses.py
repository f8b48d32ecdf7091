"""Misuses of the authoring API: each line marked with ``error`` is one, for both checkers.

Nothing here runs. The test compares the marked lines with those that the checkers complain about.
"""

# pyright: strict
# ruff: noqa: D101, D102 - the names say what the methods do

from datetime import timedelta
from typing import Protocol

from infinitic_client import AsyncInfiniticClient, InfiniticClient
from infinitic_common import (
    Channel,
    Deferred,
    Workflow,
    all_of,
    any_of,
    channel,
    check_mode,
    get_workflow_by_id,
    new_service,
    new_workflow,
    retry,
    timeout,
    version,
)


class Payments(Protocol):
    def charge(self, order_id: str, amount: float) -> int: ...
    async def refund(self, order_id: str) -> None: ...


class Orders(Protocol):
    approvals: Channel[bool] = channel()

    def process(self, order_id: str) -> int: ...
    async def aprocess(self, order_id: str) -> str: ...


class Forgetful(Workflow, Orders):
    async def aprocess(self, order_id: str) -> str:
        return order_id

    def process(self, order_id: int) -> int:  # error: the contract says str
        return order_id


class OrdersImpl(Workflow, Orders):
    payments = new_service(Payments)
    children = new_workflow(Orders)

    def process(self, order_id: str) -> int:
        self.payments.charge(order_id)  # error: an argument is missing
        self.payments.charge(order_id, "1")  # error: an argument of another type
        self.payments.charged(order_id, 1.0)  # error: no such method
        text: str = self.payments.charge(order_id, 1.0)  # error: a result of another type
        self.dispatch(self.payments.charge, order_id)  # error: an argument is missing
        self.dispatch(self.payments.charge, order_id, amount="1")  # error: of another type
        self.dispatch(self.payments.charge(order_id, 1.0))  # error: the result, not the method
        wrong: Deferred[str] = self.dispatch(self.children.process, text)  # error: of int
        charged = self.dispatch(self.payments.charge, order_id, 1.0)
        number: int = charged  # error: a deferred is no value
        late: str = charged.result(timeout=timedelta(1))  # error: a result of another type
        charged.result(timeout=1)  # error: a duration, not a number
        pair: tuple[int, str] = (charged & charged).result()  # error: of another type
        one: str = (charged | self.timer(timedelta(1))).result()  # error: of another type
        many: list[str] = all_of([charged, charged]).result()  # error: of another type
        all_of(charged, number)  # error: no deferred
        first: int = any_of(charged, wrong).result()  # error: may be text
        self.timer(1)  # error: a duration, not a number
        self.approvals.send("yes")  # error: a signal of another type
        granted: str = self.approvals.receive().result()  # error: a signal of another type
        self.approvals.receive(limit="2")  # error: a number
        with self.saga() as undo:
            undo(self.payments.refund)  # error: an argument is missing
            undo(self.payments.refund, 1)  # error: an argument of another type
            undo(self.payments.refund(order_id))  # error: the result, not the method
        self.inline(len, 1)  # error: an argument of another type
        other = get_workflow_by_id(Orders, 1)  # error: an id is text
        other.approvals.send("no")  # error: a signal of another type
        self.logger.shout("a")  # error: no such method
        print(late, pair, one, many, first, granted)  # noqa: T201 - they are used
        return 0

    async def aprocess(self, order_id: str) -> str:
        number: int = await self.children.aprocess(order_id)  # error: a result of another type
        await self.payments.charge(order_id, 1.0)  # error: it is not awaitable
        missing: int = self.dispatch(self.children.aprocess, order_id)  # error: not awaited
        print(number, missing)  # noqa: T201 - they are used
        return order_id


new_service(Payments, tags="vip")  # error: a set of texts
new_workflow(Orders, meta={"a": "b"})  # error: bytes


@check_mode("sometimes")  # error: no such mode
class Checked(OrdersImpl): ...


@version("3")  # error: a number
class Versioned(OrdersImpl): ...


@retry(3)  # error: a policy
class Retried(OrdersImpl): ...


@timeout(3)  # error: a duration
class TimedOut(OrdersImpl): ...


def blocking(client: InfiniticClient) -> None:
    """Calls block."""
    orders = client.new_workflow(Orders)
    orders.process(1)  # error: an argument of another type
    text: str = orders.process("a")  # error: a result of another type
    number: int = client.call(orders.aprocess, "a")  # error: a result of another type
    client.dispatch(orders.process)  # error: an argument is missing
    client.send(orders.approvals, "no")  # error: a signal of another type
    print(text, number)  # noqa: T201 - they are used


async def awaiting(client: AsyncInfiniticClient) -> None:
    """The same, awaited."""
    orders = client.new_workflow(Orders)
    text: str = await client.call(orders.process, "a")  # error: a result of another type
    number: int = await orders.aprocess("a")  # error: a result of another type
    print(text, number)  # noqa: T201 - they are used
