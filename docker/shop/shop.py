"""What the example containers run: an order is paid, approved or timed out, and shipped."""

from __future__ import annotations

from datetime import timedelta
from typing import Protocol

from infinitic_common import Channel, Workflow, any_of, channel, new_service


class PaymentService(Protocol):
    """Moves money."""

    def charge(self, order_id: str, amount: float) -> str:
        """Charge an order; return the id of the transaction."""
        ...

    def refund(self, transaction_id: str) -> None:
        """Give it back."""
        ...


class PaymentServiceImpl(PaymentService):
    """An example: names the transaction after the order, so that a repetition is harmless."""

    def charge(self, order_id: str, amount: float) -> str:
        """Charge an order; return the id of the transaction."""
        return f"{order_id}-{amount:.2f}"

    def refund(self, transaction_id: str) -> None:
        """Give it back."""


class OrderWorkflow(Protocol):
    """An order from payment to shipping."""

    approvals: Channel[bool] = channel()

    def process_order(self, order_id: str, approval_seconds: float) -> str:
        """Charge, wait for an approval at most that long, tell what became of it."""
        ...


class OrderWorkflowImpl(Workflow, OrderWorkflow):
    """The code of it."""

    payments = new_service(PaymentService)

    def process_order(self, order_id: str, approval_seconds: float) -> str:
        """Charge, wait for an approval at most that long, tell what became of it."""
        approval = self.approvals.receive()
        transaction = self.payments.charge(order_id, 99.99)
        deadline = self.timer(timedelta(seconds=approval_seconds))
        answer = any_of(approval, deadline).result()
        if answer is True:
            return f"shipped {transaction}"
        self.payments.refund(transaction)
        return f"refunded {transaction}"
