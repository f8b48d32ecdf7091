"""The components that are installed, found by the entry points their wheels announce."""

from collections.abc import Mapping
from importlib.metadata import EntryPoint, entry_points
from typing import cast

from infinitic_common._nearest import suggestion
from infinitic_common.exceptions import InfiniticError

TRANSPORTS = "infinitic.transports"
STORAGES = "infinitic.storages"
CACHES = "infinitic.caches"
COMPONENTS = "infinitic.components"
CLIENTS = "infinitic.clients"

_NOUNS: Mapping[str, str] = {
    TRANSPORTS: "transport",
    STORAGES: "storage",
    CACHES: "cache",
    COMPONENTS: "component",
    CLIENTS: "client",
}

# What to install for each name; the extra matters where the wheel alone would fail on import.
_REQUIREMENTS: Mapping[str, Mapping[str, str]] = {
    TRANSPORTS: {
        "inMemory": "infinitic-transport",
        "pulsar": "infinitic-transport-pulsar",
    },
    STORAGES: {
        "inMemory": "infinitic-storage",
        "redis": "infinitic-storage[redis]",
        "postgres": "infinitic-storage[postgres]",
        "mysql": "infinitic-storage[mysql]",
    },
    CACHES: {"inMemory": "infinitic-cache"},
    COMPONENTS: {
        "serviceExecutor": "infinitic-task-executor",
        "workflowExecutor": "infinitic-task-executor",
        "workflowStateEngine": "infinitic-workflow-engine",
        "serviceTagEngine": "infinitic-task-tag",
        "workflowTagEngine": "infinitic-workflow-tag",
    },
    CLIENTS: {"async": "infinitic-client"},
}


class ComponentNotInstalled(InfiniticError):  # noqa: N818 - says what is the case
    """A component is not installed, or cannot be loaded; the message says what to install.

    Attributes:
        group: The entry point group it was looked for in.
        name: Its name there.
    """

    def __init__(self, group: str, name: str, message: str) -> None:
        super().__init__(group, name, message)
        self.group = group
        self.name = name

    def __str__(self) -> str:
        return str(self.args[2])


def load_entry_point(group: str, name: str) -> object:
    """Load what an installed wheel announces under a name.

    Args:
        group: ``TRANSPORTS``, ``STORAGES``, ``CACHES``, ``COMPONENTS`` or ``CLIENTS``.
        name: Name within the group, as ``postgres``.

    Raises:
        ComponentNotInstalled: No installed wheel announces it, or its import fails.
    """
    found = next(iter(entry_points(group=group, name=name)), None)
    if found is None:
        raise ComponentNotInstalled(group, name, _missing(group, name))
    try:
        return cast("object", found.load())
    except Exception as error:
        raise ComponentNotInstalled(group, name, _broken(group, found, error)) from error


def installed_names(group: str) -> tuple[str, ...]:
    """Return the names that installed wheels announce in a group, sorted.

    Args:
        group: As for ``load_entry_point``.
    """
    return tuple(sorted(entry_points(group=group).names))


def _missing(group: str, name: str) -> str:
    noun, requirements = _NOUNS.get(group, group), _REQUIREMENTS.get(group, {})
    if name in requirements:
        return f"{noun} '{name}' is not installed: {_command(requirements[name])}"
    known = {*requirements, *installed_names(group)}
    remedy = suggestion(name, known)
    names = ", ".join(sorted(known))
    known_text = f"; known are {names}" if names not in remedy and names else ""
    return f"unknown {noun} '{name}'; {remedy}{known_text}"


def _broken(group: str, found: EntryPoint, error: Exception) -> str:
    noun, requirement = _NOUNS.get(group, group), _REQUIREMENTS.get(group, {}).get(found.name)
    what = (
        f"{noun} '{found.name}' ({found.value}) cannot be loaded: {type(error).__name__}: {error}"
    )
    wheel = found.dist.name if found.dist else None
    wanted = requirement or wheel
    return f"{what}; {_command(wanted)}" if wanted else what


def _command(requirement: str) -> str:
    quoted = f'"{requirement}"' if "[" in requirement else requirement
    return f"pip install {quoted}"
