"""Plays the orders: starts them, answers for the people, and kills the worker when asked to."""

import asyncio
from collections.abc import Sequence
from pathlib import Path

import attrs
from demo_shop import OrderResult, OrderWorkflow
from demo_shop.journal import Entry, read

from demo_stage.places import Place, WorkerProcess
from demo_stage.script import Plan

LOOK_SECONDS = 0.02


@attrs.define
class Seen:
    """What is known so far, for the eyes of the audience.

    Attributes:
        journal: What services began and ended.
        results: How orders ended.
        kills: What the worker was killed in, in words.
    """

    journal: list[Entry] = attrs.field(factory=list[Entry])
    results: dict[str, OrderResult] = attrs.field(factory=dict[str, OrderResult])
    kills: list[str] = attrs.field(factory=list[str])

    def executions(self, order_id: str, step: str, *, ended: bool = False) -> list[Entry]:
        """The lines of one step of one order."""
        return [
            entry
            for entry in self.journal
            if (entry.order_id, entry.step, entry.ended) == (order_id, step, ended)
        ]


@attrs.define
class Play:
    """The orders on a place."""

    place: Place
    journal: Path
    kill: bool
    seen: Seen = attrs.field(factory=Seen)

    async def run(self, plans: Sequence[Plan]) -> None:
        """Play all orders: at once, or one after the other when the worker is killed meanwhile."""
        watching = asyncio.create_task(self._watch())
        playing = asyncio.create_task(self._all(plans))
        try:
            await asyncio.wait({watching, playing}, return_when=asyncio.FIRST_COMPLETED)
            await (playing if playing.done() else watching)
        finally:
            watching.cancel()
            playing.cancel()
            await asyncio.gather(watching, playing, return_exceptions=True)
            self.seen.journal = read(self.journal)

    async def _all(self, plans: Sequence[Plan]) -> None:
        if self.kill:
            for plan in plans:
                await self._one(plan)
        else:
            await asyncio.gather(*map(self._one, plans))

    async def _one(self, plan: Plan) -> None:
        order, client = plan.order, self.place.client
        deferred = await client.dispatch(client.new_workflow(OrderWorkflow).process, order)
        await self._amid_call(plan, "charge")
        await self._amid_wait(plan, "charge", order.packing_time.total_seconds() / 2, "packing")
        await self._amid_call(plan, "ask")
        pause = 0.3 if plan.answer is not None else order.approval_time.total_seconds() / 2
        await self._ended(order.id, "ask", pause)
        self._strike(plan, "approval")
        if plan.answer is not None:  # with --kill there is no worker now: the signal waits for one
            workflow = client.get_workflow_by_id(OrderWorkflow, deferred.id)
            await client.send(workflow.approvals, plan.answer)
        await self._recover()
        await self._amid_call(plan, plan.last_step)
        self.seen.results[order.id] = await deferred

    async def _amid_call(self, plan: Plan, step: str) -> None:
        if self.kill:
            await self._noted(plan.order.id, step, ended=False)
        self._strike(plan, step)
        await self._recover()

    async def _amid_wait(self, plan: Plan, step: str, seconds: float, name: str) -> None:
        await self._ended(plan.order.id, step, seconds)
        self._strike(plan, name)
        await self._recover()

    async def _ended(self, order_id: str, step: str, pause: float) -> None:
        await self._noted(order_id, step, ended=True)
        await asyncio.sleep(pause)

    async def _noted(self, order_id: str, step: str, *, ended: bool) -> None:
        # Another process writes the journal, and a file tells nobody that it grew.
        while not self.seen.executions(order_id, step, ended=ended):  # noqa: ASYNC110
            await asyncio.sleep(LOOK_SECONDS)

    def _strike(self, plan: Plan, step: str) -> None:
        if self.kill and isinstance(self.place, WorkerProcess):
            self.place.kill()
            self.seen.kills.append(f"{step} of {plan.order.id}")

    async def _recover(self) -> None:
        if self.kill:
            await self.place.start()

    async def _watch(self) -> None:
        while True:
            self.place.check()
            self.seen.journal = read(self.journal)
            await asyncio.sleep(LOOK_SECONDS)
