"""``infinitic workflow``: one running workflow, or all that have a tag."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from functools import partial

import click

from infinitic_client import _commands, _questions, _results
from infinitic_client._cli import output
from infinitic_client._cli.numbers import WithValues
from infinitic_client._cli.running import Options, common, run
from infinitic_client._cli.states import show_state
from infinitic_client._cli.targets import (
    Running,
    by_tag,
    check_running,
    contract_named,
    running,
    stub_by_id,
    stub_of,
    targeted,
    unknown,
)
from infinitic_client._cli.values import method_by_name, method_call, signal_call
from infinitic_client._core import ClientCore
from infinitic_client._sending import Handle, Sending
from infinitic_common.exceptions import UsageError
from infinitic_common.serialization import to_json
from infinitic_common.stub_options import checked_meta, checked_tags
from infinitic_common.stubs import NewWorkflow, WorkflowByTag

_run_of = click.option("--method-id", help="One method run; without it, all of them.")
_contract = click.option(
    "--contract",
    metavar="CLASS",
    help="The contract, as package.module.Class: values are checked and typed by it.",
)


@click.group("workflow")
def workflow() -> None:
    """Start, follow and steer workflows, by name and ID."""


@workflow.command(cls=WithValues)
@click.argument("name")
@click.argument("method")
@click.argument("arguments", nargs=-1)
@_contract
@click.option("--tag", "tags", multiple=True, help="A tag of the workflow; may be repeated.")
@click.option("--meta", multiple=True, metavar="KEY=VALUE", help="Meta; may be repeated.")
@click.option("--wait", is_flag=True, help="Wait for the result, and print it.")
@common
def start(  # noqa: PLR0913 - the options of the command
    options: Options,
    name: str,
    method: str,
    arguments: tuple[str, ...],
    *,
    contract: str | None,
    tags: tuple[str, ...],
    meta: tuple[str, ...],
    wait: bool,
) -> None:
    """Start METHOD of the workflow NAME with ARGUMENTS, each one JSON; print the ID."""

    async def action(core: ClientCore) -> tuple[Sending, object]:
        target = NewWorkflow(
            contract_named(name, contract),
            checked_tags(frozenset(tags), "--tag"),
            checked_meta(dict(map(_pair, meta)), "--meta"),
        )
        sending = core.prepare_call(method_call(target, method, arguments))
        await core.send(sending)
        value = await _results.encoded_result(core, sending.handle, None) if wait else None
        return sending, None if value is None else to_json(value)

    sending, value = run(options, action, waits=wait)
    facts: dict[str, object] = {"workflow": name, "id": sending.handle.id}
    line = sending.handle.id
    if wait:
        facts["result"], line = value, output.as_text(value)
    output.show(facts, line, as_json=options.as_json)


@workflow.command()
@click.argument("name")
@click.argument("workflow_id", metavar="ID")
@common
def status(options: Options, name: str, workflow_id: str) -> None:
    """Tell in one word what the workflow does."""
    word = run(
        options, lambda core: _questions.get_status(core, stub_by_id(name, workflow_id), None)
    )
    if word is None:
        raise unknown(name, workflow_id)
    facts = {"workflow": name, "id": workflow_id, "status": word}
    output.show(facts, word, as_json=options.as_json)


@workflow.command()
@click.argument("name")
@click.argument("workflow_id", metavar="ID")
@click.option("--method-id", help="A method run on the running workflow; else its first one.")
@common
def result(options: Options, name: str, workflow_id: str, method_id: str | None) -> None:
    """Wait for the result of the workflow, and print it as JSON."""

    async def action(core: ClientCore) -> object:
        method = method_by_name(name, "result")
        handle = Handle(method_id or workflow_id, name, workflow_id, method)
        return to_json(await _results.encoded_result(core, handle, None))

    value = run(options, action, waits=True)
    facts = {"workflow": name, "id": workflow_id, "result": value}
    output.show(facts, output.as_text(value), as_json=options.as_json)


@workflow.command(cls=WithValues)
@click.argument("words", nargs=-1, required=True, metavar="NAME [ID] CHANNEL VALUE")
@by_tag
@_contract
@common
def signal(options: Options, words: tuple[str, ...], tag: str | None, contract: str | None) -> None:
    """Send VALUE, which is JSON, to a CHANNEL of the workflow; with --tag there is no ID."""
    wanted = 3 if tag else 4
    if len(words) != wanted:
        msg = f"give {'NAME CHANNEL VALUE' if tag else 'NAME ID CHANNEL VALUE'}"
        raise click.UsageError(msg)
    name, *ids, channel, value = words

    async def action(core: ClientCore) -> tuple[Running, str]:
        target = running(contract_named(name, contract), ids[0] if ids else None, tag)
        call = signal_call(target, channel, value)
        await check_running(core, target)
        sending = core.prepare_call(call)
        await core.send(sending)
        return target, sending.handle.id

    target, signal_id = run(options, action)
    facts = {"workflow": name, "signal": signal_id}
    output.show(facts, f"sent signal {signal_id} to {target}", as_json=options.as_json)


@workflow.command()
@targeted
@_run_of
@common
def cancel(options: Options, target: Running, method_id: str | None) -> None:
    """Cancel the workflow, or one of its method runs."""
    command = partial(_commands.cancel, method_id=method_id)
    _steer(options, target, command, "cancel", method_id)


@workflow.command()
@targeted
@common
def retry(options: Options, target: Running) -> None:
    """Run again the code of the workflow, where it is stalled."""
    _steer(options, target, _commands.retry_workflow_task, "retry the code of")


@workflow.command()
@targeted
@_run_of
@common
def timers(options: Options, target: Running, method_id: str | None) -> None:
    """End now the running timers of the workflow."""
    command = partial(_commands.complete_timers, method_id=method_id)
    _steer(options, target, command, "complete the timers of", method_id)


@workflow.command()
@click.argument("name")
@click.argument("workflow_id", metavar="ID")
@common
def state(options: Options, name: str, workflow_id: str) -> None:
    """Show all that is known about the workflow."""
    text = run(
        options, lambda core: _questions.get_state_json(core, stub_by_id(name, workflow_id), None)
    )
    if text is None:
        raise unknown(name, workflow_id)
    if options.as_json:
        click.echo(text)
    else:
        show_state(json.loads(text))


@workflow.command("list")
@click.argument("name")
@click.option("--tag", required=True, help="The tag that the workflows have.")
@common
def list_(options: Options, name: str, tag: str) -> None:
    """List the running workflows that have a tag, with what they do."""

    async def action(core: ClientCore) -> list[dict[str, object]]:
        target = WorkflowByTag(contract_named(name, None), tag)
        ids = sorted(await _questions.get_ids(core, stub_of(target), None))
        words = await asyncio.gather(
            *(_questions.get_status(core, stub_by_id(name, one), None) for one in ids)
        )
        return [{"id": one, "status": word} for one, word in zip(ids, words, strict=True)]

    output.show_rows(("id", "status"), run(options, action), as_json=options.as_json)


def _steer(
    options: Options,
    target: Running,
    command: Callable[[ClientCore, object], Awaitable[None]],
    what: str,
    method_id: str | None = None,
) -> None:
    async def action(core: ClientCore) -> None:
        await check_running(core, target, method_id=method_id)
        await command(core, stub_of(target))

    run(options, action)
    facts = {"workflow": target.contract.name, "asked": what}
    output.show(facts, f"asked to {what} {target}", as_json=options.as_json)


def _pair(text: str) -> tuple[str, bytes]:
    key, sign, value = text.partition("=")
    if not sign or not key:
        msg = f"--meta {text!r} must be KEY=VALUE"
        raise UsageError(msg)
    return key, value.encode()
