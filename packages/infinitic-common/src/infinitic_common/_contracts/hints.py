"""The type hints of methods and attributes, resolved, with errors that name the guilty one."""

import inspect
import sys
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from types import SimpleNamespace
from typing import Any, cast, get_args, get_origin, get_type_hints

from infinitic_common.serialization import InvalidTypeHint

MISSING = inspect.Parameter.empty


def signature_of(function: Callable[..., object]) -> inspect.Signature:
    """The signature of a method, without ``self``."""
    signature = inspect.signature(function)
    return signature.replace(parameters=list(signature.parameters.values())[1:])


def method_hints(function: Callable[..., object], owner: type) -> Mapping[str, object]:
    """The hints of a method by parameter name, ``return`` included; missing ones are absent.

    Raises:
        InvalidTypeHint: One cannot be resolved; names the parameter and the class.
    """
    names = {owner.__name__: owner}
    try:
        return get_type_hints(function, localns=names, include_extras=True)
    except Exception:  # noqa: BLE001 - evaluating a hint runs code of the user
        scope = cast("dict[str, object]", getattr(inspect.unwrap(function), "__globals__", {}))
        annotations = inspect.get_annotations(function)
        label = f"{owner.__name__}.{function.__name__}"
        return {
            name: _resolve(annotation, scope, names, place_of(name, label))
            for name, annotation in annotations.items()
        }


def attribute_hint(cls: type, name: str) -> object:
    """The hint of an attribute, from the class or its nearest parent; ``MISSING`` without one.

    Raises:
        InvalidTypeHint: It cannot be resolved; names the attribute and the class.
    """
    for owner in cls.__mro__:
        annotations = inspect.get_annotations(owner)
        if name in annotations:
            scope = vars(sys.modules[owner.__module__]) if owner.__module__ in sys.modules else {}
            place = f"attribute '{name}' of {owner.__name__}"
            return _resolve(annotations[name], scope, {owner.__name__: owner}, place)
    return MISSING


def place_of(parameter: str, method: str) -> str:
    """How messages name a parameter, or the result (``return``), of a method."""
    return (
        f"the result of {method}"
        if parameter == "return"
        else f"parameter '{parameter}' of {method}"
    )


def awaited(hint: object) -> object:
    """What awaiting gives, of a hint that is an ``Awaitable`` or ``Coroutine``; else ``MISSING``."""
    origin, arguments = get_origin(hint), get_args(hint)
    return arguments[-1] if origin in (Awaitable, Coroutine) and arguments else MISSING


def _resolve(
    annotation: object, scope: Mapping[str, object], names: Mapping[str, object], place: str
) -> object:
    holder = SimpleNamespace(__annotations__={"it": annotation})
    try:
        hints = get_type_hints(holder, dict[str, Any](scope), dict(names), include_extras=True)
    except Exception as error:
        msg = f"{place}: the hint {annotation!r} cannot be resolved: {error}"
        raise InvalidTypeHint(msg, place=place) from error
    return cast("object", hints["it"])
