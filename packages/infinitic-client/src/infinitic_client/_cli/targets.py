"""Which workflows a command is for: by name and ID, or all that have a tag."""

import functools
import sys
from collections.abc import Callable, Container
from pathlib import Path

import click

from infinitic_client import _questions
from infinitic_client._cli.running import Failed, Unknown
from infinitic_client._cli.states import rows_of, tasks_of
from infinitic_client._core import ClientCore
from infinitic_common.configuration import load_any_class
from infinitic_common.contracts import Contract, contract_of
from infinitic_common.exceptions import UsageError
from infinitic_common.stubs import MethodCall, SignalCall, Stub, WorkflowById, WorkflowByTag

Running = WorkflowById | WorkflowByTag

by_tag = click.option("--tag", help="Instead of an ID: all running workflows with this tag.")


def targeted(command: Callable[..., None]) -> Callable[..., None]:
    """Add NAME, ID and --tag to a command, which gets them as its ``target``."""

    @click.argument("name")
    @click.argument("workflow_id", metavar="[ID]", required=False)
    @by_tag
    @functools.wraps(command)
    def with_target(
        *, name: str, workflow_id: str | None, tag: str | None, **words: object
    ) -> None:
        command(target=running(contract_named(name, None), workflow_id, tag), **words)

    return with_target


def contract_named(name: str, dotted: str | None) -> Contract:
    """The contract of a workflow or service: loaded, or with nothing known but the name.

    Raises:
        ConfigurationError: The class cannot be loaded.
        UsageError: It is the contract of another one.
    """
    if dotted is None:
        return Contract(object, name, {}, {})
    contract = contract_of(_loaded(dotted))
    if contract.name != name:
        msg = f"--contract {dotted} is that of '{contract.name}', not of '{name}'"
        raise UsageError(msg)
    return contract


def running(contract: Contract, workflow_id: str | None, tag: str | None) -> Running:
    """The workflow of an id, or the workflows of a tag.

    Raises:
        click.UsageError: Neither or both are given, or what is given is empty.
    """
    if bool(workflow_id) == bool(tag):
        msg = "give the ID of a workflow, or --tag"
        raise click.UsageError(msg)
    if tag:
        return WorkflowByTag(contract, tag)
    return WorkflowById(contract, workflow_id or "")


def stub_of(target: Running) -> Stub:
    """A stub for the actions of the client; it is never called."""
    return Stub(target, _Uncalled())


def stub_by_id(name: str, workflow_id: str) -> Stub:
    """A stub of one workflow, for the questions of the client."""
    return stub_of(running(contract_named(name, None), workflow_id, None))


def unknown(name: str, workflow_id: str) -> Unknown:
    """The end of a command: there is no such workflow."""
    return Unknown(f"no workflow {name} is known by the id {workflow_id}")


async def check_running(
    core: ClientCore,
    target: Running,
    *,
    method_id: str | None = None,
    task_id: str | None = None,
) -> None:
    """An id of nothing that runs is told now: the engine ignores commands to it.

    Args:
        core: Asks.
        target: The workflow; of those by tag nothing is asked.
        method_id: One of its method runs, if the command is for that one only.
        task_id: One of its tasks, likewise.

    Raises:
        Unknown: There is no such workflow, method run or task.
        Failed: The workflow has ended.
    """
    if not isinstance(target, WorkflowById):
        return
    word = await _questions.get_status(core, stub_of(target), None)
    if word is None:
        raise unknown(target.contract.name, target.workflow_id)
    if word in ("COMPLETED", "CANCELED"):
        msg = f"{target} has ended: {word}"
        raise Failed(msg)
    if method_id is not None or task_id is not None:
        state = await _questions.get_state(core, stub_of(target), None) or {}
        # Of a state too large for one answer parts are left out.
        if "methods" in state and not state.get("shortened"):
            runs = [run["method_id"] for run in rows_of(state, "methods")]
            _check_part(target, "method run", method_id, runs)
            _check_part(target, "task", task_id, [one["id"] for one in tasks_of(state)])


def _check_part(
    target: WorkflowById, what: str, wanted: str | None, known: Container[object]
) -> None:
    if wanted is not None and wanted not in known:
        msg = f"{target} has no {what} {wanted} now"
        raise Unknown(msg)


def _loaded(dotted: str) -> type[object]:
    """The class of a dotted name, also of a module in the working directory."""
    here = str(Path.cwd())
    if here not in sys.path:
        sys.path.insert(0, here)
    return load_any_class(dotted, place="--contract")


class _Uncalled:
    def call(self, call: MethodCall) -> object:
        raise NotImplementedError(call)

    def send(self, call: SignalCall) -> None:
        raise NotImplementedError(call)
