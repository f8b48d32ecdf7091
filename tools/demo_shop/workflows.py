"""The durable part: it goes on where it was, whatever process it ran in before."""

from demo_shop.contracts import (
    ApprovalService,
    Order,
    OrderResult,
    OrderWorkflow,
    PaymentService,
    ShippingService,
)
from infinitic_common import Workflow, new_service


class OrderWorkflowImpl(Workflow, OrderWorkflow):
    """Payment, packing, approval, then shipping or refund."""

    payments = new_service(PaymentService)
    people = new_service(ApprovalService)
    parcels = new_service(ShippingService)

    def process(self, order: Order) -> OrderResult:
        """Process one order."""
        payment = self.payments.charge(order.id, order.amount)
        self.timer(order.packing_time).result()

        approval = self.approvals.receive()
        self.dispatch(self.people.ask, order.id).result()
        answer = (approval | self.timer(order.approval_time)).result()
        if answer is True:
            return OrderResult("shipped", self.parcels.ship(order.id))

        reason = "refused" if answer is False else "nobody answered"
        return OrderResult(f"refunded: {reason}", self.payments.refund(order.id, payment))
