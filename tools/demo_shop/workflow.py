"""The order workflow: plain code that survives the death of its process at any line."""

from datetime import timedelta

from demo_shop.contracts import (
    Order,
    OrderResult,
    OrderWorkflow,
    PaymentService,
    ShippingService,
)
from infinitic_common import Workflow, new_service

COOLING_OFF = timedelta(seconds=1.5)
DEADLINE = timedelta(seconds=60)


class OrderWorkflowImpl(Workflow, OrderWorkflow):
    """One order, from payment to parcel."""

    payments = new_service(PaymentService)
    shipping = new_service(ShippingService)

    def process(self, order: Order) -> OrderResult:
        """Charge, wait a moment, have it approved, ship; refund when refused."""
        payment_id = self.payments.charge(order.order_id, order.amount)
        self.timer(COOLING_OFF).result()
        approval = self.approvals.receive()
        self.shipping.ask_approval(order.order_id)
        answer = (approval | self.timer(DEADLINE)).result()
        if answer is not True:
            self.payments.refund(payment_id)
            return OrderResult("refunded", payment_id)
        tracking = self.shipping.ship(order.order_id)
        return OrderResult("shipped", payment_id, tracking)
