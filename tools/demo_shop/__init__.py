"""A shop: what the demo runs, and what code for Infinitic looks like.

``contracts`` is what callers see, ``workflows`` is durable, ``services`` does the work.
"""

from demo_shop.contracts import Order, OrderResult, OrderWorkflow
from demo_shop.services import ApprovalServiceImpl, PaymentServiceImpl, ShippingServiceImpl
from demo_shop.workflows import OrderWorkflowImpl

__all__ = [
    "ApprovalServiceImpl",
    "Order",
    "OrderResult",
    "OrderWorkflow",
    "OrderWorkflowImpl",
    "PaymentServiceImpl",
    "ShippingServiceImpl",
]
