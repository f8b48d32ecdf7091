"""The base of every configuration class: declared once, checked and read alike."""

from collections.abc import Iterable, Mapping
from logging import getLogger
from typing import ClassVar, Self, TypeVar, cast

from attrs import evolve

from infinitic_common._configuration.nodes import Block, Node, mark_of
from infinitic_common._configuration.problems import ConfigurationError, Problem
from infinitic_common._configuration.reading import At, Gathering, Readable, entry_place
from infinitic_common._configuration.setting import Setting, masked, masked_options, settings_of
from infinitic_common._configuration.shapes import UNSET
from infinitic_common._nearest import normalise, suggestion

_log = getLogger("infinitic.configuration")


class Settings(Readable):
    """A block of a configuration.

    A subclass is a frozen attrs class whose hints say type and bounds. Fields are checked when an
    object is made, by hand or from a source; the key of a field is its name in camelCase, unless
    its metadata give ``key``; ``aliases`` are other keys accepted for it.
    """

    __slots__ = ()

    IGNORED_KEYS: ClassVar[Mapping[str, str]] = {}
    """Keys that are accepted without effect; with the warning to log, if any."""

    MORE_KEYS: ClassVar[tuple[str, ...]] = ()
    """Keys that a class reads in its own way, to be suggested too."""

    MOVED_KEYS: ClassVar[Mapping[str, str]] = {}
    """Former keys with what to write instead."""

    def __attrs_post_init__(self) -> None:
        """Check every field, then their relations.

        Raises:
            ConfigurationError: Lists every value out of bounds by its key.
        """
        settings = settings_of(type(self))
        own = [problem for s in settings if not s.derived for problem in s.check(self)]
        # What is derived from a wrong value is wrong too, but not worth telling.
        problems = own or [problem for s in settings if s.derived for problem in s.check(self)]
        problems = problems or list(self.conflicts())
        if problems:
            raise ConfigurationError(problems)

    def conflicts(self) -> Iterable[Problem]:
        """Return what is wrong between fields that are each right."""
        return ()

    def __str__(self) -> str:
        """Tell what was set, for logs: without secrets, and without what is None or unset."""
        return _shown(self)

    @classmethod
    def from_node(cls, node: Node, at: At) -> Self:
        """Read an object; see ``Readable``."""
        return read_settings(cls, at.block(node), at)


T = TypeVar("T", bound=Settings)


def keys_of(cls: type[Settings]) -> tuple[str, ...]:
    """Return every key that a configuration class knows.

    Args:
        cls: A frozen attrs class.
    """
    own = (key for setting in settings_of(cls) for key in setting.keys)
    return (*own, *cls.MORE_KEYS, *cls.IGNORED_KEYS)


def read_settings(cls: type[T], block: Block, at: At) -> T:
    """Read an object from the keys of a block.

    Args:
        cls: Its class.
        block: The block.
        at: Where the block stands.

    Raises:
        ConfigurationError: Lists every wrong, missing and unknown key.
    """
    return make(cls, read_fields(cls, block, at), block, at)


def read_fields(
    cls: type[Settings], block: Block, at: At, *, but: frozenset[str] = frozenset()
) -> dict[str, object]:
    """Read the fields of an object from the keys of a block.

    Args:
        cls: Its class.
        block: The block.
        at: Where the block stands.
        but: Names of fields that have no key.

    Raises:
        ConfigurationError: Lists every wrong, missing and unknown key.
    """
    gathering, values = Gathering(), dict[str, object]()
    settings = [setting for setting in settings_of(cls) if setting.name not in but]
    for setting in settings:
        with gathering:
            setting.read(block, at, values)
    with gathering:
        _refuse_unknown_keys(cls, settings, block, at)
    gathering.finish()
    return values


def make(cls: type[T], values: Mapping[str, object], block: Block, at: At) -> T:
    """Make an object, its complaints told by full path and place.

    Args:
        cls: Its class.
        values: The fields by name.
        block: Where they were read from.
        at: Where the block stands.

    Raises:
        ConfigurationError: Fields contradict one another.
    """
    try:
        return cls(**values)
    except ConfigurationError as error:
        problems = [_placed(problem, block, at) for problem in error.problems]
        raise ConfigurationError(problems) from None


def choice_told(kind: str, options: object) -> str:
    """Tell a choice with what was set of it, as ``redis (host='h', port=6379)``; without secrets.

    Args:
        kind: What was chosen.
        options: Its options; plain data for one that another wheel announces.
    """
    if isinstance(options, Settings):
        told = _shown_fields(options)
    else:
        told = masked_options(options) if options else ""
    return f"{kind} ({told})" if told else kind


def _shown(value: object) -> str:
    if isinstance(value, Settings):
        return f"{type(value).__name__}({_shown_fields(value)})"
    if isinstance(value, tuple):
        return f"[{', '.join(map(_shown, cast('tuple[object, ...]', value)))}]"
    return masked_options(value)


def _shown_fields(settings: Settings) -> str:
    parts = (_shown_field(setting, settings) for setting in settings_of(type(settings)))
    return ", ".join(filter(None, parts))


def _shown_field(setting: Setting, settings: Settings) -> str:
    value = cast("object", getattr(settings, setting.name))
    if value is None or value is UNSET or value == ():
        return ""
    return f"{setting.name}={masked(value) if setting.secret else _shown(value)}"


def _placed(problem: Problem, block: Block, at: At) -> Problem:
    mark = problem.mark or mark_of(block, problem.path) or at.mark
    return evolve(problem.below(at.path), mark=mark)


def _refuse_unknown_keys(
    cls: type[Settings], settings: list[Setting], block: Block, at: At
) -> None:
    canonical = [*(setting.key for setting in settings), *cls.MORE_KEYS]
    known = [*(key for setting in settings for key in setting.keys), *cls.IGNORED_KEYS]
    forms = set(map(normalise, known))
    gathering = Gathering()
    for form, entry in block.entries.items():
        if form not in forms:
            remedy = _remedy(cls, entry.key, canonical)
            gathering.problems += entry_place(entry, at).refusal("unknown key", remedy).problems
    gathering.finish()
    _warn_of_ignored_keys(cls, block, at)


def _remedy(cls: type[Settings], key: str, known: list[str]) -> str:
    moved = {normalise(old): new for old, new in cls.MOVED_KEYS.items()}.get(normalise(key))
    return f"write {moved}" if moved else suggestion(key, known)


def _warn_of_ignored_keys(cls: type[Settings], block: Block, at: At) -> None:
    for key, warning in cls.IGNORED_KEYS.items():
        entry = block.entries.get(normalise(key))
        if entry is not None and warning:
            _log.warning("%s (%s): %s", entry_place(entry, at).path, entry.mark, warning)
