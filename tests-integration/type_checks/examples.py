"""Every construct of the authoring API, in both styles: what type checkers must accept, and infer.

``assert_type`` lines are the test; the file is also imported, so that contracts and classes are
those that executors accept.
"""

# pyright: strict
# ruff: noqa: D101, D102 - the names say what the methods do

from abc import ABC, abstractmethod
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import Enum
from random import Random
from typing import Annotated, Protocol, assert_type
from uuid import UUID

from infinitic_client import AsyncDeferred, AsyncInfiniticClient, InfiniticClient
from infinitic_client import Deferred as ClientDeferred
from infinitic_common import (
    Channel,
    Deferred,
    DeferredException,
    DeferredStatus,
    DeferredTimeout,
    Ignore,
    RunCanceled,
    Saga,
    Task,
    TaskFailed,
    View,
    Workflow,
    WorkflowCanceled,
    all_of,
    any_of,
    batch,
    channel,
    check_mode,
    delegated,
    dispatch,
    get_workflow_by_id,
    get_workflow_by_tag,
    name,
    new_service,
    new_workflow,
    retry,
    timeout,
    version,
)

# --- values ---------------------------------------------------------------------------------------


class Public(View): ...


class Private(Public): ...


class Kind(Enum):
    CARD = "card"
    CASH = "cash"


@dataclass
class Receipt:
    transaction_id: str
    kind: Kind = Kind.CARD
    card: Annotated[str | None, Private] = None


@dataclass
class Refusal:
    reason: str


# --- services -------------------------------------------------------------------------------------


@name("payments")
class Payments(Protocol):
    def charge(self, order_id: str, amount: float, *, kind: Kind = Kind.CARD) -> Receipt: ...

    @timeout(timedelta(seconds=30))
    async def refund(self, order_id: str) -> None: ...

    def show(self, order_id: str) -> Annotated[Receipt, Public]: ...


class Approvals(ABC):
    @abstractmethod
    def ask(self, order_id: str) -> bool: ...

    @abstractmethod
    async def decide(self, order_ids: list[str]) -> dict[str, bool]: ...


class Twice:
    def seconds_before_retry(self, attempt: int, exception: Exception) -> float | None:
        return None if attempt > 1 or isinstance(exception, KeyError) else 1.0


@retry(Twice)
class PaymentsImpl(Payments):
    def charge(self, order_id: str, amount: float, *, kind: Kind = Kind.CARD) -> Receipt:
        Task.meta["amount"] = str(amount).encode()
        return Receipt(f"{Task.task_id}-{order_id}", kind)

    @retry(lambda attempt, _: None if attempt else 0.5)
    async def refund(self, order_id: str) -> None:
        assert_type(Task.retry_index, int)
        Task.meta["order"] = order_id.encode()

    @timeout(timedelta(seconds=5), grace_period=timedelta(seconds=1))
    def show(self, order_id: str) -> Receipt:
        return Receipt(order_id, card="1234")


class ApprovalsImpl(Approvals):
    @delegated
    def ask(self, order_id: str) -> bool:
        raise NotImplementedError(order_id)

    async def decide(self, order_ids: list[str]) -> dict[str, bool]:
        return dict.fromkeys(order_ids, True)


class Mails(Protocol):
    def send(self, address: str) -> bool: ...


class MailsImpl(Mails):
    def send(self, address: str) -> bool:
        return bool(address)

    @batch
    @name("send")
    def send_all(self, addresses: dict[str, str]) -> dict[str, bool]:
        return {task_id: bool(address) for task_id, address in addresses.items()}


# --- contracts of workflows -----------------------------------------------------------------------


class Notified(Protocol):
    notes: Channel[str] = channel()

    def last_note(self) -> str | None: ...


class Orders(Notified, Protocol):
    decisions: Channel[Receipt | Refusal] = channel()
    ticks: Channel[int] = channel(discard_unexpected=True)

    def process(self, order_id: str) -> Receipt: ...
    @timeout(timedelta(days=1))
    def watch(self, order_id: str, *, days: int = 1) -> list[str]: ...
    @name("processLater")
    async def aprocess(self, order_id: str) -> Receipt: ...
    async def awatch(self, order_id: str) -> list[str]: ...


# --- plain style ----------------------------------------------------------------------------------


