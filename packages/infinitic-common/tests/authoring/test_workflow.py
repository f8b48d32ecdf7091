from datetime import UTC, datetime, timedelta
from typing import Protocol

import pytest

from infinitic_common import (
    UsageError,
    Workflow,
    dispatch,
    get_workflow_by_id,
    get_workflow_by_tag,
    name,
    new_service,
    new_workflow,
    timeout,
)
from infinitic_common.exceptions import (
    InvalidContract,
    InvalidInline,
    InvalidStub,
    MultipleCustomId,
    NotInWorkflow,
)
from infinitic_common.history import (
    ChildWorkflowCommand,
    InlineCommand,
    RemoteMethodCommand,
    TaskCommand,
    TimerCommand,
)
from infinitic_common.serialization import SerializationError, encode_untyped, value_codec
from infinitic_common.testing.workflow_run import FakeWorkflowRun

TEXT = value_codec(str, place="a text")


@name("util")
class Util(Protocol):
    @timeout(timedelta(seconds=3))
    def concat(self, a: str, b: str = "!") -> str: ...

    @name("reversed")
    async def reverse(self, text: str) -> str: ...


class Child(Protocol):
    def run(self, text: str) -> str: ...


class Order(Workflow):
    util = new_service(Util, tags={"foo"}, meta={"foo": b"bar"})

    def __init__(self) -> None:
        self.id_at_start = self.workflow_id

    def call(self) -> str:
        return self.util.concat("a")

    async def acall(self) -> str:
        return await self.util.reverse("ab")


def test_a_call_of_a_service_is_a_command_and_a_wait(run: FakeWorkflowRun) -> None:
    run.will_complete(0, TEXT.encode("a!"))
    assert Order().call() == "a!"
    arguments = (TEXT.encode("a"), TEXT.encode("!"))
    expected = TaskCommand(
        "util", "concat", arguments, frozenset({"foo"}), {"foo": b"bar"}, timeout_ms=3000
    )
    assert run.commands == {0: expected}
    assert list(run.steps) == [1]


async def test_an_async_method_is_awaited(run: FakeWorkflowRun) -> None:
    run.will_complete(0, TEXT.encode("ba"))
    assert await Order().acall() == "ba"
    assert run.commands[0] == TaskCommand(
        "util", "reversed", (TEXT.encode("ab"),), frozenset({"foo"}), {"foo": b"bar"}
    )


async def test_an_async_method_does_nothing_until_awaited(run: FakeWorkflowRun) -> None:
    coroutine = new_service(Util).reverse("ab")
    assert run.commands == {}
    run.will_complete(0, TEXT.encode("ba"))
    assert await coroutine == "ba"


def test_a_dispatch_does_not_wait(run: FakeWorkflowRun) -> None:
    deferred = Order().dispatch(new_service(Util).concat, "a", b="c")
    assert deferred.is_ongoing
    assert run.steps == {}


def test_a_child_has_its_own_command(run: FakeWorkflowRun) -> None:
    _ = dispatch(new_workflow(Child, tags={"t"}).run, "x")
    assert run.commands[0] == ChildWorkflowCommand(
        "Child", "run", (TEXT.encode("x"),), frozenset({"t"})
    )


def test_a_running_workflow_is_named_by_id_or_tag(run: FakeWorkflowRun) -> None:
    _ = dispatch(get_workflow_by_id(Child, "id").run, "x")
    _ = dispatch(get_workflow_by_tag(Child, "tag").run, "x")
    assert run.commands == {
        0: RemoteMethodCommand("Child", "id", None, "run", (TEXT.encode("x"),)),
        1: RemoteMethodCommand("Child", None, "tag", "run", (TEXT.encode("x"),)),
    }


def test_the_context_is_there_in_the_constructor(run: FakeWorkflowRun) -> None:
    order = Order()
    assert order.id_at_start == "order-1"
    assert (order.workflow_name, order.method_id, order.method_name) == (
        "Order",
        "order-1",
        "method",
    )
    assert (order.tags, order.meta) == (frozenset({"vip"}), {})
    assert order.now() == run.now()
    assert order.uuid() != order.uuid()
    assert 0 <= order.random.random() < 1


def test_a_timer_is_a_command(run: FakeWorkflowRun) -> None:
    _ = Order().timer(timedelta(seconds=1))
    assert isinstance(run.commands[0], TimerCommand)


def test_a_naive_instant_is_refused(run: FakeWorkflowRun) -> None:
    order = Order()
    with pytest.raises(UsageError, match="time zone"):
        _ = order.timer(datetime(2026, 1, 1))  # noqa: DTZ001 - what is refused
    assert order.timer(datetime(2026, 1, 1, tzinfo=UTC)).id == run.command_id(0)


