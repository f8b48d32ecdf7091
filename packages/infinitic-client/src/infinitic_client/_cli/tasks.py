"""``infinitic task``: tasks of a workflow, and delegated tasks."""

import click

from infinitic_client import _commands, _delegated, _questions
from infinitic_client._cli import output
from infinitic_client._cli.numbers import WithValues
from infinitic_client._cli.running import Options, Unknown, common, run
from infinitic_client._cli.states import tasks_of
from infinitic_client._cli.targets import (
    Running,
    check_running,
    contract_named,
    stub_by_id,
    stub_of,
    targeted,
    unknown,
)
from infinitic_client._cli.values import parsed, typed
from infinitic_client._core import ClientCore
from infinitic_common.deferred import DeferredStatus

_COLUMNS = ("id", "service", "method", "status", "attempt", "last_failure")


@click.group("task")
def task() -> None:
    """Look at tasks, run them again, and bring the outcomes of delegated ones."""


@task.command()
@click.argument("name")
@click.argument("workflow_id", metavar="ID")
@click.argument("task_id", required=False)
@common
def status(options: Options, name: str, workflow_id: str, task_id: str | None) -> None:
    """List the tasks of the workflow NAME with this ID, or show one."""
    found = run(
        options, lambda core: _questions.get_state(core, stub_by_id(name, workflow_id), None)
    )
    if found is None:
        raise unknown(name, workflow_id)
    chosen = [one for one in tasks_of(found) if task_id in (None, one["id"])]
    if task_id is not None and not chosen:
        msg = f"workflow {name} {workflow_id} has no task {task_id} now"
        raise Unknown(msg)
    output.show_rows(_COLUMNS, chosen, as_json=options.as_json)


@task.command()
@targeted
@click.argument("task_id", required=False)
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
    options: Options,
    target: Running,
    task_id: str | None,
    *,
    wanted: str | None,
    service: str | None,
    everything: bool,
) -> None:
    """Run again tasks of the workflow that match every filter: TASK_ID, --status, --service."""
    chosen = None if wanted is None else DeferredStatus(wanted.upper())
    filters = _commands.TaskFilters(task_id, chosen, service)

    async def action(core: ClientCore) -> None:
        await check_running(core, target, task_id=task_id)
        await _commands.retry_tasks(core, stub_of(target), filters, everything=everything)

    run(options, action)
    facts = {"workflow": target.contract.name, "asked": "retry tasks"}
    output.show(facts, f"asked to retry tasks of {target}", as_json=options.as_json)


@task.command(cls=WithValues)
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
    options: Options,
    service: str,
    task_id: str,
    value: str,
    *,
    contract: str | None,
    method: str | None,
) -> None:
    """Give a delegated task of SERVICE its VALUE, which is JSON."""
    if method is not None and contract is None:
        msg = "--method is a method of a contract: give --contract too"
        raise click.UsageError(msg)

    async def action(core: ClientCore) -> None:
        given = parsed(value, "the value")
        if contract is None:
            await _delegated.complete(core, service, task_id, given, None)
            return
        cls = contract_named(service, contract).cls
        declared = _delegated.method_of(cls, method)
        given = given if declared is None else typed(declared.result, given)
        await _delegated.complete(core, cls, task_id, given, method)

    run(options, action)
    facts = {"service": service, "task": task_id, "asked": "complete"}
    output.show(facts, f"completed task {task_id} of {service}", as_json=options.as_json)


@task.command()
@click.argument("service")
@click.argument("task_id")
@click.argument("message")
@common
def fail(options: Options, service: str, task_id: str, message: str) -> None:
    """Tell that a delegated task of SERVICE failed, and why."""
    run(options, lambda core: _delegated.fail(core, service, task_id, message))
    facts = {"service": service, "task": task_id, "asked": "fail"}
    output.show(facts, f"failed task {task_id} of {service}", as_json=options.as_json)
