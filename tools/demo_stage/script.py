"""What happens to each order, and what must come of it."""

from datetime import timedelta
from decimal import Decimal

import attrs
from demo_shop import Order


@attrs.frozen
class Plan:
    """An order, and the answer of who is asked to approve it.

    Attributes:
        order: The order.
        answer: None when nobody answers.
        outcome: How the order must end.
        last_step: The service that must be called last.
    """

    order: Order
    answer: bool | None
    outcome: str
    last_step: str

    @property
    def steps(self) -> tuple[str, ...]:
        """The calls of services that the workflow must decide, each once."""
        return ("charge", "ask", self.last_step)


def plans(pace: timedelta) -> tuple[Plan, ...]:
    """Three orders: one approved, one refused, one that nobody answers.

    Args:
        pace: How long packing takes; the approval is waited for longer.
    """

    def order(number: int, amount: str, approval_time: timedelta) -> Order:
        return Order(f"order {number}", Decimal(amount), pace, approval_time)

    patient = timedelta(minutes=5)
    return (
        Plan(order(1, "99.99", patient), True, "shipped", "ship"),  # noqa: FBT003 - an answer
        Plan(order(2, "20.00", patient), False, "refunded: refused", "refund"),  # noqa: FBT003
        Plan(order(3, "5.50", pace), None, "refunded: nobody answered", "refund"),
    )
