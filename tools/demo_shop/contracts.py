"""What the shop offers: two services and a workflow."""

from dataclasses import dataclass
from typing import Protocol

from infinitic_common import Channel, channel


@dataclass
class Order:
    """What a customer ordered."""

    order_id: str
    amount: float


@dataclass
class OrderResult:
    """How an order ended."""

    status: str
    payment_id: str
    tracking: str | None = None


class PaymentService(Protocol):
    """Takes money and gives it back."""

    def charge(self, order_id: str, amount: float) -> str:
        """Charge the customer; gives the payment's id."""
        ...

    def refund(self, payment_id: str) -> None:
        """Give the money back."""
        ...


class ShippingService(Protocol):
    """Asks people and sends parcels."""

    def ask_approval(self, order_id: str) -> None:
        """Ask somebody to approve the order."""
        ...

    def ship(self, order_id: str) -> str:
        """Send the parcel; gives its tracking number."""
        ...


class OrderWorkflow(Protocol):
    """One order, from payment to parcel."""

    approvals: Channel[bool] = channel()

    def process(self, order: Order) -> OrderResult:
        """Charge, wait a moment, have it approved, ship; refund when refused."""
        ...
