"""The work itself. It runs at least once, and again when the process died meanwhile."""

import asyncio
import time
from decimal import Decimal

from demo_shop.journal import journaled, work_seconds


class PaymentServiceImpl:
    """Plain functions: each runs in a thread."""

    def charge(self, order_id: str, amount: Decimal) -> str:
        """Take the money."""
        with journaled(order_id, "charge"):
            time.sleep(work_seconds())
            return f"payment of {amount} for {order_id}"

    def refund(self, order_id: str, payment: str) -> str:
        """Give it back."""
        with journaled(order_id, "refund"):
            time.sleep(work_seconds())
            return f"refund of {payment}"


class ApprovalServiceImpl:
    """A coroutine: it runs on the event loop."""

    async def ask(self, order_id: str) -> None:
        """Ask somebody."""
        with journaled(order_id, "ask"):
            await asyncio.sleep(work_seconds())


class ShippingServiceImpl:
    """Sends parcels."""

    def ship(self, order_id: str) -> str:
        """Send it."""
        with journaled(order_id, "ship"):
            time.sleep(work_seconds())
            return f"parcel of {order_id}"
