"""One run: programs, faults, and all that must hold at its end."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Sequence
from contextlib import AbstractContextManager
from random import Random
from types import SimpleNamespace
from unittest.mock import patch

import attrs
from simulation.simulator.broker import START
from simulation.simulator.chaos import Chaos, CrashPoint, Rates, rates_of
from simulation.simulator.checks import PREFIX, require
from simulation.simulator.programs import ATTEMPTS, PROGRAMS, Story, tell, wait
from simulation.simulator.timeline import Timeline
from simulation.simulator.virtual_loop import VirtualLoop
from simulation.simulator.world import Mode, World

from infinitic_client import AsyncDeferred, AsyncInfiniticClient
from infinitic_common import ids
from infinitic_common.messages import to_outgoing, topic_of
from infinitic_workflow_engine._storage.format import head_from_bytes, segment_keys
from infinitic_workflow_engine._storage.restoring import from_head

_LONGEST = 3600.0
_QUIET, _QUIET_REMOTE = 20.0, 100.0
"""Virtual seconds at the end; deadlines of remote workflow tasks come in them."""

_SETTLED = 2.0
"""Virtual seconds in which what answered the last questions is acknowledged."""


@attrs.frozen
class Plan:
    """What to simulate.

    Attributes:
        seed: Decides all that is left to chance.
        programs: Started one after the other, run together.
        rates: Of random faults; None for those of the seed.
        point: A crash at one point.
    """

    seed: int
    programs: Sequence[str]
    mode: Mode
    rates: Rates | None = None
    point: CrashPoint | None = None

    def __str__(self) -> str:
        point = "" if self.point is None else f", crash point {self.point}"
        return f"seed {self.seed}{point}, {self.mode}, {'+'.join(self.programs)}"


class SimulationError(AssertionError):
    """A plan and what went wrong, with its timeline."""


def simulate(plan: Plan) -> dict[str, list[str]]:
    """Run a plan; gives the boundaries that each actor passed.

    Raises:
        SimulationError: Something that must hold did not.
    """
    random = Random(plan.seed)  # noqa: S311 - to be the same again
    rates = rates_of(random) if plan.rates is None else plan.rates
    loops: list[VirtualLoop] = []

    def new_loop() -> VirtualLoop:
        loops.append(VirtualLoop())
        return loops[-1]

    with asyncio.Runner(loop_factory=new_loop) as runner, _repeatable_ids(random, loops):
        timeline = Timeline(lambda: loops[-1].time())  # noqa: PLW0108 - the loop is made later
        chaos = Chaos(random, rates, plan.point)
        try:
            return runner.run(_run(plan, chaos, timeline))
        except BaseException as error:
            msg = f"{plan}: {type(error).__name__}: {error}\n{rates}\n{timeline}"
            raise SimulationError(msg) from error


def _repeatable_ids(random: Random, loops: list[VirtualLoop]) -> AbstractContextManager[object]:
    def nanoseconds() -> int:
        return int((START / 1000 + loops[-1].time()) * 1_000_000_000)

    return patch.multiple(
        ids,
        os=SimpleNamespace(urandom=random.randbytes),
        time=SimpleNamespace(time_ns=nanoseconds),
    )


async def _run(plan: Plan, chaos: Chaos, timeline: Timeline) -> dict[str, list[str]]:
    ATTEMPTS.clear()
    world = World(chaos, plan.mode, timeline)
    await world.start()
    async with asyncio.timeout(_LONGEST):
        process = world.new_process("client")
        client = AsyncInfiniticClient(transport=world.transport(process))
        told = [await tell(client, name, n) for n, name in enumerate(plan.programs)]
        statuses = await _statuses(client, told)
        _send_signals_again(world)
        results = await asyncio.gather(*(wait(deferred) for deferred in told))
        # Faults end, so that what they left behind must heal; timers of the past come meanwhile.
        chaos.active = False
        again = await asyncio.gather(*(wait(deferred) for deferred in told))
        # Who waits for a cancelled run is told before it has cleaned up.
        await asyncio.sleep(_QUIET_REMOTE if plan.mode.remote else _QUIET)
        statuses += await _statuses(client, told)
    await asyncio.sleep(_SETTLED)
    expected = [PROGRAMS[name] for name in plan.programs]
    right = [program.result for program in expected]
    require(results == right, f"results {results}, not {right}")
    require(again == right, f"late results {again}, not {right}")
    half = len(told)
    require(None not in statuses, f"statuses {statuses}")
    right = [program.status for program in expected]
    require(statuses[half:] == right, f"statuses at the end {statuses[half:]}")
    _check_tasks(world, {d.id: p for d, p in zip(told, plan.programs, strict=True)})
    _check_quiet(world)
    if not _may_tag_late(chaos):
        left = await world.tags_left()
        require(not left, f"tags left at the end: {left}")
    await client.close()
    await world.stop()
    require(not world.checks.violations, "; ".join(world.checks.violations[:3]))
    _check_records(world, len(told))
    return {actor: world.boundaries[actor] for actor in plan.mode.actors}


async def _statuses(
    client: AsyncInfiniticClient, told: Sequence[AsyncDeferred[str]]
) -> list[str | None]:
    stubs = [client.get_workflow_by_id(Story, deferred.id) for deferred in told]
    return [await client.get_status(stub) for stub in stubs]


def _may_tag_late(chaos: Chaos) -> bool:
    """Whether a tag may be added again, alone, after its workflow has ended.

    An acknowledgement that is lost brings back one message behind later ones of its key, and an
    incarnation taken for dead does late what it had read; sets have no versions to tell.
    """
    overlaps = chaos.point.overlap if chaos.point is not None else chaos.rates.overlap > 0
    return overlaps or chaos.rates.lost_acknowledgement > 0


def _send_signals_again(world: World) -> None:
    """The same signals in other messages, as a sender that does not know whether it has sent."""
    for signal in list(world.checks.signals):
        message = attrs.evolve(signal, message_id=f"again-{signal.message_id}")
        world.broker.publish(topic_of(message), to_outgoing(message))


def _check_tasks(world: World, programs: dict[str, str]) -> None:
    for workflow_id, program in programs.items():
        tasks = world.checks.tasks.get(workflow_id, set())
        require(
            PROGRAMS[program].tasks in (None, len(tasks)),
            f"{program} {workflow_id} had {len(tasks)} tasks with effects: {tasks}",
        )
    children = world.checks.children
    require(
        set(world.checks.tasks) <= set(programs) | children,
        "tasks of workflows that nobody started",
    )


def _check_quiet(world: World) -> None:
    broker = world.broker
    require(not broker.dead_letters, f"dead letters {broker.dead_letters}")
    require(not broker.unread, f"messages nobody reads {broker.unread}")
    left = Counter(str(message.topic) for message in broker.unacknowledged)
    require(not left, f"not acknowledged at the end: {dict(left)}")


def _check_records(world: World, workflows: int) -> None:
    """Only tombstones are left."""
    records = world.database.records
    heads = {k: head_from_bytes(v[0]) for k, v in records.items() if k.startswith(PREFIX)}
    require(len(heads) >= workflows, f"{len(heads)} records of {workflows} workflows")
    for key, head in heads.items():
        require(not segment_keys(head), f"{key} refers to segments at the end")
        state = from_head(head, {}, 1)
        require(state.ended_at is not None, f"{key} has not ended")
        require(not state.methods, f"{key} still has runs {list(state.methods)}")
        require(not state.mailbox.log.entries, f"{key} still has signals")
        if not world.chaos.point and world.chaos.rates == Rates():
            require(records[key][2] is not None, f"{key} never expires")
    rest = [key for key in records if key not in heads]
    require(not rest, f"records left at the end: {rest}")
