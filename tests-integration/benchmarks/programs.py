"""The service and the workflows that are measured."""

from typing import Protocol

from infinitic_common import Channel, Workflow, all_of, channel, new_service


class Payments(Protocol):
    """What each task runs: as little as can be, so that the engine is measured."""

    def charge(self, order: str, amount: float) -> str:
        """One task."""
        ...


class PaymentsImpl:
    """Gives a text back."""

    def charge(self, order: str, amount: float) -> str:
        """One task."""
        return f"{order}-{amount}"


class Bench(Protocol):
    """The workflows."""

    signals: Channel[int] = channel()

    def sequential(self, tasks: int) -> int:
        """So many tasks, one after the other."""
        ...

    def fanout(self, tasks: int) -> int:
        """So many tasks at once."""
        ...

    def history(self, tasks: int) -> list[float]:
        """As ``sequential``; the instant (seconds) after each task."""
        ...

    def receive(self, count: int) -> int:
        """Wait for so many signals."""
        ...


class BenchImpl(Workflow, Bench):
    """The workflows."""

    payments = new_service(Payments)

    def sequential(self, tasks: int) -> int:
        """So many tasks, one after the other."""
        for number in range(tasks):
            self.payments.charge("order", float(number))
        return tasks

    def fanout(self, tasks: int) -> int:
        """So many tasks at once."""
        charges = [
            self.dispatch(self.payments.charge, "order", float(number)) for number in range(tasks)
        ]
        return len(all_of(charges).result())

    def history(self, tasks: int) -> list[float]:
        """As ``sequential``; the instant (seconds) after each task."""
        instants: list[float] = []
        for number in range(tasks):
            self.payments.charge("order", float(number))
            instants.append(self.now().timestamp())
        return instants

    def receive(self, count: int) -> int:
        """Wait for so many signals."""
        received = self.signals.receive()
        return sum(received.result() for _ in range(count))
