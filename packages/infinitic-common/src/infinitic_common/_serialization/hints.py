"""Reading type hints: qualifiers, aliases, type variables, the fields a class declares."""

import inspect
from collections.abc import Iterator, Mapping
from types import UnionType
from typing import (
    Annotated,
    Any,
    ClassVar,
    Final,
    ForwardRef,
    NotRequired,
    Required,
    TypeAlias,
    TypeVar,
    Union,
    cast,
    get_args,
    get_origin,
    get_type_hints,
)

from infinitic_common._serialization.node import BadHint

TypeVars: TypeAlias = Mapping[object, object]

_LONGEST_CHAIN: Final = 100  # of aliases of aliases
_QUALIFIERS: Final = (Annotated, Final, ClassVar, Required, NotRequired)


def strip(hint: object) -> object:
    """Return the hint behind qualifiers, annotations, aliases and new types.

    The metadata of `Annotated` has no meaning here: views are read before this removes it.
    """
    for _ in range(_LONGEST_CHAIN):
        if hint is None:
            return type(None)
        if isinstance(hint, (str, ForwardRef)):
            msg = f"the name {_forward_name(hint)!r} cannot be resolved where it is used"
            raise BadHint(msg)
        if getattr(hint, "__unpacked__", False):
            msg = f"a tuple with a variable part ({label_of(hint)}) cannot be sent: declare a list"
            raise BadHint(msg)
        if isinstance(hint, TypeVar):
            hint = _stand_in(hint)
        elif _is_qualified(hint):
            hint = cast("tuple[object, ...]", get_args(hint))[0]
        elif (behind := _behind(hint)) is not None:
            hint = behind
        else:
            return hint
    msg = "the type contains itself without a collection or a class between"
    raise BadHint(msg)


def _forward_name(hint: str | ForwardRef) -> str:
    return hint if isinstance(hint, str) else hint.__forward_arg__


def _is_qualified(hint: object) -> bool:
    origin = get_origin(hint)
    # ReadOnly comes from typing_extensions before Python 3.13
    return origin in _QUALIFIERS or str(origin).endswith(".ReadOnly")


def _behind(hint: object) -> object | None:
    """Return what a `NewType` or a `type` alias stands for."""
    if (supertype := getattr(hint, "__supertype__", None)) is not None:
        return cast("object", supertype)
    if is_type_alias(hint):
        return cast("object", getattr(hint, "__value__", None))
    origin = get_origin(hint)
    if origin is not None and is_type_alias(origin):
        parameters = cast("tuple[object, ...]", getattr(origin, "__type_params__", ()))
        variables = dict(zip(parameters, get_args(hint), strict=True))
        return substitute(getattr(origin, "__value__", None), variables)
    return None


def is_type_alias(hint: object) -> bool:
    """Tell whether a hint was made by a `type` statement, or by its backport."""
    return type(hint).__name__ == "TypeAliasType"


def _stand_in(variable: TypeVar) -> object:
    """Return what an unsolved type variable admits: its bound, one of its constraints, or all."""
    if variable.__constraints__:
        return Union[tuple(variable.__constraints__)]  # noqa: UP007 - a computed union
    return Any if variable.__bound__ is None else cast("object", variable.__bound__)


def substitute(hint: object, variables: TypeVars) -> object:
    """Replace type variables in a hint."""
    if isinstance(hint, TypeVar):
        return variables.get(hint, hint)
    parameters = cast("tuple[object, ...]", getattr(hint, "__parameters__", ()))
    if not parameters or isinstance(hint, type):
        return hint
    arguments = tuple(substitute(parameter, variables) for parameter in parameters)
    return cast("Mapping[object, object]", hint)[arguments]


def is_union(hint: object) -> bool:
    """Tell whether a hint is a union, in either spelling."""
    return get_origin(hint) in (Union, UnionType)


def label_of(hint: object) -> str:
    """Return the readable name of a hint, without modules."""
    if hint is type(None):
        return "None"
    args = cast("tuple[object, ...]", get_args(hint))
    if is_union(hint):
        return " | ".join(label_of(arg) for arg in args)
    if isinstance(hint, type) and not args:
        return class_label(hint)
    if not args:
        return str(hint).rpartition(".")[2]
    inside = ", ".join("..." if arg is Ellipsis else label_of(arg) for arg in args)
    origin = get_origin(hint)
    name = class_label(origin) if isinstance(origin, type) else str(origin).rpartition(".")[2]
    return f"{name}[{inside}]"


def class_label(cls: type) -> str:
    """Return the name of a class as data tells it: without the function that defined it."""
    return cls.__qualname__.rpartition("<locals>.")[2]


def declared_hints(hint: object) -> dict[str, object]:
    """Return the hints of the annotated attributes of a class, type variables replaced.

    Args:
        hint: a class, or a generic class with its arguments.

    Raises:
        BadHint: an annotation names something that does not exist.
    """
    cls = cast("type", get_origin(hint) or hint)
    solved = dict(_solve(hint, {}))
    if dict in cls.__mro__:  # a TypedDict takes over its parents' annotations and forgets them
        solved = {cls: {k: v for table in solved.values() for k, v in table.items()}}
    found: dict[str, object] = {}
    for owner in reversed(cls.__mro__[:-1]):
        resolved = _resolved(owner)
        for name in inspect.get_annotations(owner):
            found[name] = substitute(resolved[name], solved.get(owner, {}))
    return found


def _resolved(cls: type) -> dict[str, object]:
    names = {base.__name__: base for base in cls.__mro__}  # a local class may name itself
    try:
        return get_type_hints(cls, localns=names, include_extras=True)
    except NameError as error:
        msg = f"class {class_label(cls)}: {error}"
        raise BadHint(msg) from error


def _solve(hint: object, outer: TypeVars) -> Iterator[tuple[type, TypeVars]]:
    """Tell, for a class and each class above it, what its type variables stand for."""
    cls = get_origin(hint) or hint
    if not isinstance(cls, type):
        return
    parameters = cast("tuple[object, ...]", getattr(cls, "__parameters__", ()))
    arguments = [substitute(arg, outer) for arg in cast("tuple[object, ...]", get_args(hint))]
    variables = dict(zip(parameters, arguments, strict=False))
    yield cls, variables
    for base in cast("tuple[object, ...]", cls.__dict__.get("__orig_bases__", cls.__bases__)):
        yield from _solve(base, variables)
