"""From JSON that is typed to what is sent."""

import inspect
import json
from collections.abc import Callable, Sequence
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import cast
from uuid import UUID

from infinitic_client._cli.targets import Running
from infinitic_common.channels import type_names
from infinitic_common.contracts import ChannelContract, Contract, MethodContract
from infinitic_common.exceptions import UsageError
from infinitic_common.serialization import Codec, encode_untyped, value_codec
from infinitic_common.stubs import MethodCall, NewWorkflow, SignalCall

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
        UsageError: It is a text that cannot be read as one.
    """
    hint = codec.hint
    if isinstance(value, str) and hint in _FROM_TEXT:
        return _read(hint, value)
    if hint is timedelta and isinstance(value, int | float):
        return timedelta(seconds=value)
    return codec.decode(encode_untyped(value))


def _read(hint: object, text: str) -> object:
    try:
        return _FROM_TEXT[hint](text)
    except (ValueError, ArithmeticError):  # the latter from Decimal
        msg = f"{text!r} is no {getattr(hint, '__name__', hint)}"
        raise UsageError(msg) from None


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
