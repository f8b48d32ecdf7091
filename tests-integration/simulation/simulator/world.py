"""Actors over one broker and one database, restarted when they crash."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from datetime import timedelta
from typing import ParamSpec, TypeVar

import attrs
from simulation.simulator.broker import Broker
from simulation.simulator.chaos import Chaos
from simulation.simulator.checks import Checks
from simulation.simulator.process import Process
from simulation.simulator.programs import REFUSED, Letters, Story, StoryImpl
from simulation.simulator.store import Database, SimulatedKeyValues, SimulatedStorage
from simulation.simulator.timeline import Timeline
from simulation.simulator.transport import SimulatedTransport
from simulation.simulator.virtual_loop import VirtualLoop, virtual_loop

from infinitic_common.component import Component
from infinitic_common.configuration import StorageConfiguration
from infinitic_common.task_context import Task
from infinitic_common.transport import OutgoingMessage, Topic
from infinitic_storage import MemoryStorage
from infinitic_task_executor import ServiceExecutor, WorkflowExecutor
from infinitic_task_tag import ServiceTagEngine
from infinitic_workflow_engine import StateEngineOptions, WorkflowStateEngine
from infinitic_workflow_tag import WorkflowTagEngine

P = ParamSpec("P")
T = TypeVar("T")
Run = Callable[P, Coroutine[object, object, T]]


@attrs.frozen
class Mode:
    """How workflow code runs: beside the engine or elsewhere, and whether live or replayed."""

    remote: bool = False
    always_replay: bool = False
    concurrency: int = 4

    @property
    def actors(self) -> tuple[str, ...]:
        """The actors that may crash."""
        code = ("code",) if self.remote else ()
        return ("engine", "service", "tags", *code)

    def __str__(self) -> str:
        where = "remote" if self.remote else "local"
        return f"{where}-{'replay' if self.always_replay else 'live'}"


@attrs.frozen
class Host:
    """See ``ComponentHost``."""

    process: Process
    transport: SimulatedTransport
    store: SimulatedStorage
    components: Sequence[Component]
    client: object = None
    async_client: object = None

    @property
    def worker_name(self) -> str:
        """See ``ComponentHost``."""
        return self.process.name

    def storage(self, configuration: StorageConfiguration | None = None) -> SimulatedStorage:
        """See ``ComponentHost``."""
        del configuration
        return self.store

    def workflow_task_handler(self, workflow_name: str) -> WorkflowExecutor | None:
        """See ``ComponentHost``."""
        for component in self.components:
            if isinstance(component, WorkflowExecutor):
                return component if component.workflow_name == workflow_name else None
        return None


class World:
    """All that is simulated."""

    def __init__(self, chaos: Chaos, mode: Mode, timeline: Timeline) -> None:
        self.loop = virtual_loop()
        self.chaos = chaos
        self.mode = mode
        self.timeline = timeline
        self.checks = Checks()
        self.broker = Broker(self.loop, chaos, timeline)
        self.database = Database(self.broker.now, self.checks.written)
        self.boundaries: dict[str, list[str]] = {}
        self._sets = MemoryStorage().key_sets
        self._incarnations: dict[str, int] = {}
        self._running: dict[Process, Sequence[Component]] = {}
        self._background: set[asyncio.Task[None]] = set()

    async def tags_left(self) -> dict[str, list[str]]:
        """What still has a tag."""
        sets = await self._sets.get(sorted(self.checks.tagged))
        return {key: sorted(ids) for key, ids in sets.items() if ids}

    # --- actors ----------------------------------------------------------------------------

    def new_process(self, actor: str) -> Process:
        """A new incarnation of an actor."""
        number = self._incarnations[actor] = self._incarnations.get(actor, 0) + 1
        boundaries = self.boundaries.setdefault(actor, [])
        return Process(actor, number, self.chaos, self.timeline, self._crash, boundaries)

    def transport(self, process: Process) -> SimulatedTransport:
        """The transport of an incarnation."""

        def observe(topic: Topic, message: OutgoingMessage) -> None:
            del topic
            self.checks.published(process.actor, message)

        return SimulatedTransport(process, self.broker, observe)

    async def start(self) -> None:
        """Start all actors."""
        for actor in self.mode.actors:
            await self._start(actor)

    async def _start(self, actor: str) -> None:
        process = self.new_process(actor)
        components = self._components(actor, process)
        store = SimulatedStorage(SimulatedKeyValues(process, self.database), self._sets)
        host = Host(process, self.transport(process), store, components)
        self._running[process] = components
        self.timeline.add(process.name, "starts")
        for component in components:
            await component.start(host)

    def _components(self, actor: str, process: Process) -> Sequence[Component]:
        remote = self.mode.remote
        if actor == "service":
            return [ServiceExecutor(Letters, self._service(), concurrency=self.mode.concurrency)]
        if actor == "tags":
            return [WorkflowTagEngine(Story), ServiceTagEngine(Letters)]
        if actor == "code":
            return [self._code(process)]
        options = StateEngineOptions(
            remote_workflow_tasks=remote, workflow_task_timeout=timedelta(seconds=30)
        )
        engine = WorkflowStateEngine(Story, options)
        return [engine] if remote else [self._code(process), engine]

    def _code(self, process: Process) -> WorkflowExecutor:
        executor = WorkflowExecutor(
            Story,
            StoryImpl,
            concurrency=1,
            timeout=None,
            retry=lambda _attempt, _error: 1.0,
            always_replay=self.mode.always_replay,
        )
        _hold_time_while_threads_work(executor, process, self.loop)
        return executor

    def _service(self) -> type:
        checks, chaos, timeline = self.checks, self.chaos, self.timeline

        class LettersImpl(Letters):
            async def join(self, before: str, letter: str) -> str:
                await asyncio.sleep(chaos.seconds())
                if letter == REFUSED:
                    raise ValueError(letter)
                told = before + letter
                timeline.add("task", "has effect", f"{Task.task_id[-6:]} {told!r}")
                checks.executed(Task.workflow_id or "", Task.task_id, told)
                return told

        return LettersImpl

    # --- crashes ---------------------------------------------------------------------------

    def _crash(self, process: Process, how: str) -> None:
        process.reading = False
        if how == "crash":
            self._kill(process)
        self.loop.call_later(self.chaos.random.uniform(0.01, 2), self._restart, process.actor)

    def _restart(self, actor: str) -> None:
        self._in_background(self._start(actor))

    def _kill(self, process: Process) -> None:
        process.alive = process.reading = False
        for component in self._running.pop(process):
            if isinstance(component, ServiceExecutor | WorkflowExecutor):
                self._in_background(component.stop(0))  # its threads end

    def _in_background(self, work: Coroutine[object, object, None]) -> None:
        task = self.loop.create_task(work)
        self._background.add(task)
        task.add_done_callback(self._background.discard)

    async def stop(self) -> None:
        """Stop all actors gracefully; overlapping ones are dead by then."""
        for process, components in list(self._running.items()):
            if not process.reading:
                self._kill(process)
                continue
            for component in reversed(components):
                await component.stop(5)
        await asyncio.gather(*self._background)


def _hold_time_while_threads_work(
    executor: WorkflowExecutor, process: Process, loop: VirtualLoop
) -> None:
    """Make what threads do happen at one virtual instant, and its end a matter of the seed.

    It reaches into the executor, because its runner is what the ways to it have in common.
    """
    runner = executor._runner  # noqa: SLF001  # pyright: ignore[reportPrivateUsage]  # see above

    def in_no_time(finished: Run[P, T]) -> Run[P, T]:
        async def finished_in_no_time(*args: P.args, **kwargs: P.kwargs) -> T:
            loop.virtual.working_threads += 1
            try:
                result = await finished(*args, **kwargs)
            finally:
                loop.virtual.working_threads -= 1
            # A timer fires when all else of this instant is done, in whatever order that was.
            await asyncio.sleep(0.0001)
            return result

        return finished_in_no_time

    def while_alive(run: Run[P, T]) -> Run[P, T]:
        async def run_while_alive(*args: P.args, **kwargs: P.kwargs) -> T:
            if not process.alive:  # its threads have ended
                await process.hang()
            return await run(*args, **kwargs)

        return run_while_alive

    vars(runner).update(
        _finished=in_no_time(runner._finished),  # noqa: SLF001  # pyright: ignore[reportPrivateUsage]  # see above
        run=while_alive(runner.run),
        run_patiently=while_alive(runner.run_patiently),
    )
