"""The user's classes, found by the names in a configuration; one message for each way to fail."""

import inspect
from importlib import import_module
from types import ModuleType
from typing import cast

from infinitic_common._configuration.problems import ConfigurationError, Problem
from infinitic_common._nearest import nearest


def load_class(dotted: str, *, place: str) -> type[object]:
    """Load a class that can be instantiated without arguments.

    Args:
        dotted: ``package.module.Class`` or ``package.module:Class``; a bare name is a builtin.
        place: The key that named it, for messages.

    Raises:
        ConfigurationError: Its module is not found or fails, has no such name, or the name is no
            class, an abstract one, a Protocol, or one whose constructor needs arguments.
    """
    cls = load_any_class(dotted, place=place)
    if getattr(cls, "_is_protocol", False):
        remedy = "name a class that implements it"
        raise _refusal(place, f"'{dotted}' is a Protocol, not an implementation", remedy)
    if inspect.isabstract(cls):
        missing = ", ".join(sorted(cast("frozenset[str]", getattr(cls, "__abstractmethods__", ()))))
        what = f"'{dotted}' is abstract: {missing} not implemented"
        raise _refusal(place, what, "implement them, or name a subclass")
    needed = _needed_arguments(cls)
    if needed:
        what = f"the constructor of '{dotted}' needs arguments: {', '.join(needed)}"
        raise _refusal(place, what, "give them defaults, or register a factory by hand")
    return cls


def load_any_class(dotted: str, *, place: str) -> type[object]:
    """Load a class, whatever its kind; see ``load_class``.

    Args:
        dotted: Its name.
        place: The key that named it, for messages.

    Raises:
        ConfigurationError: Its module is not found or fails, has no such name, or it is no class.
    """
    module, names = _module_of(dotted, place)
    found: object = module
    for name in names:
        found = _attribute(found, name, dotted, place)
    if not isinstance(found, type):
        raise _refusal(
            place, f"'{dotted}' is not a class but a {type(found).__name__}", "name a class"
        )
    return cast("type[object]", found)


def load_exceptions(dotted: tuple[str, ...], *, place: str) -> tuple[type[Exception], ...]:
    """Load classes of exceptions, as those of ``ExponentialBackoff.ignored_exceptions``.

    Args:
        dotted: Their names.
        place: The key that named them, for messages.

    Raises:
        ConfigurationError: One is not found, or is no exception.
    """
    return tuple(_load_exception(name, f"{place}[{i}]") for i, name in enumerate(dotted))


def instantiate(cls: type[object], *, place: str) -> object:
    """Make an object of a loaded class.

    Args:
        cls: What ``load_class`` returned.
        place: The key that named it, for messages.

    Raises:
        ConfigurationError: The constructor raises; the cause is kept.
    """
    try:
        return cls()
    except Exception as error:
        what = f"the constructor of '{_full_name(cls)}' raised {type(error).__name__}: {error}"
        raise _refusal(place, what, "correct the class") from error


def _load_exception(dotted: str, place: str) -> type[Exception]:
    cls = load_any_class(dotted, place=place)
    if not issubclass(cls, Exception):
        raise _refusal(place, f"'{dotted}' must be an Exception", "name a class of exceptions")
    return cls


def _module_of(dotted: str, place: str) -> tuple[ModuleType, list[str]]:
    if ":" in dotted:
        path, _, inside = dotted.partition(":")
        found = _import(path, dotted, place)
        if found is None:
            raise _not_found(path, dotted, place)
        return found, inside.split(".")
    path, _, name = dotted.rpartition(".")
    names = [name]
    while (module := _import(path or "builtins", dotted, place)) is None:
        # A nested class: what looks like a module is itself a class of the module above.
        if "." not in path:
            raise _not_found(dotted.rpartition(".")[0], dotted, place)
        path, _, name = path.rpartition(".")
        names.insert(0, name)
    return module, names


def _import(path: str, dotted: str, place: str) -> ModuleType | None:
    try:
        return import_module(path)
    except ModuleNotFoundError as error:
        if error.name is not None and f"{path}.".startswith(f"{error.name}."):
            return None
        raise _failed(path, dotted, place, error) from error
    except Exception as error:
        raise _failed(path, dotted, place, error) from error


def _failed(path: str, dotted: str, place: str, error: Exception) -> ConfigurationError:
    cause = f"{type(error).__name__}: {error}"
    what = f"the module '{path}' of '{dotted}' was found but cannot be imported: {cause}"
    return _refusal(place, what, "correct the module")


def _not_found(path: str, dotted: str, place: str) -> ConfigurationError:
    remedy = "correct the name, or put its folder on PYTHONPATH"
    return _refusal(place, f"the module '{path}' of '{dotted}' is not found", remedy)


def _attribute(found: object, name: str, dotted: str, place: str) -> object:
    try:
        return cast("object", getattr(found, name))
    except AttributeError:
        holder = getattr(found, "__name__", "")
        classes = [key for key, value in vars(found).items() if isinstance(value, type)]
        meant = nearest(name, [key for key in classes if not key.startswith("_")])
        bare = name == dotted
        missing = "it names no module" if bare else f"'{holder}' has no '{name}'"
        correction = f"write it as package.module.{dotted}" if bare else "correct the name"
        remedy = f"did you mean '{meant}'?" if meant else correction
        what = f"class '{dotted}' not found: {missing}"
        raise _refusal(place, what, remedy) from None


def _needed_arguments(cls: type[object]) -> list[str]:
    try:
        parameters = inspect.signature(cls).parameters.values()
    except ValueError:  # some classes written in C do not tell
        return []
    optional = {inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD}
    return [p.name for p in parameters if p.default is p.empty and p.kind not in optional]


def _full_name(cls: type[object]) -> str:
    return f"{cls.__module__}.{cls.__qualname__}"


def _refusal(place: str, what: str, remedy: str) -> ConfigurationError:
    return ConfigurationError([Problem(place, what, remedy)])
