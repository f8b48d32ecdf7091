"""Methods that run many tasks at once: which single method each belongs to, and what it takes."""

import inspect
from collections.abc import Callable, Mapping, Sequence
from types import NoneType, UnionType
from typing import Annotated, Never, NoReturn, Union, cast, get_args, get_origin, get_type_hints

import attrs

from infinitic_common.decorators import is_batch, name_of_method
from infinitic_common.exceptions import InvalidImplementation
from infinitic_common.implementation import MethodImplementation

_VARIADIC = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)

_NEVER: tuple[object, ...] = (Never, NoReturn)

Build = Callable[[Sequence[object]], object]
"""Makes the one value of a task from its arguments."""


@attrs.frozen(eq=False)
class BatchMethod:
    """A method that runs many tasks at once.

    Attributes:
        label: Class and method in Python, for messages.
        python_name: Its name in Python.
        is_async: Whether calling it gives a coroutine.
        build: Makes what the method gets for a task from the arguments of the task.
    """

    label: str
    python_name: str
    is_async: bool
    build: Build


def batch_methods(
    cls: type, singles: Mapping[str, MethodImplementation]
) -> Mapping[str, BatchMethod]:
    """The batch methods of a class, by the name of the single method that each belongs to.

    Raises:
        InvalidImplementation: One has no single method, or does not fit it, or is one of several.
    """
    found: dict[str, BatchMethod] = {}
    for python_name, function in inspect.getmembers(cls, inspect.isfunction):
        if not is_batch(cls, python_name):
            continue
        batch = _read(cls, python_name, function, singles)
        name = name_of_method(cls, python_name)
        if name in found:
            msg = f"{batch.label} and {found[name].label} are both batch methods of '{name}'"
            raise InvalidImplementation(msg)
        found[name] = batch
    return found


def _read(
    cls: type,
    python_name: str,
    function: Callable[..., object],
    singles: Mapping[str, MethodImplementation],
) -> BatchMethod:
    label = f"{cls.__name__}.{python_name}"
    hints = get_type_hints(function, localns={cls.__name__: cls})
    element = _element_of_parameter(function, hints, label)
    single = singles.get(name_of_method(cls, python_name))
    if single is None or single.python_name == python_name:
        msg = (
            f"@batch {label}: there is no single method named {name_of_method(cls, python_name)!r};"
            f" name it as the one it belongs to, with @name(…); there are {', '.join(singles)}"
        )
        raise InvalidImplementation(msg)
    single_hints = _hints_of(cls, single.python_name)
    _check_result(hints, single_hints.get("return", object), label, single.label)
    return BatchMethod(
        label=label,
        python_name=python_name,
        is_async=inspect.iscoroutinefunction(function),
        build=_build(element, single, single_hints, label),
    )


def _hints_of(cls: type, python_name: str) -> Mapping[str, object]:
    """The hints of a single method; of the contract where the implementation has none."""
    hints: dict[str, object] = {}
    for parent in reversed(cls.__mro__):
        function = vars(parent).get(python_name)
        if inspect.isfunction(function):
            hints |= get_type_hints(function, localns={cls.__name__: cls})
    return hints


# --- the parameter -------------------------------------------------------------------------------


def _element_of_parameter(
    function: Callable[..., object], hints: Mapping[str, object], label: str
) -> object:
    parameters = list(inspect.signature(function).parameters.values())[1:]
    if len(parameters) != 1 or parameters[0].kind in _VARIADIC:
        written = ", ".join(map(str, parameters))
        msg = f"@batch {label}({written}): it needs exactly one parameter, a map by task id"
        raise InvalidImplementation(msg)
    key, element = _map_of(hints.get(parameters[0].name))
    if key is not str:
        msg = (
            f"@batch {label}({parameters[0]}): its parameter must be a map of strings, the task "
            "ids, as dict[str, …]"
        )
        raise InvalidImplementation(msg)
    return element


def _map_of(hint: object) -> tuple[object, object]:
    """The types of keys and values; None and None for what is no map."""
    origin, arguments = cast("object", get_origin(hint)), cast("tuple[object, ...]", get_args(hint))
    if origin is Annotated:
        return _map_of(arguments[0])
    if isinstance(origin, type) and issubclass(origin, Mapping) and len(arguments) == 2:  # noqa: PLR2004 - key and value
        return arguments[0], arguments[1]
    return None, None


def _build(
    element: object, single: MethodImplementation, hints: Mapping[str, object], label: str
) -> Build:
    wanted = [hints.get(parameter.name, object) for parameter in single.parameters]
    if wanted == [element]:
        return _only
    if get_origin(element) is tuple and list(get_args(element)) == wanted:
        return tuple
    fields = _constructor(element)
    if list(fields.values()) == wanted:
        names = tuple(fields)
        make = cast("Callable[..., object]", element)
        return lambda values: make(**dict(zip(names, values, strict=True)))
    needs = ", ".join(_shown(one) for one in wanted)
    msg = (
        f"@batch {label}: there is no single method {single.name!r} that takes {_shown(element)}: "
        f"the values of the map are of a class whose constructor takes ({needs}), in that order"
    )
    raise InvalidImplementation(msg)


def _only(values: Sequence[object]) -> object:
    return values[0]


def _constructor(element: object) -> Mapping[str, object]:
    """The types of the parameters of a class's constructor, by name."""
    if not isinstance(element, type):
        return {}
    try:
        parameters = inspect.signature(element, eval_str=True).parameters
    except (ValueError, TypeError, NameError):
        return _fields(element)
    if any(one.kind in _VARIADIC for one in parameters.values()):
        return _fields(element)
    return {one.name: cast("object", one.annotation) for one in parameters.values()}


def _fields(element: type) -> Mapping[str, object]:
    try:
        return get_type_hints(element)
    except (NameError, TypeError):
        return {}


# --- the result ----------------------------------------------------------------------------------


def _check_result(
    hints: Mapping[str, object], wanted: object, label: str, single_label: str
) -> None:
    given = hints.get("return", inspect.Parameter.empty)
    if _fits(_without_none(given), wanted):
        return
    msg = (
        f"@batch {label}: its return type {_shown(given)} does not fit that of {single_label}: "
        f"write dict[str, {_shown(wanted)}]"
    )
    raise InvalidImplementation(msg)


def _fits(given: object, wanted: object) -> bool:
    if wanted in _NEVER:
        return True
    if given is NoneType:
        return wanted in (None, NoneType)
    key, element = _map_of(given)
    return key is str and _is_kind_of(element, wanted)


def _is_kind_of(element: object, wanted: object) -> bool:
    if element == wanted or wanted is object or {element, wanted} <= {None, NoneType}:
        return True
    both = isinstance(element, type) and isinstance(wanted, type)
    return both and (
        issubclass(cast("type", element), cast("type", wanted))
        or issubclass(cast("type", wanted), cast("type", element))
    )


def _without_none(hint: object) -> object:
    """What an optional map is when it is there."""
    if get_origin(hint) in (Union, UnionType):
        some = [one for one in get_args(hint) if one is not NoneType]
        return some[0] if len(some) == 1 else hint
    return hint


def _shown(hint: object) -> str:
    return hint.__name__ if isinstance(hint, type) and not get_args(hint) else str(hint)