@pytest.mark.usefixtures("run")
def test_a_number_is_no_duration() -> None:
    with pytest.raises(UsageError, match=r"timer\(1\): give a duration, as timedelta"):
        _ = Order().timer(1)  # type: ignore[arg-type]  # what is refused


def test_an_inline_block_is_recorded(run: FakeWorkflowRun) -> None:
    assert Order().inline(lambda text: text * 2, "ab") == "abab"
    assert run.commands == {0: InlineCommand(encode_untyped("abab"))}


def test_an_inline_block_uses_no_stub(run: FakeWorkflowRun) -> None:
    order = Order()
    with pytest.raises(InvalidInline):
        order.inline(order.util.concat, "a")
    assert run.commands == {}


async def test_an_inline_block_is_no_coroutine(run: FakeWorkflowRun) -> None:
    order = Order()
    with pytest.raises(InvalidInline, match="plain function"):
        _ = order.inline(order.acall)
    assert run.commands == {}


def test_a_stub_outside_a_workflow_says_so() -> None:
    with pytest.raises(NotInWorkflow, match=r"Util\.concat"):
        new_service(Util).concat("a")


def test_the_context_outside_a_workflow_says_so() -> None:
    with pytest.raises(NotInWorkflow, match="workflow_id"):
        Order()


def test_what_is_no_stub_cannot_be_dispatched(run: FakeWorkflowRun) -> None:
    with pytest.raises(InvalidStub, match="no method of a stub"):
        _ = dispatch(Order().call)
    assert run.commands == {}


def test_what_is_no_contract_has_no_stub() -> None:
    with pytest.raises(InvalidContract, match="Order is no contract"):
        new_service(Order)


def test_an_unknown_method_of_a_stub_names_those_there_are() -> None:
    with pytest.raises(AttributeError, match="no method and no channel 'concatt'; it has concat"):
        new_service(Util).concatt  # type: ignore[attr-defined] # noqa: B018 - what is refused


@pytest.mark.parametrize("tags", ["vip", ["vip"], {1}, {""}])
def test_tags_are_a_set_of_texts(tags: object) -> None:
    with pytest.raises(UsageError, match=r"new_service\(Util\)"):
        new_service(Util, tags=tags)  # type: ignore[arg-type]  # what is refused


def test_meta_are_bytes() -> None:
    with pytest.raises(UsageError, match="must be bytes"):
        new_workflow(Child, meta={"foo": "bar"})  # type: ignore[dict-item]  # what is refused


def test_only_one_custom_id_is_possible() -> None:
    with pytest.raises(MultipleCustomId, match="customId:a and customId:b"):
        new_workflow(Child, tags={"customId:a", "customId:b", "c"})


def test_an_id_is_not_empty() -> None:
    with pytest.raises(InvalidStub, match="id of a workflow"):
        get_workflow_by_id(Child, "")
    with pytest.raises(InvalidStub, match="tag of workflows"):
        get_workflow_by_tag(Child, "")


def test_a_stub_is_no_value() -> None:
    with pytest.raises(SerializationError, match="stub"):
        encode_untyped(new_service(Util))


def test_a_stub_says_what_it_stands_for() -> None:
    assert repr(get_workflow_by_tag(Child, "vip")) == "<stub of workflows Child with tag 'vip'>"
    assert repr(new_service(Util).concat) == "<method concat of service util>"


@pytest.mark.parametrize("days", [-1, 0, 366, 36_500])
def test_a_timer_may_be_past_or_far(run: FakeWorkflowRun, days: int) -> None:
    _ = Workflow().timer(timedelta(days=days))
    _ = Workflow().timer(run.now() + timedelta(days=days))
    by_duration, by_instant = run.commands[0], run.commands[1]
    assert isinstance(by_duration, TimerCommand)
    assert isinstance(by_instant, TimerCommand)
    assert by_duration.fires_at == by_instant.fires_at
    assert by_duration.duration_ms == days * 86_400_000
    assert by_instant.duration_ms is None


def test_the_instant_of_a_timer_is_not_rounded_out_of_all_years(run: FakeWorkflowRun) -> None:
    _ = Workflow().timer(datetime.max.replace(tzinfo=UTC))
    command = run.commands[0]
    assert isinstance(command, TimerCommand)
    assert datetime.fromtimestamp(command.fires_at / 1000, UTC).year == 9999


@pytest.mark.parametrize("delay", [timedelta.max, timedelta.min])
def test_a_timer_beyond_all_years_is_refused(run: FakeWorkflowRun, delay: timedelta) -> None:
    with pytest.raises(UsageError, match="year"):
        _ = Workflow().timer(delay)
    assert not run.commands


def test_an_attribute_of_a_stub_cannot_be_set() -> None:
    stub = get_workflow_by_tag(Child, "vip")
    with pytest.raises(AttributeError, match=r"'total' of the stub of workflows Child.* cannot be"):
        stub.total = 3  # type: ignore[attr-defined]  # what is refused
