"""Methods as contracts declare them: parameters, result, and how arguments become bytes."""

import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import Never, NoReturn

import attrs

from infinitic_common._contracts.hints import (
    MISSING,
    awaited,
    method_hints,
    place_of,
    signature_of,
)
from infinitic_common.decorators import is_delegated, name_of_method, timeout_of
from infinitic_common.exceptions import InvalidArguments, InvalidContract
from infinitic_common.policies import TimeoutPolicy, seconds_told_by
from infinitic_common.serialization import ValueCodec, value_codec

Encode = Callable[[object], bytes]

_NEVER: tuple[object, ...] = (Never, NoReturn)
_VARIADIC = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)


@attrs.frozen(eq=False)
class Parameter:
    """A parameter of a method.

    Attributes:
        name: Its name.
        codec: Of its values.
        default: Its default; ``inspect.Parameter.empty`` without one.
        keyword_only: Whether it is given by name only.
    """

    name: str
    codec: ValueCodec
    default: object = MISSING
    keyword_only: bool = False

    @property
    def is_required(self) -> bool:
        """Whether it has no default."""
        return self.default is MISSING


def _encoders_of(method: "MethodContract") -> tuple[Encode, ...]:
    return tuple(parameter.codec.encode for parameter in method.parameters)


def _positional_count(method: "MethodContract") -> int:
    """How many values without names are all the arguments; no number when some need a name."""
    by_name = any(parameter.keyword_only for parameter in method.parameters)
    return -1 if by_name else len(method.parameters)


@attrs.frozen(eq=False)
class MethodContract:
    """A method of a contract.

    Attributes:
        label: Contract and method in Python, for messages.
        name: Its name for other processes.
        python_name: Its name in Python.
        parameters: In order.
        result: Codec of what it returns.
        is_async: Whether callers await it.
        is_delegated: Whether another system gives its result.
        timeout: The time from a call to its result that the contract allows; None for any.
        signature: Its parameters in Python, without ``self``.
    """

    label: str
    name: str
    python_name: str
    parameters: tuple[Parameter, ...]
    result: ValueCodec
    is_async: bool
    is_delegated: bool
    timeout: TimeoutPolicy | None
    signature: inspect.Signature
    _encoders: tuple[Encode, ...] = attrs.field(
        init=False, default=attrs.Factory(_encoders_of, takes_self=True)
    )
    _all_positional: int = attrs.field(
        init=False, default=attrs.Factory(_positional_count, takes_self=True)
    )

    def encode_arguments(
        self, args: Sequence[object], kwargs: Mapping[str, object]
    ) -> tuple[bytes, ...]:
        """The encoded arguments of a call, one for each parameter: defaults are applied here.

        Raises:
            InvalidArguments: They do not fit the parameters.
            SerializationError: A value is not of the type of its parameter.
        """
        values = args
        if kwargs or len(args) != self._all_positional:
            values = self._bind(args, kwargs)
        return tuple([encode(v) for encode, v in zip(self._encoders, values, strict=True)])

    def _bind(self, args: Sequence[object], kwargs: Mapping[str, object]) -> Sequence[object]:
        try:
            bound = self.signature.bind(*args, **kwargs)
        except TypeError as error:
            msg = f"{self.label}{self.signature}: {error}"
            raise InvalidArguments(msg) from None
        bound.apply_defaults()
        return tuple(bound.arguments.values())

    def timeout_ms(self) -> int | None:
        """Milliseconds from a call to its result that the contract allows; None for any."""
        if self.timeout is None:
            return None
        seconds = seconds_told_by(self.timeout, "timeout_seconds")
        return None if seconds is None else max(round(seconds * 1000), 0)


def read_method(cls: type, owner: type, function: Callable[..., object]) -> MethodContract:
    """Read a method of a contract.

    Args:
        cls: The contract.
        owner: The class that defines the method: the contract or one of its parents.
        function: The method.

    Raises:
        InvalidTypeHint: A hint is missing, or its values cannot be sent.
        InvalidContract: It has a parameter ``*args`` or ``**kwargs``.
    """
    python_name = function.__name__
    label = f"{cls.__name__}.{python_name}"
    hints = method_hints(function, owner)
    result = hints.get("return", MISSING)
    return MethodContract(
        label=label,
        name=name_of_method(cls, python_name),
        python_name=python_name,
        parameters=read_parameters(function, hints, label),
        result=result_codec(result, label),
        is_async=inspect.iscoroutinefunction(function) or awaited(result) is not MISSING,
        is_delegated=is_delegated(cls, python_name),
        timeout=timeout_of(cls, python_name),
        signature=signature_of(function),
    )


def result_codec(hint: object, label: str) -> ValueCodec:
    """The codec of a method's result; of an awaitable one, of what awaiting it gives.

    Raises:
        InvalidTypeHint: The hint is missing, or its values cannot be sent.
    """
    inner = awaited(hint)
    given = hint if inner is MISSING else inner
    # What never returns by itself may have values all the same: those that a batch gives.
    return value_codec(object if given in _NEVER else given, place=place_of("return", label))


def read_parameters(
    function: Callable[..., object],
    hints: Mapping[str, object],
    label: str,
    fallback: Sequence[Parameter] = (),
) -> tuple[Parameter, ...]:
    """The parameters of a method.

    Args:
        function: The method.
        hints: Its resolved hints.
        label: How messages name it.
        fallback: Parameters of the contract, which lend their codecs to those without a hint.

    Raises:
        InvalidTypeHint: A hint is missing, or its values cannot be sent.
        InvalidContract: There is a parameter ``*args`` or ``**kwargs``.
    """
    declared = signature_of(function).parameters.values()
    return tuple(
        _parameter(one, hints, label, fallback[i] if i < len(fallback) else None)
        for i, one in enumerate(declared)
    )


def _parameter(
    declared: inspect.Parameter,
    hints: Mapping[str, object],
    label: str,
    fallback: Parameter | None,
) -> Parameter:
    if declared.kind in _VARIADIC:
        msg = f"{label}({declared}): give each argument a parameter of its own, with a type"
        raise InvalidContract(msg)
    hint = hints.get(declared.name, MISSING)
    codec = (
        fallback.codec
        if hint is MISSING and fallback is not None
        else value_codec(hint, place=place_of(declared.name, label))
    )
    by_name = declared.kind is inspect.Parameter.KEYWORD_ONLY
    return Parameter(declared.name, codec, declared.default, by_name)
