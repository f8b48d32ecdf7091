"""``infinitic workflow``: one running workflow, or all that have a tag."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from functools import partial

import click

from infinitic_client import _commands, _questions, _results
from infinitic_client._cli import output
from infinitic_client._cli.running import Failed, Options, common, options_of, run, unknown
from infinitic_client._cli.values import (
    Running,
    contract_named,
    method_by_name,
    method_call,
    running,
    signal_call,
    stub_of,
)
from infinitic_client._core import ClientCore
from infinitic_client._sending import Handle, Sending
from infinitic_common.exceptions import UsageError
from infinitic_common.serialization import to_json
from infinitic_common.stub_options import checked_meta, checked_tags
from infinitic_common.stubs import NewWorkflow, Stub, WorkflowById, WorkflowByTag

_by_tag = click.option("--tag", help="Instead of an ID: all running workflows with this tag.")
_run_of = click.option("--method-id", help="One method run; without it, all of them.")
_contract = click.option(
    "--contract",
    metavar="CLASS",
    help="The contract, as package.module.Class: values are checked and typed by it.",
)


@click.group("workflow")
def workflow() -> None:
    """Start, follow and steer workflows, by name and ID."""


@workflow.command()
@click.argument("name")
@click.argument("method")
@click.argument("arguments", nargs=-1)
@_contract
@click.option("--tag", "tags", multiple=True, help="A tag of the workflow; may be repeated.")
@click.option("--meta", multiple=True, metavar="KEY=VALUE", help="Meta; may be repeated.")
@click.option("--wait", is_flag=True, help="Wait for the result, and print it.")
@common
def start(  # noqa: PLR0913 - the options of the command
    name: str,
    method: str,
    arguments: tuple[str, ...],
    *,
    contract: str | None,
    tags: tuple[str, ...],
    meta: tuple[str, ...],
    wait: bool,
    as_json: bool,
    seconds: float | None,
) -> None:
    """Start METHOD of the workflow NAME with ARGUMENTS, each one JSON; print the ID."""
    options = options_of(as_json=as_json, seconds=seconds)

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
    output.show(facts, line, as_json=as_json)


@workflow.command()
@click.argument("name")
@click.argument("id", metavar="ID")
@common
def status(name: str, id: str, *, as_json: bool, seconds: float | None) -> None:  # noqa: A002 - as it is called
    """Tell in one word what the workflow does."""
    options = options_of(as_json=as_json, seconds=seconds)
    found = run(options, lambda core: _questions.get_status(core, _one(name, id), None))
    word = found or unknown(name, id)
    output.show({"workflow": name, "id": id, "status": word}, word, as_json=as_json)


@workflow.command()
@click.argument("name")
@click.argument("id", metavar="ID")
@click.option("--method-id", help="A method run on the running workflow; else its first one.")
@common
def result(
    name: str,
    id: str,  # noqa: A002 - as it is called
    method_id: str | None,
    *,
    as_json: bool,
    seconds: float | None,
) -> None:
    """Wait for the result of the workflow, and print it as JSON."""
    options = options_of(as_json=as_json, seconds=seconds)

    async def action(core: ClientCore) -> object:
        handle = Handle(method_id or id, name, id, method_by_name(name, "result"))
        return to_json(await _results.encoded_result(core, handle, None))

    value = run(options, action, waits=True)
    facts = {"workflow": name, "id": id, "result": value}
    output.show(facts, output.as_text(value), as_json=as_json)


@workflow.command()
@click.argument("words", nargs=-1, required=True, metavar="NAME [ID] CHANNEL VALUE")
@_by_tag
@_contract
@common
def signal(
    words: tuple[str, ...],
    tag: str | None,
    contract: str | None,
    *,
    as_json: bool,
    seconds: float | None,
) -> None:
    """Send VALUE, which is JSON, to a CHANNEL of the workflow; with --tag there is no ID."""
    wanted = 3 if tag else 4
    if len(words) != wanted:
        msg = f"give {'NAME CHANNEL VALUE' if tag else 'NAME ID CHANNEL VALUE'}"
        raise click.UsageError(msg)
    options = options_of(as_json=as_json, seconds=seconds)
    name, *ids, channel, value = words

    async def action(core: ClientCore) -> tuple[Running, str]:
        target = running(contract_named(name, contract), ids[0] if ids else None, tag)
        call = signal_call(target, channel, value)
        await _check_known(core, target)
        sending = core.prepare_call(call)
        await core.send(sending)
        return target, sending.handle.id

    target, signal_id = run(options, action)
    facts = {"workflow": name, "signal": signal_id}
    output.show(facts, f"sent signal {signal_id} to {target}", as_json=as_json)


@workflow.command()
@click.argument("name")
@click.argument("id", metavar="[ID]", required=False)
@_by_tag
@_run_of
@common
def cancel(  # noqa: PLR0913 - the options of the command
    name: str,
    id: str | None,  # noqa: A002 - as it is called
    tag: str | None,
    method_id: str | None,
    *,
    as_json: bool,
    seconds: float | None,
) -> None:
    """Cancel the workflow, or one of its method runs."""
    options = options_of(as_json=as_json, seconds=seconds)
    command = partial(_commands.cancel, method_id=method_id)
    _steer(options, running(contract_named(name, None), id, tag), command, "cancel")


@workflow.command()
@click.argument("name")
@click.argument("id", metavar="[ID]", required=False)
@_by_tag
@common
def retry(
    name: str,
    id: str | None,  # noqa: A002 - as it is called
    tag: str | None,
    *,
    as_json: bool,
    seconds: float | None,
) -> None:
    """Run again the code of the workflow, where it is stalled."""
    options = options_of(as_json=as_json, seconds=seconds)
    target = running(contract_named(name, None), id, tag)
    _steer(options, target, _commands.retry_workflow_task, "retry the code of")


@workflow.command()
@click.argument("name")
@click.argument("id", metavar="[ID]", required=False)
@_by_tag
@_run_of
@common
def timers(  # noqa: PLR0913 - the options of the command
    name: str,
    id: str | None,  # noqa: A002 - as it is called
    tag: str | None,
    method_id: str | None,
    *,
    as_json: bool,
    seconds: float | None,
) -> None:
    """End now the running timers of the workflow."""
    options = options_of(as_json=as_json, seconds=seconds)
    command = partial(_commands.complete_timers, method_id=method_id)
    _steer(options, running(contract_named(name, None), id, tag), command, "complete the timers of")


@workflow.command()
@click.argument("name")
@click.argument("id", metavar="ID")
@common
def state(name: str, id: str, *, as_json: bool, seconds: float | None) -> None:  # noqa: A002 - as it is called
    """Show all that is known about the workflow."""
    options = options_of(as_json=as_json, seconds=seconds)
    found = run(options, lambda core: _questions.get_state_json(core, _one(name, id), None))
    text = found or unknown(name, id)
    if as_json:
        click.echo(text)
        return
    facts: dict[str, object] = json.loads(text)
    rows = [{"": key, "value": value} for key, value in facts.items()]
    output.show_rows(("", "value"), rows, as_json=False)


@workflow.command("list")
@click.argument("name")
@click.option("--tag", required=True, help="The tag that the workflows have.")
@common
def list_(name: str, tag: str, *, as_json: bool, seconds: float | None) -> None:
    """List the running workflows that have a tag, with what they do."""
    options = options_of(as_json=as_json, seconds=seconds)

    async def action(core: ClientCore) -> list[dict[str, object]]:
        target = WorkflowByTag(contract_named(name, None), tag)
        ids = sorted(await _questions.get_ids(core, stub_of(target), None))
        words = await asyncio.gather(
            *(_questions.get_status(core, _one(name, one), None) for one in ids)
        )
        return [{"id": one, "status": word} for one, word in zip(ids, words, strict=True)]

    output.show_rows(("id", "status"), run(options, action), as_json=as_json)


def _steer(
    options: Options,
    target: Running,
    command: Callable[[ClientCore, object], Awaitable[None]],
    what: str,
) -> None:
    async def action(core: ClientCore) -> None:
        await _check_known(core, target)
        await command(core, stub_of(target))

    run(options, action)
    facts = {"workflow": target.contract.name, "asked": what}
    output.show(facts, f"asked to {what} {target}", as_json=options.as_json)


async def _check_known(core: ClientCore, target: Running) -> None:
    """An unknown id is told now: the engine ignores commands to it."""
    if not isinstance(target, WorkflowById):
        return
    word = await _questions.get_status(core, stub_of(target), None)
    if word is None:
        unknown(target.contract.name, target.workflow_id)
    if word in ("COMPLETED", "CANCELED"):
        msg = f"{target} has ended: {word}"
        raise Failed(msg)


def _one(name: str, workflow_id: str) -> Stub:
    return stub_of(running(contract_named(name, None), workflow_id, None))


def _pair(text: str) -> tuple[str, bytes]:
    key, sign, value = text.partition("=")
    if not sign or not key:
        msg = f"--meta {text!r} must be KEY=VALUE"
        raise UsageError(msg)
    return key, value.encode()
