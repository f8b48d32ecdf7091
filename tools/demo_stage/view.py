"""What the audience sees: the orders while they go on, and the verdict."""

from collections.abc import Sequence

from demo_shop.journal import Entry
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from demo_stage.places import Place
from demo_stage.play import Seen
from demo_stage.script import Plan

WAITING = Text("…", style="yellow")
DONE = Text("done", style="green")
NOT_YET = Text("")


def progress(plans: Sequence[Plan], seen: Seen, place: Place) -> RenderableType:
    """The orders as they are now."""
    table = Table(title="Orders", title_justify="left")
    for name in ("order", "payment", "packing", "approval", "end", "result"):
        table.add_column(name, no_wrap=True)
    for plan in plans:
        result = seen.results.get(plan.order.id)
        table.add_row(plan.order.id, *_cells(plan, seen), result.outcome if result else "")
    worker = Text(f"worker: {place.worker()}")
    killed = Text(f"killed in: {', '.join(seen.kills)}" if seen.kills else "", style="red")
    return Group(table, worker, killed)


def verdict(plans: Sequence[Plan], seen: Seen) -> Table:
    """How often each step was decided and executed."""
    table = Table(title="Each step is decided once, executed at least once", title_justify="left")
    for name in ("order", "step", "decided", "executed", "killed in it", "again after", ""):
        table.add_column(name)
    for plan in plans:
        for step in plan.steps:
            begun = seen.executions(plan.order.id, step)
            ended = seen.executions(plan.order.id, step, ended=True)
            decided = len({entry.task_id for entry in begun})
            numbers = (str(decided), str(len(begun)), str(len(begun) - len(ended)), _again(begun))
            good = Text("ok", style="green") if decided == 1 else Text("WRONG", style="red")
            table.add_row(plan.order.id, step, *numbers, good)
    return table


def _again(begun: Sequence[Entry]) -> str:
    return f"{begun[1].at - begun[0].at:.1f} s" if len(begun) > 1 else ""


def mistakes(plans: Sequence[Plan], seen: Seen) -> list[str]:
    """What went wrong, in words; empty when nothing did."""
    wrong: list[str] = []
    for plan in plans:
        order_id = plan.order.id
        result = seen.results.get(order_id)
        if result is None or result.outcome != plan.outcome:
            wrong.append(f"{order_id} must end as {plan.outcome!r}, not as {result}")
        called = {(e.step, e.task_id) for e in seen.journal if e.order_id == order_id}
        steps = sorted(step for step, _ in called)
        if steps != sorted(plan.steps):
            wrong.append(f"{order_id} must decide {', '.join(plan.steps)} once, not {steps}")
    return wrong


def _cells(plan: Plan, seen: Seen) -> tuple[Text, ...]:
    order_id = plan.order.id
    charged = _call(seen, order_id, "charge")
    asked = _call(seen, order_id, "ask")
    end = _call(seen, order_id, plan.last_step)
    packing = _wait(before=charged, after=asked)
    approval = WAITING if asked is WAITING else _wait(before=asked, after=end)
    return charged, packing, approval, end


def _call(seen: Seen, order_id: str, step: str) -> Text:
    if seen.executions(order_id, step, ended=True):
        return DONE
    return WAITING if seen.executions(order_id, step) else NOT_YET


def _wait(*, before: Text, after: Text) -> Text:
    if after is not NOT_YET:
        return DONE
    return WAITING if before is DONE else NOT_YET
