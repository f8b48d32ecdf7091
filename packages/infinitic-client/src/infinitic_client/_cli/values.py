"""From what is typed to what is sent: contracts, targets and JSON."""

import inspect
import json
import sys
from collections.abc import Callable, Sequence
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path
from typing import cast
from uuid import UUID

import click

from infinitic_common.channels import type_names
from infinitic_common.configuration import load_any_class
from infinitic_common.contracts import ChannelContract, Contract, MethodContract, contract_of
from infinitic_common.exceptions import UsageError
from infinitic_common.serialization import Codec, encode_untyped, value_codec
from infinitic_common.stubs import (
    MethodCall,
    NewWorkflow,
    SignalCall,
    Stub,
    WorkflowById,
    WorkflowByTag,
)

Running = WorkflowById | WorkflowByTag

_ANYTHING = value_codec(object, place="a value given as JSON")
_FROM_TEXT: dict[object, Callable[[str], object]] = {
    datetime: datetime.fromisoformat,
    date: date.fromisoformat,
    time: time.fromisoformat,
    Decimal: Decimal,
    UUID: UUID,
}


def parsed(text: str, what: str) -> object:
    """The value of a JSON text.

    Raises:
        UsageError: It is no JSON.
    """
    try:
        return cast("object", json.loads(text))
    except ValueError as error:
        msg = f"{what} must be JSON, not {text!r}: a text needs its quotes, as '\"text\"' ({error})"
        raise UsageError(msg) from None


def contract_named(name: str, dotted: str | None) -> Contract:
    """The contract of a workflow: loaded, or with nothing known but the name.

    Raises:
        ConfigurationError: The class cannot be loaded.
        UsageError: It is the contract of another workflow.
    """
    if dotted is None:
        return Contract(object, name, {}, {})
    contract = contract_of(loaded(dotted))
    if contract.name != name:
        msg = f"--contract {dotted} is that of '{contract.name}', not of '{name}'"
        raise UsageError(msg)
    return contract


def loaded(dotted: str) -> type[object]:
    """The class of a dotted name, also of a module in the working directory.

    Raises:
        ConfigurationError: It cannot be loaded.
    """
    here = str(Path.cwd())
    if here not in sys.path:
        sys.path.insert(0, here)
    return load_any_class(dotted, place="--contract")


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


def method_call(target: NewWorkflow, method: str, texts: Sequence[str]) -> MethodCall:
    """The call of a method with JSON arguments.

    Raises:
        UsageError: An argument is no JSON, or does not fit.
    """
    values = [parsed(text, f"argument {i + 1}") for i, text in enumerate(texts)]
    contract = target.contract
    if contract.cls is object:
        arguments = tuple(map(encode_untyped, values))
        return MethodCall(target, method_by_name(contract.name, method), arguments)
    known = _known_method(contract, method)
    fitting = [
        typed(parameter.codec, value)
        for parameter, value in zip(known.parameters, values, strict=False)
    ]
    missing = values[len(fitting) :]
    return MethodCall(target, known, known.encode_arguments([*fitting, *missing], {}))


def signal_call(target: Running, channel: str, text: str) -> SignalCall:
    """The sending of a JSON value to a channel.

    Raises:
        UsageError: It is no JSON, or the contract has no such channel.
        DeserializationError: It is not of the channel's type.
    """
    contract, value = target.contract, parsed(text, "the signal")
    if contract.cls is object:
        known = ChannelContract(channel, _ANYTHING)
    else:
        known = _known_channel(contract, channel)
        value = typed(known.codec, value)
    return SignalCall(target, known, known.codec.encode(value), type_names(value))


def method_by_name(workflow_name: str, method: str) -> MethodContract:
    """A method of which nothing but the name is known."""
    return MethodContract(
        label=f"{workflow_name}.{method}",
        name=method,
        python_name=method,
        parameters=(),
        result=_ANYTHING,
        is_async=False,
        is_delegated=False,
        timeout=None,
        signature=inspect.Signature(),
    )


def typed(codec: Codec, value: object) -> object:
    """A value of JSON as one of a declared type; times, decimals and UUIDs are read from text.

    Raises:
        DeserializationError: It is not of that type.
    """
    hint = codec.hint
    if isinstance(value, str) and hint in _FROM_TEXT:
        return _FROM_TEXT[hint](value)
    if hint is timedelta and isinstance(value, int | float):
        return timedelta(seconds=value)
    return codec.decode(encode_untyped(value))


def _known_method(contract: Contract, method: str) -> MethodContract:
    for one in contract.methods.values():
        if method in (one.name, one.python_name):
            return one
    names = ", ".join(contract.methods) or "none"
    msg = f"contract {contract.cls.__name__} has no method '{method}': it has {names}"
    raise UsageError(msg)


def _known_channel(contract: Contract, channel: str) -> ChannelContract:
    try:
        return contract.channels[channel]
    except KeyError:
        names = ", ".join(contract.channels) or "none"
        msg = f"contract {contract.cls.__name__} has no channel '{channel}': it has {names}"
        raise UsageError(msg) from None


class _Uncalled:
    def call(self, call: MethodCall) -> object:
        raise NotImplementedError(call)

    def send(self, call: SignalCall) -> None:
        raise NotImplementedError(call)