@check_mode("strict")
@retry(Twice())
class OrdersImpl(Workflow, Orders):
    payments = new_service(Payments, tags={"vip"}, meta={"key": b"value"})
    approvals = new_service(Approvals)
    children = new_workflow(Orders, tags={"customId:1", "vip"})
    history: Annotated[dict[str, str], Ignore]

    def __init__(self) -> None:
        self.last: str | None = None
        self.history = {}

    def last_note(self) -> str | None:
        return self.last

    def process(self, order_id: str) -> Receipt:
        receipt = self.payments.charge(order_id, 9.99, kind=Kind.CASH)
        assert_type(receipt, Receipt)
        charged = self.dispatch(self.payments.charge, order_id, amount=1.0)
        _ = assert_type(charged, Deferred[Receipt])
        refunded = self.dispatch(self.payments.refund, order_id)
        _ = assert_type(refunded, Deferred[None])
        decided = dispatch(self.approvals.decide, [order_id])
        _ = assert_type(decided, Deferred[dict[str, bool]])
        assert_type(charged.id, str | None)
        assert_type(charged.status, DeferredStatus)
        assert_type(charged.is_ongoing or charged.is_timed_out or charged.is_unknown, bool)
        assert_type(charged.is_completed or charged.is_failed or charged.is_canceled, bool)
        timer = self.timer(timedelta(hours=1))
        assert_type((charged | timer).result(), Receipt | datetime)
        assert_type((charged & self.notes.receive()).result(), tuple[Receipt, str])
        assert_type(((charged | refunded) & timer).result(), tuple[Receipt | None, datetime])
        assert_type(all_of(charged, refunded, timer).result(), tuple[Receipt, None, datetime])
        assert_type(all_of([charged, charged]).result(timedelta(1)), list[Receipt])
        assert_type(any_of(charged, timer, refunded).result(), Receipt | datetime | None)
        assert_type(any_of([charged, charged]).result(), Receipt)
        assert_type(
            any_of(all_of(charged, timer), refunded).result(), tuple[Receipt, datetime] | None
        )
        with self.saga() as undo:
            _ = assert_type(undo, Saga)
            undo(self.payments.refund, order_id)
            undo(self._note, "undone", order_id=order_id)
            self.payments.charge(order_id, 5.0)
        with self.shield():
            self.children.process(order_id)
        return receipt

    def _note(self, text: str, *, order_id: str) -> None:
        self.history[order_id] = text

    def watch(self, order_id: str, *, days: int = 1) -> list[str]:
        seen: list[str] = []
        me = get_workflow_by_id(Orders, self.workflow_id)
        others = get_workflow_by_tag(Orders, "vip")
        decisions = self.decisions.receive(limit=3)
        receipts = self.decisions.receive(Receipt, json_path="$[?(@.kind == 'card')]")
        _ = assert_type(receipts, Deferred[Receipt])
        where = self.notes.receive(where={"": "a"})
        _ = assert_type(where, Deferred[str])
        try:
            decision = decisions.result(timeout=timedelta(days=days))
            assert_type(decision, Receipt | Refusal)
        except DeferredTimeout as error:
            seen.append(f"{error.seconds}")
        except (TaskFailed, WorkflowCanceled) as error:
            seen.append(str(error))
        except DeferredException:
            raise
        except RunCanceled:
            me.notes.send("cancelled")
            raise
        finally:
            self.notes.send("seen")
        _ = self.dispatch(others.notes.send, "to all")
        processed = self.dispatch(others.process, order_id)
        _ = assert_type(processed, Deferred[Receipt])
        self.last = me.last_note()
        assert_type(self.inline(len, seen), int)
        assert_type(self.inline(lambda: datetime.now(UTC)), datetime)
        assert_type(self.now(), datetime)
        assert_type(self.uuid(), UUID)
        assert_type(self.random, Random)
        assert_type(self.tags, frozenset[str])
        self.logger.info("%s %s %s", self.workflow_name, self.method_id, self.method_name)
        until = self.timer(datetime(2030, 1, 1, tzinfo=UTC))
        assert_type(until.result(), datetime)
        return seen

    async def aprocess(self, order_id: str) -> Receipt:
        return self.process(order_id)

    async def awatch(self, order_id: str) -> list[str]:
        return self.watch(order_id)


# --- coroutine style ------------------------------------------------------------------------------


@version(3)
class AsyncOrdersImpl(OrdersImpl):
    async def aprocess(self, order_id: str) -> Receipt:
        await self.payments.refund(order_id)
        charged = self.dispatch(self.payments.charge, order_id, 1.0)
        assert_type(await charged, Receipt)
        child = self.dispatch(self.children.aprocess, order_id)
        timer = self.timer(timedelta(minutes=1))
        assert_type(await (child | timer), Receipt | datetime)
        assert_type(await (child & timer), tuple[Receipt, datetime])
        assert_type(await all_of(child, timer, charged), tuple[Receipt, datetime, Receipt])
        assert_type(await all_of([child, charged]), list[Receipt])
        assert_type(await any_of(child, timer), Receipt | datetime)
        assert_type(await self.approvals.decide([order_id]), dict[str, bool])

        async def give_up(reason: str) -> None:
            self.last = reason

        async with self.saga() as undo:
            undo(self.payments.refund, order_id)
            undo(give_up, "too late")
            undo(get_workflow_by_id(Orders, "other").notes.send, "gone")
            return await self.children.aprocess(order_id)

    async def awatch(self, order_id: str) -> list[str]:
        notes = self.notes.receive()
        _ = assert_type(notes, Deferred[str])
        seen = [await notes, await notes]
        try:
            seen.append(notes.result(timedelta(seconds=1)))
        except DeferredTimeout:
            self.logger.warning("nothing for %s", order_id)
        return seen


# --- clients --------------------------------------------------------------------------------------


def blocking(client: InfiniticClient) -> None:
    """Calls block, whatever the colour of the method."""
    orders = client.new_workflow(Orders, tags={"vip"})
    assert_type(orders.process("a"), Receipt)
    assert_type(client.call(orders.aprocess, "a"), Receipt)
    assert_type(client.dispatch(orders.watch, "a", days=2), ClientDeferred[list[str]])
    running = client.get_workflow_by_id(Orders, "id")
    running.decisions.send(Refusal("no"))
    client.send(running.notes, "a")
    client.cancel(client.get_workflow_by_tag(Orders, "vip"))


async def awaiting(client: AsyncInfiniticClient) -> None:
    """The same, awaited."""
    orders = client.new_workflow(Orders)
    assert_type(await orders.aprocess("a"), Receipt)
    assert_type(await client.call(orders.process, "a"), Receipt)
    started = await client.dispatch(orders.awatch, "a")
    _ = assert_type(started, AsyncDeferred[list[str]])
    assert_type(await started, list[str])
    await client.send(client.get_workflow_by_id(Orders, started.id).decisions, Receipt("b"))
