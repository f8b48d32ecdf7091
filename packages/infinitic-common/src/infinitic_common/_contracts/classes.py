"""What an implementation is registered with: a class, or a factory of its instances."""

import inspect
from collections.abc import Callable
from typing import Never, cast

import attrs

from infinitic_common._contracts.contract import Contract, contract_of, contracts_of
from infinitic_common._contracts.hints import MISSING, method_hints
from infinitic_common.exceptions import InvalidImplementation

Factory = Callable[[], object]


@attrs.frozen
class Source:
    """A class and how its instances are made."""

    cls: type
    factory: Factory


def read_source(given: object) -> Source:
    """The class and the factory of what was registered.

    A factory tells its class by its annotation, by being a ``functools.partial`` of the class, or
    by being called once.

    Raises:
        InvalidImplementation: It is neither class nor factory, or no instance can be made.
    """
    if isinstance(given, type):
        _check_constructor(given)
        return Source(given, given)
    if not callable(given):
        msg = f"{given!r} is neither a class nor a function that makes instances of one"
        raise InvalidImplementation(msg)
    factory = cast("Factory", given)
    return Source(_class_made_by(factory), factory)


def _check_constructor(cls: type) -> None:
    if inspect.isabstract(cls):
        missing = ", ".join(sorted(getattr(cls, "__abstractmethods__", ())))
        msg = f"{cls.__name__} is abstract: implement {missing}"
        raise InvalidImplementation(msg)
    needed = _needed_arguments(cls)
    if needed:
        msg = (
            f"{cls.__name__} needs {', '.join(needed)} to be made: register a factory, as "
            f"lambda: {cls.__name__}(…), or give defaults"
        )
        raise InvalidImplementation(msg)


def _needed_arguments(cls: type) -> list[str]:
    try:
        parameters = inspect.signature(cls).parameters.values()
    except ValueError:  # some classes written in C do not tell
        return []
    optional = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
    return [p.name for p in parameters if p.default is MISSING and p.kind not in optional]


def _class_made_by(factory: Factory) -> type:
    # The class behind ``functools.partial(Class, …)``.
    function = cast("object", getattr(factory, "func", factory))
    if isinstance(function, type):
        return function
    if inspect.isfunction(function):
        annotated = method_hints(function, type(function)).get("return", MISSING)
        if isinstance(annotated, type) and annotated not in (MISSING, object):
            return annotated
    try:
        return type(factory())
    except Exception as error:
        msg = (
            f"the factory {factory!r} fails: {type(error).__name__}: {error}; if that is because "
            "it is called outside a workflow, annotate its result or register the class itself"
        )
        raise InvalidImplementation(msg) from error


def contract_named(cls: type, name: str | None) -> Contract | None:
    """The contract of an implementation; None when its class has none among its parents.

    Args:
        cls: The implementation.
        name: The name it is registered with; None to take the contract's.

    Raises:
        InvalidImplementation: No contract has that name, or there are several to choose from.
        InvalidContract: The contract cannot be one.
    """
    contracts = [contract_of(one) for one in contracts_of(cls)]
    named = [one for one in contracts if name in (None, one.name)]
    if len(named) == 1:
        return named[0]
    if contracts or name is None:
        _refuse(cls, name, contracts)
    return None


def _refuse(cls: type, name: str | None, contracts: list[Contract]) -> Never:
    known = ", ".join(f"{one.cls.__name__} (named {one.name!r})" for one in contracts) or "none"
    if name is None:
        what = "has no contract among its parents" if not contracts else "has several contracts"
    else:
        what = f"implements no contract named {name!r}"
    msg = f"{cls.__name__} {what}; its contracts: {known}"
    raise InvalidImplementation(msg)
