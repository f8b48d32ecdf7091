"""``infinitic task``: tasks of a workflow, and delegated tasks."""

from collections.abc import Mapping
from typing import cast

import click

from infinitic_client import _commands, _delegated, _questions
from infinitic_client._cli import output
from infinitic_client._cli.running import Unknown, common, options_of, run, unknown
from infinitic_client._cli.values import contract_named, loaded, parsed, running, stub_of
from infinitic_client._core import ClientCore
from infinitic_common.deferred import DeferredStatus

_COLUMNS = ("id", "service", "method", "status", "attempt", "last_failure")


@click.group("task")
def task() -> None:
    """Look at tasks, run them again, and bring the outcomes of delegated ones."""


@task.command()
@click.argument("name")
@click.argument("id", metavar="ID")
@click.argument("task_id", required=False)
@common
def status(
    name: str,
    id: str,  # noqa: A002 - as it is called
    task_id: str | None,
    *,
    as_json: bool,
    seconds: float | None,
) -> None:
    """List the tasks of the workflow NAME with this ID, or show one."""
    options = options_of(as_json=as_json, seconds=seconds)
    stub = stub_of(running(contract_named(name, None), id, None))
    found = run(options, lambda core: _questions.get_state(core, stub, None))
    tasks = _tasks_of(found if found is not None else unknown(name, id))
    chosen = [one for one in tasks if task_id in (None, one["id"])]
    if task_id is not None and not chosen:
        msg = f"workflow {name} {id} has no task {task_id} now"
        raise Unknown(msg)
    output.show_rows(_COLUMNS, chosen, as_json=as_json)


@task.command()
@click.argument("name")
@click.argument("id", metavar="[ID]", required=False)
@click.argument("task_id", required=False)
@click.option("--tag", help="Instead of an ID: all running workflows with this tag.")
@click.option(
    "--status",
    "wanted",
    type=click.Choice([one.value for one in DeferredStatus], case_sensitive=False),
    help="Only tasks with this status.",
)
@click.option("--service", help="Only tasks of the service of this name.")
@click.option("--all", "everything", is_flag=True, help="Every task, also completed ones.")
@common
def retry(  # noqa: PLR0913 - the options of the command
    name: str,
    id: str | None,  # noqa: A002 - as it is called
    task_id: str | None,
    *,
    tag: str | None,
    wanted: str | None,
    service: str | None,
    everything: bool,
    as_json: bool,
    seconds: float | None,
) -> None:
    """Run again tasks of the workflow that match every filter: TASK_ID, --status, --service."""
    options = options_of(as_json=as_json, seconds=seconds)
    target = running(contract_named(name, None), id, tag)
    chosen = None if wanted is None else DeferredStatus(wanted.upper())
    filters = _commands.TaskFilters(task_id, chosen, service)

    async def action(core: ClientCore) -> None:
        stub = stub_of(target)
        if id and await _questions.get_status(core, stub, None) is None:
            unknown(name, id)
        await _commands.retry_tasks(core, stub, filters, everything=everything)

    run(options, action)
    facts = {"workflow": name, "asked": "retry tasks"}
    output.show(facts, f"asked to retry tasks of {target}", as_json=as_json)


@task.command()
@click.argument("service")
@click.argument("task_id")
@click.argument("value", default="null")
@click.option(
    "--contract",
    metavar="CLASS",
    help="The contract of the service, as package.module.Class: the value is typed by it.",
)
@click.option("--method", help="The method, where the contract has several delegated ones.")
@common
def complete(  # noqa: PLR0913 - the options of the command
    service: str,
    task_id: str,
    value: str,
    contract: str | None,
    method: str | None,
    *,
    as_json: bool,
    seconds: float | None,
) -> None:
    """Give a delegated task of SERVICE its VALUE, which is JSON."""
    options = options_of(as_json=as_json, seconds=seconds)

    async def action(core: ClientCore) -> None:
        given = parsed(value, "the value")
        if contract is None:
            await _delegated.complete(core, service, task_id, given, None)
            return
        contract_named(service, contract)
        cls = loaded(contract)
        await _delegated.complete_typed(core, cls, task_id, given, method)

    run(options, action)
    facts = {"service": service, "task": task_id, "asked": "complete"}
    output.show(facts, f"completed task {task_id} of {service}", as_json=as_json)


@task.command()
@click.argument("service")
@click.argument("task_id")
@click.argument("message")
@common
def fail(service: str, task_id: str, message: str, *, as_json: bool, seconds: float | None) -> None:
    """Tell that a delegated task of SERVICE failed, and why."""
    options = options_of(as_json=as_json, seconds=seconds)
    run(options, lambda core: _delegated.fail(core, service, task_id, message))
    facts = {"service": service, "task": task_id, "asked": "fail"}
    output.show(facts, f"failed task {task_id} of {service}", as_json=as_json)


def _tasks_of(state: Mapping[str, object]) -> list[dict[str, object]]:
    runs = cast("list[dict[str, object]]", state["methods"])
    return [one for run_ in runs for one in cast("list[dict[str, object]]", run_["tasks"])]
