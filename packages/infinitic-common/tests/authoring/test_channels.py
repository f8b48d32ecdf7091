from typing import Any, Protocol, cast

import pytest

from infinitic_common import Channel, Workflow, channel, dispatch, get_workflow_by_id, new_workflow
from infinitic_common.exceptions import InvalidChannelUsage, InvalidStub, NotInWorkflow
from infinitic_common.history import ReceiveCommand, SendSignalCommand
from infinitic_common.serialization import SerializationError, encode_untyped, value_codec
from infinitic_common.testing.workflow_run import FakeWorkflowRun

BOOLEAN = value_codec(bool, place="a boolean")


class Order(Protocol):
    approvals: Channel[bool] = channel(discard_unexpected=True)

    def go(self) -> None: ...


class OrderImpl(Workflow, Order):
    def go(self) -> None: ...


def test_a_receive_says_what_it_wants(run: FakeWorkflowRun) -> None:
    order = OrderImpl()
    _ = order.approvals.receive(bool, limit=2, json_path="$[?(@ == true)]", where={"a.b": 1})
    assert run.commands[0] == ReceiveCommand(
        "approvals", "bool", "$[?(@ == true)]", {"a.b": encode_untyped(1)}, 2
    )


def test_signals_have_the_type_of_the_channel(run: FakeWorkflowRun) -> None:
    deferred = OrderImpl().approvals.receive()
    run.will_complete(0, BOOLEAN.encode(value=True))
    assert deferred.result() is True


@pytest.mark.parametrize(("type_", "name"), [(object, None), (Any, None), (list[int], "list")])
def test_a_receive_wants_a_class_or_anything(
    run: FakeWorkflowRun, type_: type, name: str | None
) -> None:
    _ = OrderImpl().approvals.receive(type_)
    command = run.commands[0]
    assert isinstance(command, ReceiveCommand)
    assert command.value_type == name


def test_a_receive_for_what_is_no_class_is_refused(run: FakeWorkflowRun) -> None:
    wanted = cast("type", bool | None)
    with pytest.raises(
        InvalidChannelUsage, match=r"'approvals': receive\(bool \| None\): .* one class"
    ):
        _ = OrderImpl().approvals.receive(wanted)
    assert not run.commands


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"limit": 0}, "limit=0"),
        ({"limit": "2"}, "limit='2'.*whole number"),
        ({"json_path": "$[?("}, "no JSONPath"),
        ({"json_path": 5}, "5 is no JSONPath"),
        ({"where": "foo"}, "where='foo'.*path"),
    ],
)
def test_a_receive_that_cannot_work_is_refused(
    run: FakeWorkflowRun, options: dict[str, object], message: str
) -> None:
    with pytest.raises(InvalidChannelUsage, match=message):
        OrderImpl().approvals.receive(**options)  # type: ignore[call-overload]  # what is refused
    assert run.commands == {}


def test_sending_to_the_own_channel_does_not_wait(run: FakeWorkflowRun) -> None:
    OrderImpl().approvals.send(True)  # noqa: FBT003 - a signal
    sent = run.commands[0]
    assert isinstance(sent, SendSignalCommand)
    assert (sent.workflow_name, sent.workflow_id) == ("Order", "order-1")
    assert (sent.channel_name, sent.value) == ("approvals", BOOLEAN.encode(value=True))
    assert sent.value_types == ("bool", "int")
    assert run.steps == {}


def test_sending_to_another_workflow_does_not_wait(run: FakeWorkflowRun) -> None:
    get_workflow_by_id(Order, "other").approvals.send(False)  # noqa: FBT003 - a signal
    sent = run.commands[0]
    assert isinstance(sent, SendSignalCommand)
    assert (sent.workflow_id, sent.workflow_tag) == ("other", None)
    assert run.steps == {}


def test_a_dispatched_signal_has_an_id(run: FakeWorkflowRun) -> None:
    deferred = dispatch(get_workflow_by_id(Order, "other").approvals.send, False)  # noqa: FBT003 - a signal
    assert deferred.id == run.command_id(0)
    run.will_complete(0, b"")
    deferred.result()
    assert deferred.is_completed


def test_a_signal_of_another_type_is_refused(run: FakeWorkflowRun) -> None:
    with pytest.raises(SerializationError, match="channel 'approvals' of Order"):
        get_workflow_by_id(Order, "other").approvals.send("yes")  # type: ignore[arg-type]  # what is refused
    assert run.commands == {}


def test_a_new_workflow_has_no_channel_yet(run: FakeWorkflowRun) -> None:
    with pytest.raises(InvalidChannelUsage, match="running workflows"):
        new_workflow(Order).approvals.send(True)  # noqa: FBT003 - a signal
    assert run.commands == {}


def test_only_the_workflow_itself_receives(run: FakeWorkflowRun) -> None:
    with pytest.raises(InvalidChannelUsage, match="only the workflow itself"):
        _ = get_workflow_by_id(Order, "other").approvals.receive()
    assert run.commands == {}


def test_a_channel_outside_a_workflow_is_refused() -> None:
    with pytest.raises(NotInWorkflow):
        _ = OrderImpl().approvals.receive()


def test_a_channel_that_is_no_attribute_is_refused(run: FakeWorkflowRun) -> None:
    with pytest.raises(InvalidChannelUsage, match="attribute of a class"):
        _ = channel().receive()
    assert run.commands == {}


def test_a_channel_has_one_name() -> None:
    one = channel()
    one.__set_name__(OrderImpl, "first")
    with pytest.raises(InvalidChannelUsage, match="'first' and 'second'"):
        one.__set_name__(OrderImpl, "second")


def test_send_of_the_own_channel_can_be_dispatched(run: FakeWorkflowRun) -> None:
    order = OrderImpl()
    sent = order.dispatch(order.approvals.send, True)  # noqa: FBT003 - a signal
    assert sent.id == run.command_id(0)
    assert sent.is_completed
    assert sent.result() is None
    with pytest.raises(InvalidStub):
        _ = order.dispatch(order.approvals.receive)
