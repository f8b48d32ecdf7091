"""Orders that are paid for, and the contracts that clients know."""

from typing import Protocol

import attrs

from infinitic_common import Workflow, new_service


@attrs.frozen
class Receipt:
    """What a customer gets.

    Attributes:
        order_id: The order.
        transaction_id: Of its payment.
    """

    order_id: str
    transaction_id: str


class PaymentService(Protocol):
    """Takes money."""

    def charge(self, order_id: str, amount: float) -> str:
        """Charge an amount for an order; returns the id of the transaction."""
        ...


class OrderWorkflow(Protocol):
    """The life of an order."""

    def process_order(self, order_id: str) -> Receipt:
        """Have it paid."""
        ...


class PaymentServiceImpl:
    """Takes no real money."""

    def charge(self, order_id: str, amount: float) -> str:
        """Charge an amount for an order; returns the id of the transaction."""
        return f"{order_id} paid {amount}"


class OrderWorkflowImpl(Workflow, OrderWorkflow):
    """The code of an order."""

    payments = new_service(PaymentService)

    def process_order(self, order_id: str) -> Receipt:
        """Have it paid."""
        return Receipt(order_id, self.payments.charge(order_id, 99.99))
