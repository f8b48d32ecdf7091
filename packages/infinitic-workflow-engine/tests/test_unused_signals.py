"""What the receives of a run got, and its code never had, goes to others when the run is over."""

from typing import Any

import attrs
import pytest

from infinitic_common.history import ReceiveCommand, RemoteMethodCommand
from infinitic_common.messages import CancelWorkflow, DispatchMethod, SendSignal
from infinitic_common.requesters import ClientRequester

CLIENT = ClientRequester("client-1")
RECEIVE = ReceiveCommand("approvals")


def _method(method_id: str) -> DispatchMethod:
    names = (f"m-{method_id}", "Flow", "w1", method_id, "hold")
    return DispatchMethod(*names, (), CLIENT, client_waiting=False, emitted_at=1)


def _cancel(method_id: str) -> CancelWorkflow:
    return CancelWorkflow(f"c-{method_id}", "Flow", "w1", method_id, CLIENT, 1)


def _waiting(state: Any) -> list[str]:
    return [signal.signal_id for _, signal in state.mailbox.all_waiting()]


@pytest.fixture
def holding(drive: Any, start: Any) -> Any:
    """A main run that waits for another channel, and a run that receives and waits for one."""
    drive.send(start())
    drive.answer([(0, ReceiveCommand("other"))], waits=(1, 0), signals_used={})
    drive.send(_method("m1"))
    drive.answer([(0, RECEIVE)], waits=(1, 0), signals_used={})
    return drive


@pytest.mark.parametrize("reloads", [0, 1])
def test_signals_beyond_what_the_code_had_wait_again(
    holding: Any, signal: Any, reloads: int
) -> None:
    holding.send(signal("s1"), signal("s2"), signal("s3"))
    for _ in range(reloads):
        holding.reload()
    holding.answer(value=b"\x01", signals_used={0: 1})
    assert _waiting(holding.state) == ["s2", "s3"]
    holding.send(_method("m2"))
    holding.answer([(0, RECEIVE)], waits=(1, 0), signals_used={})
    assert holding.task is not None
    assert _waiting(holding.state) == []


def test_signals_that_the_code_had_without_waiting_are_its_own(holding: Any, signal: Any) -> None:
    holding.send(signal("s1"), signal("s2"))
    holding.answer(value=b"\x01", signals_used={0: 2})
    assert _waiting(holding.state) == []


def test_they_keep_their_order_before_those_that_wait(holding: Any, signal: Any) -> None:
    typed = ReceiveCommand("approvals", value_type="Wanted")
    holding.send(signal("s1"))
    holding.answer([(2, typed)], waits=(3, 2), signals_used={0: 1})
    holding.state.receivers["approvals"].pop(0)
    wanted = [_typed(signal(name), "Wanted") for name in ("s2", "s4", "s5")]
    holding.send(wanted[0], _typed(signal("s3"), "Other"), *wanted[1:])
    assert _waiting(holding.state) == ["s3"]
    holding.answer(value=b"\x01", signals_used={2: 1})
    assert _waiting(holding.state) == ["s4", "s5", "s3"]
    types = [s.value_types for _, s in holding.state.mailbox.all_waiting()]
    assert types == [("Wanted",), ("Wanted",), ("Other",)]


def _typed(signal: SendSignal, name: str) -> SendSignal:
    return SendSignal(
        signal.message_id, "Flow", "w1", "approvals", signal.signal_id, b"\x01", (name,), CLIENT, 1
    )


def test_another_open_receive_takes_them(holding: Any, signal: Any) -> None:
    holding.send(_method("m2"))
    holding.answer([(0, RECEIVE)], waits=(1, 0), signals_used={})
    holding.send(signal("s1"), signal("s2"))
    holding.answer(value=b"\x01", signals_used={0: 1})
    assert holding.task is not None
    assert holding.task.method_id == "m2"
    assert holding.state.methods["m2"].signal_counts == {0: 1}


def test_a_signal_given_back_is_known_still(holding: Any, signal: Any) -> None:
    holding.send(signal("s1"), signal("s2"))
    holding.answer(value=b"\x01", signals_used={0: 1})
    repeated = _typed(signal("s2"), "Any")
    holding.send(
        SendSignal(
            "else",
            *[
                getattr(repeated, n)
                for n in [field.name for field in attrs.fields(SendSignal)][1:9]
            ],
        )
    )
    assert _waiting(holding.state) == ["s2"]


def test_a_run_cancelled_in_its_wait_gives_back_what_comes_with_it(
    holding: Any, signal: Any
) -> None:
    holding.send(_cancel("m1"), signal("s1"))
    holding.answer(value=b"\x01", signals_used={})
    assert _waiting(holding.state) == ["s1"]


def test_of_a_run_that_stalled_the_wait_that_ended_has_its_signal(
    holding: Any, signal: Any, failed: Any
) -> None:
    holding.send(signal("s1"), signal("s2"))
    holding.answer(error=failed(0).failure)
    holding.reload()
    holding.send(_cancel("m1"))
    assert "m1" not in holding.state.methods
    assert _waiting(holding.state) == ["s2"]


def test_a_channel_that_discards_takes_nothing_back(holding: Any, signal: Any) -> None:
    holding.send(signal("s1"), signal("s2"))
    holding.answer(value=b"\x01", signals_used={0: 1}, discarding_channels=("approvals",))
    assert _waiting(holding.state) == []


def test_of_code_that_does_not_tell_what_it_had_nothing_is_given_twice(
    holding: Any, signal: Any
) -> None:
    holding.send(signal("s1"), signal("s2"))
    holding.answer(value=b"\x01")
    assert _waiting(holding.state) == []


def test_code_that_returned_receives_no_more_while_its_tasks_run(holding: Any, signal: Any) -> None:
    child = RemoteMethodCommand("Flow", "w2", None, "run", ())
    holding.send(signal("s1"), signal("s2"))
    holding.answer([(2, child)], value=b"\x01", signals_used={0: 1})
    assert "m1" in holding.state.methods
    holding.reload()
    holding.send(signal("s3"))
    assert _waiting(holding.state) == ["s2", "s3"]
