"""What callers see: values and signatures, no code."""

from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Protocol

from infinitic_common import Channel, channel


@dataclass(frozen=True)
class Order:
    """What a customer wants.

    Attributes:
        id: Number of the order.
        amount: Its price.
        packing_time: How long the goods take to be ready.
        approval_time: How long an approval is waited for; without one the order is refunded.
    """

    id: str
    amount: Decimal
    packing_time: timedelta
    approval_time: timedelta


@dataclass(frozen=True)
class OrderResult:
    """How an order ended.

    Attributes:
        outcome: In words.
        reference: Number of the parcel, or of the refund.
    """

    outcome: str
    reference: str


class PaymentService(Protocol):
    """Moves money."""

    def charge(self, order_id: str, amount: Decimal) -> str:
        """Take the money; returns the number of the payment."""
        ...

    def refund(self, order_id: str, payment: str) -> str:
        """Give it back; returns the number of the refund."""
        ...


class ApprovalService(Protocol):
    """Asks people."""

    async def ask(self, order_id: str) -> None:
        """Ask somebody to approve an order; the answer arrives as a signal."""
        ...


class ShippingService(Protocol):
    """Sends parcels."""

    def ship(self, order_id: str) -> str:
        """Send it; returns the number of the parcel."""
        ...


class OrderWorkflow(Protocol):
    """Takes an order from payment to delivery, or back."""

    approvals: Channel[bool] = channel()

    def process(self, order: Order) -> OrderResult:
        """Process one order."""
        ...
