"""Contracts that the command loads by name."""

# ruff: noqa: INP001 - a helper of the tests, in no package

from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Protocol

from infinitic_common import Channel, channel, delegated, name


@dataclass(frozen=True)
class Item:
    """Something to buy."""

    article: str
    count: int = 1


@name("Order")
class OrderWorkflow(Protocol):
    """An order."""

    items: Channel[Item] = channel()

    @name("place")
    def place_order(self, items: list[Item], price: Decimal, patience: timedelta) -> str:
        """Place it."""
        ...


@name("Payments")
class PaymentService(Protocol):
    """Payments."""

    @delegated
    def charge(self, item: Item) -> Item:
        """Charge."""
        ...


@name("Refunds")
class RefundService(Protocol):
    """Refunds."""

    @delegated
    def refund(self, item: Item) -> Decimal:
        """Refund; tells how much."""
        ...
