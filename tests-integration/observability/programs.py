"""What is watched: orders that are paid, and some that go wrong."""

# ruff: noqa: D102 - the contracts say what the methods do

import logging
from typing import Protocol

from opentelemetry.trace import get_current_span

from infinitic_common import Task, Workflow, dispatch, new_service, new_workflow, retry
from infinitic_common.configuration import ExponentialBackoff

LOGGER = logging.getLogger("shop")


class Declined(Exception):  # noqa: N818 - says what is the case
    """The payment is declined."""


class Payments(Protocol):
    """Takes money."""

    def charge(self, order: str) -> str:
        """Succeed, and return the trace and the span that the code runs in."""
        ...

    def charge_later(self, order: str) -> str:
        """Succeed when it is tried again."""
        ...

    def decline(self, order: str) -> str:
        """Fail for good."""
        ...


class Unread(Protocol):
    """Nobody hosts it."""

    def wait(self) -> str:
        """Wait for ever."""
        ...


class PaymentsImpl:
    """The code of it."""

    def charge(self, order: str) -> str:
        LOGGER.warning("charging %s", order)
        context = get_current_span().get_span_context()
        return f"{context.trace_id:032x} {context.span_id:016x}"

    @retry(ExponentialBackoff(minimum_seconds=0.01, maximum_seconds=0.02))
    def charge_later(self, order: str) -> str:
        if Task.retry_index == 0:
            raise Declined(order)
        return order

    def decline(self, order: str) -> str:
        raise Declined(order)


class Orders(Protocol):
    """Pays orders."""

    def process(self, order: str) -> str:
        """Pay, and again."""
        ...

    def fail(self, order: str) -> str:
        """Pay what is declined."""
        ...

    def wait(self) -> str:
        """Ask for what nobody does, and do not wait for it."""
        ...

    def parent(self, order: str) -> str:
        """Have a child workflow pay."""
        ...


class OrdersImpl(Workflow, Orders):
    """The code of them."""

    payments = new_service(Payments)
    unread = new_service(Unread)
    orders = new_workflow(Orders)

    def process(self, order: str) -> str:
        LOGGER.warning("paying %s", order)
        paid = self.payments.charge(order)
        LOGGER.warning("paid %s", order)
        self.payments.charge_later(order)
        LOGGER.warning("paid %s later", order)
        return paid

    def fail(self, order: str) -> str:
        return self.payments.decline(order)

    def wait(self) -> str:
        _ = dispatch(self.unread.wait)
        return "dispatched"

    def parent(self, order: str) -> str:
        return self.orders.process(order)
