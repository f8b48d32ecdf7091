"""The services of the shop: each takes a moment, and writes what it did into a journal."""

import os
import time
from pathlib import Path

from demo_shop.contracts import PaymentService, ShippingService
from infinitic_common import Task

JOURNAL = "DEMO_JOURNAL"
_SECONDS = 0.6


class PaymentServiceImpl(PaymentService):
    """Takes money and gives it back."""

    def charge(self, order_id: str, amount: float) -> str:
        """Charge the customer; gives the payment's id."""
        _work("charge", order_id)
        return f"payment-{order_id}-{amount:.2f}"

    def refund(self, payment_id: str) -> None:
        """Give the money back."""
        _work("refund", payment_id)


class ShippingServiceImpl(ShippingService):
    """Asks people and sends parcels."""

    def ask_approval(self, order_id: str) -> None:
        """Ask somebody to approve the order."""
        _work("ask approval", order_id)

    def ship(self, order_id: str) -> str:
        """Send the parcel; gives its tracking number."""
        _work("ship", order_id)
        return f"parcel-{order_id}"


def _work(step: str, subject: str) -> None:
    _note("begun", step, subject)
    time.sleep(_SECONDS)
    _note("done", step, subject)


def _note(what: str, step: str, subject: str) -> None:
    """Append a line, which the kernel writes whole."""
    line = "\t".join((what, step, subject, Task.task_id)) + "\n"
    with Path(os.environ[JOURNAL]).open("a") as journal:
        journal.write(line)
