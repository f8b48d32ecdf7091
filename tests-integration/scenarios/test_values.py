"""Values of every kind, at every place where a value travels."""

import enum
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal
from typing import Generic, Literal, NamedTuple, Protocol, TypedDict, TypeVar
from uuid import UUID

import attrs
import pydantic
import pytest

from infinitic_client import AsyncInfiniticClient
from infinitic_common import Channel, Workflow, channel, new_service, new_workflow

pytestmark = pytest.mark.asyncio(loop_scope="module")

T = TypeVar("T")


class Color(enum.Enum):
    RED = "red"
    BLUE = 2


class Level(enum.IntEnum):
    HIGH = 2


class Point(NamedTuple):
    x: int
    y: float = 0.5


class Options(TypedDict, total=False):
    a: int
    b: str | None


@dataclass(frozen=True)
class Card:
    number: str
    limit: Decimal = Decimal("1.10")


@attrs.frozen
class Cash:
    amount: int
    when: datetime


class Wire(pydantic.BaseModel):
    iban: str
    color: Color = Color.RED
    cards: list[Card] = []


@dataclass
class Tree:
    value: int
    children: list["Tree"] = field(default_factory=list["Tree"])


@dataclass
class Box(Generic[T]):
    item: T


Payment = Card | Cash | Wire | None


@dataclass
class Everything:
    payment: Payment
    point: Point
    options: Options
    tree: Tree
    box: Box[list[Card]]
    by_color: dict[Color, set[int]]
    days: dict[date, time]
    pair: tuple[int, str, None]
    many: tuple[Card, ...]
    delta: timedelta
    identifier: UUID
    raw: bytes
    choice: Literal["a", 3]
    frozen: frozenset[Card]
    big: int
    level: Level


NEPAL = timezone(timedelta(hours=5, minutes=45))
EVERYTHING = Everything(
    payment=Cash(3, datetime(2024, 2, 29, 23, 59, 59, 999999, tzinfo=NEPAL)),
    point=Point(1),
    options={"b": None},
    tree=Tree(1, [Tree(2, [Tree(3)])]),
    box=Box([Card("é", Decimal("0.10"))]),
    by_color={Color.RED: {1, 2}, Color.BLUE: set()},
    days={date(2024, 2, 29): time(1, 2, 3)},
    pair=(1, "", None),
    many=(Card("1"), Card("2")),
    delta=timedelta(days=-1, microseconds=3),
    identifier=UUID(int=7),
    raw=b"\x00\xff",
    choice=3,
    frozen=frozenset({Card("z")}),
    big=2**80,
    level=Level.HIGH,
)
PAYMENTS = (
    None,
    Card("1"),
    Cash(1, datetime(2000, 1, 1, tzinfo=UTC)),
    Wire(iban="i", color=Color.BLUE, cards=[Card("9")]),
)
UNDECLARED: dict[str, object] = {
    "all": EVERYTHING,
    "nothing": None,
    "enum": Color.BLUE,
    "named tuple": Point(1),
    "model": PAYMENTS[3],
    "set": {1, 2},
    "instant": datetime(2024, 2, 29, tzinfo=UTC),
    "tuple": (1, "a"),
    "map": {1: Card("a")},
    "mixture": [Card("a"), Color.RED, None, Decimal("1.0"), UUID(int=3)],
    "infinity": float("inf"),
    "generic": Box(Card("1")),
}


class Echo(Protocol):
    def everything(self, value: Everything) -> Everything: ...
    async def payment(self, value: Payment) -> Payment: ...


class EchoImpl(Echo):
    def everything(self, value: Everything) -> Everything:
        return value

    async def payment(self, value: Payment) -> Payment:
        return value


class Travel(Protocol):
    payments: Channel[Payment] = channel()

    def through_task(self, value: Everything) -> Everything: ...
    async def through_child(self, value: Payment) -> Payment: ...
    def through_signal(self) -> Payment: ...
    def through_properties(self, value: Everything) -> list[str]: ...
    def inline_value(self, kind: str) -> str: ...


class TravelImpl(Workflow, Travel):
    echo = new_service(Echo)
    declared: Everything | None
    payment: Payment
    undeclared: object

    def __init__(self) -> None:
        self.declared = None
        self.payment = None
        self.undeclared = None

    def through_task(self, value: Everything) -> Everything:
        return self.echo.everything(value)

    async def through_child(self, value: Payment) -> Payment:
        if self.tags:
            return await self.echo.payment(value)
        return await new_workflow(Travel, tags={"child"}).through_child(value)

    def through_signal(self) -> Payment:
        return self.payments.receive().result()

    def through_properties(self, value: Everything) -> list[str]:
        self.declared, self.payment, self.undeclared = value, value.payment, value
        self._step()
        found = [self._described()]
        self.declared, self.payment, self.undeclared = None, None, None
        self._step()
        return [*found, self._described()]

    def _step(self) -> None:
        self.timer(timedelta(0)).result()

    def _described(self) -> str:
        return repr((self.declared, self.payment, self.undeclared))

    def inline_value(self, kind: str) -> str:
        value = self.inline(UNDECLARED.__getitem__, kind)
        self._step()
        return repr(value)


SERVICES = [(Echo, EchoImpl)]
WORKFLOWS = [(Travel, TravelImpl)]


async def test_arguments_and_results_keep_every_type(client: AsyncInfiniticClient) -> None:
    travel = client.new_workflow(Travel)
    assert await client.call(travel.through_task, EVERYTHING) == EVERYTHING


@pytest.mark.parametrize("payment", PAYMENTS)
async def test_members_of_unions_go_to_children_and_come_as_signals(
    client: AsyncInfiniticClient, payment: Payment
) -> None:
    travel = client.new_workflow(Travel)
    assert await client.call(travel.through_child, payment) == payment
    started = await client.dispatch(travel.through_signal)
    await client.send(client.get_workflow_by_id(Travel, started.id).payments, payment)
    assert await started.result() == payment


async def test_properties_keep_their_types_declared_or_not_and_none(
    client: AsyncInfiniticClient,
) -> None:
    full, empty = await client.call(client.new_workflow(Travel).through_properties, EVERYTHING)
    assert full == repr((EVERYTHING, EVERYTHING.payment, EVERYTHING))
    assert empty == repr((None, None, None))


@pytest.mark.parametrize("kind", UNDECLARED)
async def test_inline_values_keep_their_types(client: AsyncInfiniticClient, kind: str) -> None:
    told = await client.call(client.new_workflow(Travel).inline_value, kind)
    assert told == repr(UNDECLARED[kind])
