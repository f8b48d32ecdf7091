"""A trip that is booked step by step, and undone when a step fails or the trip is cancelled."""

# ruff: noqa: D101, D102 - the names say what the methods do

import threading
from collections import defaultdict
from datetime import timedelta
from typing import Protocol

from infinitic_common import (
    Channel,
    Workflow,
    channel,
    get_workflow_by_id,
    new_service,
    new_workflow,
)

JOURNAL: defaultdict[str, list[str]] = defaultdict(list)
"""What was done for each trip, in order."""

BROKEN = threading.Event()
"""While it is set, nothing can be undone."""


class Bookings(Protocol):
    def book(self, what: str, trip: str) -> str: ...
    def cancel(self, what: str, trip: str) -> None: ...


class BookingsImpl:
    def book(self, what: str, trip: str) -> str:
        if what == "nothing":
            msg = "there is none"
            raise LookupError(msg)
        JOURNAL[trip].append(what)
        return what

    def cancel(self, what: str, trip: str) -> None:
        if BROKEN.is_set():
            msg = "not now"
            raise OSError(msg)
        JOURNAL[trip].append(f"no {what}")


class Trips(Protocol):
    go: Channel[str] = channel()

    def book(self, wishes: list[str]) -> list[str]: ...
    async def book_async(self, wishes: list[str]) -> list[str]: ...
    def book_then_wait(self, wishes: list[str]) -> list[str]: ...
    async def wait_async(self) -> None: ...
    def tidy(self) -> None: ...
    def undo_on_signal(self) -> None: ...
    def undo_by_signal(self, wishes: list[str]) -> None: ...
    def undo_here(self) -> None: ...
    def nested(self) -> None: ...
    def with_child(self) -> None: ...
    def with_branch(self) -> None: ...
    def stubborn(self) -> str: ...


class TripsImpl(Workflow, Trips):
    bookings = new_service(Bookings)
    trips = new_workflow(Trips)

    def book(self, wishes: list[str]) -> list[str]:
        booked: list[str] = []
        with self.saga() as undo:
            for wish in wishes:
                undo(self.bookings.cancel, wish, self.workflow_id)
                booked.append(self.bookings.book(wish, self.workflow_id))
        return booked

    async def book_async(self, wishes: list[str]) -> list[str]:
        async def cancel(what: str) -> None:
            await self.timer(timedelta(milliseconds=5))
            await self.dispatch(self.bookings.cancel, what, self.workflow_id)

        booked: list[str] = []
        async with self.saga() as undo:
            for wish in wishes:
                undo(cancel, wish)
                booked.append(await self.dispatch(self.bookings.book, wish, self.workflow_id))
        return booked

    def book_then_wait(self, wishes: list[str]) -> list[str]:
        with self.saga() as undo:
            for wish in wishes:
                undo(self.bookings.cancel, wish, self.workflow_id)
                self.bookings.book(wish, self.workflow_id)
            self.go.receive().result()
        return wishes

    async def wait_async(self) -> None:
        try:
            await self.go.receive()
        finally:
            await self.dispatch(self.bookings.cancel, "wait", self.workflow_id)

    def tidy(self) -> None:
        try:
            self.go.receive().result()
        finally:
            _ = self.dispatch(self.bookings.cancel, "all", self.workflow_id)

    def undo_on_signal(self) -> None:
        with self.saga() as undo:
            undo(self._wait_and_cancel)
            self.bookings.book("nothing", self.workflow_id)

    def _wait_and_cancel(self) -> None:
        word = self.go.receive().result()
        self.bookings.cancel(word, self.workflow_id)

    def undo_by_signal(self, wishes: list[str]) -> None:
        with self.saga() as undo:
            child = self.dispatch(self.trips.book_then_wait, wishes)
            undo(get_workflow_by_id(Trips, child.id or "").go.send, "home")
            self.bookings.book("nothing", self.workflow_id)

    def undo_here(self) -> None:
        with self.saga() as undo:
            undo(self._forget)
            self.bookings.book("nothing", self.workflow_id)

    def _forget(self) -> None:
        self.forgotten = True
        _ = self.dispatch(self.bookings.cancel, "all", self.workflow_id)

    def nested(self) -> None:
        with self.saga() as outer:
            outer(self.bookings.cancel, "outer", self.workflow_id)
            with self.saga() as inner:
                inner(self.bookings.cancel, "done", self.workflow_id)
            with self.saga() as inner:
                inner(self.bookings.cancel, "inner", self.workflow_id)
                self.bookings.book("nothing", self.workflow_id)

    def with_child(self) -> None:
        with self.saga() as undo:
            undo(self.bookings.cancel, "parent", self.workflow_id)
            self.trips.book_then_wait(["child"])

    def with_branch(self) -> None:
        me = get_workflow_by_id(Trips, self.workflow_id)
        with self.saga() as undo:
            undo(self.bookings.cancel, "main", self.workflow_id)
            me.book_then_wait(["branch"])

    def stubborn(self) -> str:
        while True:
            try:
                return self.go.receive().result()
            except Exception:  # noqa: BLE001 - what a cancellation must not be caught by
                self.bookings.cancel("caught", self.workflow_id)
