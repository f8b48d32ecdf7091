"""What the code tells of the signals that it has had."""

import pytest
from executor_doubles import FakeEngine, FunctionWorkflow, Instance, here, runner, task

from infinitic_common.history import ReceiveCommand
from infinitic_common.steps import FirstOf, Leaf


def _program(_: Instance) -> object:
    received = here().issue(ReceiveCommand("c"))
    here().wait(Leaf(task()))
    for index in range(2):
        here().wait(Leaf(received, index))
    here().wait(FirstOf((Leaf(task()), Leaf(received, 2))))
    here().wait(Leaf(received, 2))
    return None


@pytest.mark.parametrize("replays", [False, True], ids=["live", "rebuilt"])
async def test_signals_count_as_used_once_the_code_has_waited_for_them(
    replays: bool,  # noqa: FBT001 - of a case
) -> None:
    engine = FakeEngine(runner(FunctionWorkflow(function=_program), always_replay=replays))
    await engine.start()
    for value in range(2):
        engine.signal(0, value)
    engine.complete(1, None)
    await engine.resume()
    engine.complete(5, None)
    engine.signal(0, 2)
    engine.signal(0, 3)
    await engine.resume()
    assert engine.ended
    assert [result.signals_used for result in engine.results] == [{}, {0: 2}, {0: 3}]
    engine.handler.close()
