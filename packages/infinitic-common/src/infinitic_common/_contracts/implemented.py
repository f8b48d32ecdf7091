"""Methods as implementations have them: how encoded arguments become a call, and its value bytes."""

import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import cast

import attrs

from infinitic_common._contracts.contract import Contract, is_contract
from infinitic_common._contracts.hints import MISSING, method_hints
from infinitic_common._contracts.methods import (
    MethodContract,
    Parameter,
    read_parameters,
    result_codec,
)
from infinitic_common.decorators import is_batch, name_of_method
from infinitic_common.exceptions import InvalidArguments, InvalidImplementation
from infinitic_common.serialization import ValueCodec


@attrs.frozen(eq=False)
class MethodImplementation:
    """A method of the implementation of a service or a workflow.

    Attributes:
        label: Class and method in Python, for messages.
        name: Its name for other processes.
        python_name: Its name in Python.
        parameters: In order, with the types of the implementation (those of the contract where it
            has none).
        result: Codec of what it returns, by the contract's type.
        is_async: Whether calling it gives a coroutine.
        contract: The method of the contract; None when the class has no contract.
    """

    label: str
    name: str
    python_name: str
    parameters: tuple[Parameter, ...]
    result: ValueCodec
    is_async: bool
    contract: MethodContract | None

    def decode_arguments(
        self, arguments: Sequence[bytes]
    ) -> tuple[list[object], dict[str, object]]:
        """Positional and named arguments of the call.

        Defaults stand in for arguments that the caller, with an older contract, does not have.

        Raises:
            InvalidArguments: There are too many, or too few.
            DeserializationError: One is not of the type of its parameter.
        """
        self._check_count(len(arguments))
        args: list[object] = []
        kwargs: dict[str, object] = {}
        for parameter, data in zip(self.parameters, arguments, strict=False):
            value = parameter.codec.decode(data)
            if parameter.keyword_only:
                kwargs[parameter.name] = value
            else:
                args.append(value)
        return args, kwargs

    def _check_count(self, given: int) -> None:
        missing = [one.name for one in self.parameters[given:] if one.is_required]
        if missing or given > len(self.parameters):
            what = f"no value for {', '.join(missing)}" if missing else "too many arguments"
            msg = (
                f"{self.label}: {what}: the caller's contract has {given} parameters, the "
                f"implementation {len(self.parameters)}; bring both to one version"
            )
            raise InvalidArguments(msg)

    def bound_to(self, instance: object) -> Callable[..., object]:
        """The method of an instance."""
        return cast("Callable[..., object]", getattr(instance, self.python_name))


def implemented_methods(cls: type, contract: Contract | None) -> dict[str, MethodImplementation]:
    """The methods of an implementation by name: those of the contract, or all public ones.

    Raises:
        InvalidImplementation: One is missing, has the body of the contract, is no method, or its
            parameters do not fit those of the contract.
        InvalidTypeHint: A parameter or result has no type, or one that cannot be sent.
    """
    if contract is None:
        found = [_implemented(cls, name, None) for name in _public_methods(cls)]
    else:
        found = [_implemented(cls, name, one) for name, one in contract.methods.items()]
    return {method.name: method for method in found}


_POLICY_METHODS = ("seconds_before_retry", "timeout_seconds", "grace_seconds")


def _public_methods(cls: type) -> list[str]:
    return [
        name
        for name, _ in inspect.getmembers(cls, inspect.isfunction)
        if not name.startswith("_") and not is_batch(cls, name) and name not in _POLICY_METHODS
    ]


def _implemented(
    cls: type, python_name: str, contract: MethodContract | None
) -> MethodImplementation:
    label = f"{cls.__name__}.{python_name}"
    owner, function = _definition(cls, python_name, label)
    hints = method_hints(function, owner)
    fallback = () if contract is None else contract.parameters
    parameters = read_parameters(function, hints, label, fallback)
    if contract is not None:
        _check_parameters(label, parameters, contract)
    return MethodImplementation(
        label=label,
        name=name_of_method(cls, python_name) if contract is None else contract.name,
        python_name=python_name,
        parameters=parameters,
        result=_result(hints, label) if contract is None else contract.result,
        is_async=inspect.iscoroutinefunction(function),
        contract=contract,
    )


def _result(hints: Mapping[str, object], label: str) -> ValueCodec:
    return result_codec(hints.get("return", MISSING), label)


def _definition(cls: type, python_name: str, label: str) -> tuple[type, Callable[..., object]]:
    for owner in cls.__mro__:
        member = cast("object", vars(owner).get(python_name))
        if member is None:
            continue
        if is_contract(owner):
            msg = (
                f"{label} has the body of its contract {owner.__name__}, which does nothing: "
                f"implement '{python_name}' in {cls.__name__}"
            )
            raise InvalidImplementation(msg)
        if not inspect.isfunction(member):
            msg = f"{label} is a {type(member).__name__}: make it a method, with 'def'"
            raise InvalidImplementation(msg)
        return owner, member
    msg = f"{label} is missing: implement '{python_name}'"
    raise InvalidImplementation(msg)


def _check_parameters(
    label: str, parameters: Sequence[Parameter], contract: MethodContract
) -> None:
    declared = len(contract.parameters)
    required = [one.name for one in parameters[declared:] if one.is_required]
    if declared > len(parameters) or required:
        ours = ", ".join(one.name for one in parameters)
        theirs = ", ".join(one.name for one in contract.parameters)
        msg = f"{label}({ours}) does not fit its contract {contract.label}({theirs})"
        raise InvalidImplementation(msg)
