"""What type checkers see of the authoring API: run by lint, never executed.

``assert_type`` lines are the test; the ignored line is an error that both checkers must find.
"""

# pyright: strict
# ruff: noqa: INP001 - a file for type checkers, in no package

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated, Protocol, assert_type

from infinitic_common import (
    Channel,
    Deferred,
    Ignore,
    Workflow,
    all_of,
    any_of,
    channel,
    check_mode,
    dispatch,
    get_workflow_by_id,
    get_workflow_by_tag,
    name,
    new_service,
    new_workflow,
    timeout,
)


@dataclass
class PaymentResult:
    """What a payment gives."""

    transaction_id: str


@dataclass
class OrderResult:
    """What an order gives."""

    transaction_id: str


@name("payments")
class PaymentService(Protocol):
    """A contract of a service."""

    def charge(self, order_id: str, amount: float) -> PaymentResult:
        """Take the money."""
        ...

    @timeout(timedelta(seconds=1))
    async def refund(self, order_id: str) -> None:
        """Give it back."""
        ...


class OrderWorkflow(Protocol):
    """A contract of a workflow."""

    approvals: Channel[bool] = channel()
    scores: Channel[list[int]] = channel()

    def process(self, order_id: str) -> OrderResult:
        """Blocking style."""
        ...

    async def aprocess(self, order_id: str) -> OrderResult:
        """Coroutine style."""
        ...


class OrderWorkflowImpl(Workflow, OrderWorkflow):
    """Implements it."""

    payments = new_service(PaymentService, tags={"vip"}, meta={"key": b"value"})
    cache: Annotated[int, Ignore] = 0

    @check_mode("strict")
    def process(self, order_id: str) -> OrderResult:
        """Blocking style."""
        payment = self.payments.charge(order_id, 99.99)
        assert_type(payment, PaymentResult)
        plain = self.dispatch(self.payments.charge, order_id, 1.0)
        _ = assert_type(plain, Deferred[PaymentResult])
        awaited = self.dispatch(self.payments.refund, order_id)
        _ = assert_type(awaited, Deferred[None])
        timer = self.timer(timedelta(hours=1))
        _ = assert_type(timer, Deferred[datetime])
        assert_type((plain | timer).result(), PaymentResult | datetime)
        assert_type((plain & self.approvals.receive()).result(), tuple[PaymentResult, bool])
        three = all_of(plain, awaited, self.approvals.receive()).result()
        assert_type(three, tuple[PaymentResult, None, bool])
        many = all_of([plain, plain]).result(timeout=timedelta(1))
        assert_type(many, list[PaymentResult])
        assert_type(any_of(plain, timer).result(), PaymentResult | datetime)
        assert_type(any_of([plain, plain]).result(), PaymentResult)
        assert_type(self.inline(len, "abc"), int)
        assert_type(dispatch(self.payments.charge, order_id, amount=1.0).id, str | None)
        return OrderResult(payment.transaction_id)

    async def aprocess(self, order_id: str) -> OrderResult:
        """Coroutine style."""
        await self.payments.refund(order_id)
        payment = await self.dispatch(self.payments.charge, order_id, 2.0)
        assert_type(payment, PaymentResult)
        child = await new_workflow(OrderWorkflow).aprocess(order_id)
        assert_type(child, OrderResult)
        assert_type(await self.scores.receive(limit=2), list[int])
        get_workflow_by_tag(OrderWorkflow, "vip").scores.send([1])
        other = get_workflow_by_id(OrderWorkflow, "id")
        assert_type(other.process("a"), OrderResult)
        other.approvals.send("no")  # type: ignore[arg-type] # pyright: ignore[reportArgumentType]  # what is refused
        return OrderResult(payment.transaction_id)


OrderWorkflowImpl()
