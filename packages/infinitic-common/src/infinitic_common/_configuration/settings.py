"""The base of every configuration class: declared once, checked and read alike."""

import re
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from logging import getLogger
from typing import ClassVar, Self, TypeVar, cast, get_type_hints

import attrs
from attrs import frozen

from infinitic_common._configuration.nearest import suggestion
from infinitic_common._configuration.nodes import Block, Entry, Node, Scalar, mark_of, normalise
from infinitic_common._configuration.problems import ConfigurationError, Problem
from infinitic_common._configuration.reading import At, Gathering, Readable, entry_place, read
from infinitic_common._configuration.shapes import UNSET, Shape, shape_of

_SECRET = re.compile("passw|secret|token|private.?key|credential", re.IGNORECASE)
_log = getLogger("infinitic.configuration")


def masked(value: object) -> str:
    """Return what a secret looks like in logs.

    Args:
        value: The secret, or None.
    """
    return "None" if value is None else "'***'"


def masked_options(options: object) -> str:
    """Return what options look like in logs, those of unknown meaning without likely secrets.

    Args:
        options: A configuration object, or plain data.
    """
    return repr(_without_secrets(options))


def _without_secrets(data: object) -> object:
    if not isinstance(data, Mapping):
        return data
    pairs = cast("Mapping[object, object]", data).items()
    return {k: "***" if _SECRET.search(str(k)) else _without_secrets(v) for k, v in pairs}


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
        problems = [
            problem for setting in settings_of(type(self)) for problem in setting.check(self)
        ]
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


@frozen
class Setting:
    """A field of a configuration class.

    Attributes:
        name: Its attribute.
        keys: The keys that set it, the canonical one first.
        shape: What it accepts.
        required: Whether it has no default.
        secret: Whether messages must not tell its value.
    """

    name: str
    keys: tuple[str, ...]
    shape: Shape
    required: bool
    secret: bool

    @property
    def key(self) -> str:
        """The canonical key."""
        return self.keys[0]

    def check(self, settings: Settings) -> Iterator[Problem]:
        """Yield what is wrong with the value that an object has.

        Args:
            settings: The object.
        """
        value = cast("object", getattr(settings, self.name))
        if demand := self.shape.demand(value):
            yield Problem(self.key, demand if self.secret else f"{demand}, is {value!r}")

    def says(self, settings: Settings) -> bool:
        """Tell whether the value says anything.

        Args:
            settings: The object that has it.
        """
        return getattr(settings, self.name) not in (None, UNSET, ())

    def shown(self, settings: Settings) -> str:
        """Return the value as logs may show it.

        Args:
            settings: The object that has it.
        """
        return "***" if self.secret else _shown(getattr(settings, self.name))

    def read(self, block: Block, at: At, into: dict[str, object]) -> None:
        """Read the value from a block, if it is there.

        Args:
            block: The block.
            at: Where the block stands.
            into: Where to put the value.

        Raises:
            ConfigurationError: It is wrong, missing, or given twice.
        """
        entries = [block.entries[key] for key in map(normalise, self.keys) if key in block.entries]
        if len(entries) > 1:
            names = " and ".join(f"'{entry.key}'" for entry in entries)
            at.refuse(f"{names} mean the same", "keep one")
        if entries:
            self._read_entry(entries[0], at.below(self.key, entries[0].mark), into)
        if self.required and self.name not in into:
            at.below(self.key, block.mark).refuse("is required", f"add `{self.key}:`")

    def _read_entry(self, entry: Entry, at: At, into: dict[str, object]) -> None:
        node = at.filled(entry.node) if isinstance(entry.node, Scalar) else entry.node
        is_block = issubclass(self.shape.kind, Readable)
        if isinstance(node, Scalar) and node.is_empty and not is_block:
            return
        if (
            isinstance(node, Scalar)
            and node.is_null
            and (self.shape.nullable or not self.shape.is_scalar)
        ):
            if self.shape.nullable:
                into[self.name] = None
            return
        into[self.name] = read(entry.node, self.shape, at, secret=self.secret)


def settings_of(cls: type[Settings]) -> tuple[Setting, ...]:
    """Return the fields of a configuration class.

    Args:
        cls: A frozen attrs class.
    """
    return _settings_of(cast("type[object]", cls))


@cache
def _settings_of(cls: type[object]) -> tuple[Setting, ...]:
    hints = cast("dict[str, object]", get_type_hints(cls, include_extras=True))
    fields = cast(
        "tuple[attrs.Attribute[object], ...]", attrs.fields(cast("type[attrs.AttrsInstance]", cls))
    )
    return tuple(_setting(field, hints[field.name]) for field in fields)


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


def _shown(value: object) -> str:
    if isinstance(value, Settings):
        parts = (f"{s.name}={s.shown(value)}" for s in settings_of(type(value)) if s.says(value))
        return f"{type(value).__name__}({', '.join(parts)})"
    if isinstance(value, tuple):
        return f"[{', '.join(map(_shown, cast('tuple[object, ...]', value)))}]"
    return masked_options(value)


def _placed(problem: Problem, block: Block, at: At) -> Problem:
    mark = problem.mark or mark_of(block, problem.path) or at.mark
    return attrs.evolve(problem.below(at.path), mark=mark)


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


def _setting(field: "attrs.Attribute[object]", hint: object) -> Setting:
    key = cast("str", field.metadata.get("key", _camel_case(field.name)))
    aliases = cast("tuple[str, ...]", field.metadata.get("aliases", ()))
    return Setting(
        name=field.name,
        keys=(key, *aliases),
        shape=shape_of(hint),
        required=field.default is attrs.NOTHING,
        secret=field.repr is masked,
    )


def _camel_case(name: str) -> str:
    first, *others = name.split("_")
    return first + "".join(part.capitalize() for part in others)
