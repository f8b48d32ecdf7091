"""The same program gives the same commands and results, live or rebuilt at every step."""

import asyncio
from collections.abc import Callable, Sequence
from typing import cast

import attrs
from executor_doubles import (
    FakeEngine,
    FunctionWorkflow,
    Instance,
    here,
    runner,
    task,
)
from hypothesis import given, settings
from hypothesis import strategies as st
from remote_doubles import RemoteExecutor, RemoteHandler

from infinitic_common.exceptions import RunCanceled
from infinitic_common.failures import TaskTimedOutError
from infinitic_common.history import (
    CommandIssued,
    Entry,
    ReceiveCommand,
    SendSignalCommand,
    TaskCommand,
)
from infinitic_common.outcomes import to_exception
from infinitic_common.serialization import decode_untyped, encode_untyped
from infinitic_common.steps import AllOf, AnyOf, FirstOf, Leaf, Resolution, Step
from infinitic_task_executor._workflow.runner import WorkflowTaskRunner

ERROR = TaskTimedOutError("S", "m", "id")

ROUTES = ((0,), (1,), (0, 0), (1, 0))


@attrs.frozen
class Act:
    """One thing that a random program does; numbers pick among what is there."""

    kind: str
    number: int
    number2: int


KINDS = (
    *("task", "task", "receive", "send", "inline", "set", "time", "peek"),
    *("wait", "wait", "all", "any", "first", "need", "shield", "catch"),
)
ACTS = st.builds(Act, st.sampled_from(KINDS), st.integers(0, 5), st.integers(0, 5))
EVENTS = st.tuples(
    st.sampled_from(("complete", "complete", "fail", "retry", "signal", "property", "cancel")),
    st.integers(0, 7),
)


class Script:
    """A program made of acts; notes all that it sees."""

    def __init__(self, acts: list[Act]) -> None:
        self.acts = acts
        self.inlines = 0

    def __call__(self, instance: Instance) -> object:
        leaves: list[Leaf] = []
        seen: list[object] = []
        for act in self.acts:
            self._do(act, instance, leaves, seen)
        return seen

    def _do(self, act: Act, instance: Instance, leaves: list[Leaf], seen: list[object]) -> None:
        run = here()
        match act.kind:
            case "task":
                leaves.append(Leaf(task("t", act.number)))
            case "receive":
                position = run.issue(ReceiveCommand("c"))
                leaves.extend((Leaf(position), Leaf(position, 1)))
            case "send":
                leaves.append(Leaf(run.issue(SendSignalCommand("W", "x", None, "c", b""))))
            case "inline":
                seen.append(decode_untyped(run.inline(lambda: encode_untyped(act.number))))
            case "set":
                counts = cast("list[int]", vars(instance).setdefault("counts", []))
                counts.append(act.number)
                seen.append(content(instance))
            case "time":
                seen.append([run.now(), run.uuid(), run.random().random()])
            case _ if leaves:
                self._look(act, leaves, seen, instance)
            case _:
                pass

    def _look(self, act: Act, leaves: list[Leaf], seen: list[object], instance: Instance) -> None:
        run = here()
        one, two = leaves[act.number % len(leaves)], leaves[act.number2 % len(leaves)]
        steps: dict[str, Step] = {
            "all": AllOf((one, two)),
            "any": AnyOf((one, two)),
            "first": FirstOf((one, AllOf((two, one)))),
        }
        step = steps.get(act.kind, one)
        if act.kind == "shield":
            with run.shield():
                run.wait(one)
                run.wait(two)
        if act.kind == "catch":
            try:
                run.wait(one)
            except RunCanceled:
                seen.append("canceled")
        found = run.peek(step) if act.kind == "peek" else run.wait(step)
        if act.kind == "need" and found is not None and found.error is not None:
            raise to_exception(found.error)
        seen.append([act.kind, self._told(found), content(instance)])

    def _told(self, resolution: Resolution | None) -> object:
        if resolution is None:
            return None
        if resolution.error is not None:
            return "failed"
        return [decode_untyped(here().value_of(leaf)) for leaf in resolution.leaves]


async def play(
    acts: list[Act],
    events: list[tuple[str, int]],
    *,
    replay: Callable[[int], bool] = lambda _: False,
    route: Callable[[int], Sequence[int]] | None = None,
) -> tuple[list[Entry], object]:
    """Run the program while the events happen; throw its run away when told to.

    With a route the tasks go as messages, to one or both of two executors.
    """
    workflow = FunctionWorkflow(function=Script(acts))
    handler = runner(workflow)
    if route is not None:
        executors = [RemoteExecutor(workflow), RemoteExecutor(workflow)]
        handler = cast("WorkflowTaskRunner", RemoteHandler(executors, route))
    engine = FakeEngine(handler)
    await engine.start()
    for number, (event, choice) in enumerate(events):
        happen(engine, event, choice)
        if event == "cancel":
            await engine.cancel()
        if replay(number):
            handler.discard([engine.workflow_id])
        for _ in acts:
            await engine.resume()
            await engine.resume_failed()
    handler.close()
    return engine.log, engine.value


def content(instance: Instance) -> bytes:
    """The properties, as they are now."""
    return encode_untyped(vars(instance))


def happen(engine: FakeEngine, event: str, choice: int) -> None:
    """Let one thing happen to the commands issued so far."""
    issued = [entry for entry in engine.log if isinstance(entry, CommandIssued)]
    tasks = [entry.position for entry in issued if isinstance(entry.command, TaskCommand)]
    receives = [entry.position for entry in issued if isinstance(entry.command, ReceiveCommand)]
    if event == "property":
        engine.set_property("counts", [choice])
    elif event == "signal" and receives:
        engine.signal(receives[choice % len(receives)], choice)
    elif event == "complete" and tasks:
        engine.complete(tasks[choice % len(tasks)], choice)
    elif event == "fail" and tasks:
        engine.fail(tasks[choice % len(tasks)], ERROR)
    elif event == "retry" and tasks:
        engine.retry(tasks[choice % len(tasks)])


@settings(max_examples=120, deadline=None)
@given(
    st.lists(ACTS, min_size=10, max_size=30),
    st.lists(EVENTS, min_size=10, max_size=30),
    st.integers(0, 2**25),
)
def test_live_replayed_and_mixed_runs_are_the_same(
    acts: list[Act], events: list[tuple[str, int]], mask: int
) -> None:
    async def all_ways() -> list[tuple[list[Entry], object]]:
        return [
            await play(acts, events, replay=lambda _: False),
            await play(acts, events, replay=lambda _: True),
            await play(acts, events, replay=lambda number: bool(mask >> number & 1)),
            await play(acts, events, route=lambda _: (0,)),
            await play(acts, events, route=lambda number: ROUTES[mask >> number & 3]),
        ]

    live, *others = asyncio.run(all_ways())

    for other in others:
        assert other == live
