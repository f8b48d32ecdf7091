"""The base of every configuration class: declared once, checked and read alike."""

from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from logging import getLogger
from typing import ClassVar, Self, TypeVar, cast, get_type_hints

import attrs
from attrs import frozen

from infinitic_common._configuration.nearest import suggestion
from infinitic_common._configuration.nodes import Block, Entry, Node, Scalar, normalise
from infinitic_common._configuration.problems import ConfigurationError, Problem
from infinitic_common._configuration.reading import At, Gathering, Readable, entry_place, read
from infinitic_common._configuration.shapes import Shape, shape_of

_log = getLogger("infinitic.configuration")


def masked(value: object) -> str:
    """Return what a secret looks like in logs.

    Args:
        value: The secret, or None.
    """
    return "None" if value is None else "'***'"


class Settings(Readable):
    """A block of a configuration.

    A subclass is a frozen attrs class whose hints say type and bounds. Fields are checked when an
    object is made, by hand or from a source; the key of a field is its name in camelCase, unless
    its metadata give ``key``; ``aliases`` are other keys accepted for it.
    """

    __slots__ = ()

    IGNORED_KEYS: ClassVar[Mapping[str, str]] = {}
    """Keys that are accepted without effect; with the warning to log, if any."""

    MOVED_KEYS: ClassVar[Mapping[str, str]] = {}
    """Former keys with what to write instead."""

    def __attrs_post_init__(self) -> None:
        """Check every field, then their relations.

        Raises:
            ConfigurationError: Lists every value out of bounds by its key.
        """
        problems = [problem for setting in settings_of(type(self)) for problem in setting.check(self)]
        problems = problems or list(self.conflicts())
        if problems:
            raise ConfigurationError(problems)

    def conflicts(self) -> Iterable[Problem]:
        """Return what is wrong between fields that are each right."""
        return ()

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
            raise at.refusal(f"{names} mean the same", "keep one")
        if entries:
            self._read_entry(entries[0], at.below(self.key, entries[0].mark), into)
        if self.required and self.name not in into:
            raise at.below(self.key, block.mark).refusal("is required", f"add `{self.key}:`")

    def _read_entry(self, entry: Entry, at: At, into: dict[str, object]) -> None:
        node = at.filled(entry.node) if isinstance(entry.node, Scalar) else entry.node
        is_block = issubclass(self.shape.kind, Readable)
        if isinstance(node, Scalar) and node.is_empty and not is_block:
            return
        if isinstance(node, Scalar) and node.is_null and (self.shape.nullable or not self.shape.is_scalar):
            if self.shape.nullable:
                into[self.name] = None
            return
        into[self.name] = read(entry.node, self.shape, at, secret=self.secret)


@cache
def settings_of(cls: type[Settings]) -> tuple[Setting, ...]:
    """Return the fields of a configuration class.

    Args:
        cls: A frozen attrs class.
    """
    hints = cast("dict[str, object]", get_type_hints(cls, include_extras=True))
    fields = cast("tuple[attrs.Attribute[object], ...]", attrs.fields(cast("type[attrs.AttrsInstance]", cls)))
    return tuple(_setting(field, hints[field.name]) for field in fields)


def read_settings(cls: type[T], block: Block, at: At) -> T:
    """Read an object from the keys of a block.

    Args:
        cls: Its class.
        block: The block.
        at: Where the block stands.

    Raises:
        ConfigurationError: Lists every wrong, missing and unknown key.
    """
    gathering, values = Gathering(), dict[str, object]()
    for setting in settings_of(cls):
        with gathering:
            setting.read(block, at, values)
    with gathering:
        _refuse_unknown_keys(cls, block, at)
    gathering.finish()
    return make(cls, values, block, at)


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


def _placed(problem: Problem, block: Block, at: At) -> Problem:
    entry = block.entries.get(normalise(problem.path.partition(".")[0].partition("[")[0]))
    mark = problem.mark or (entry.mark if entry else at.mark)
    return attrs.evolve(problem.below(at.path), mark=mark)


def _refuse_unknown_keys(cls: type[Settings], block: Block, at: At) -> None:
    known = [key for setting in settings_of(cls) for key in setting.keys]
    forms = {normalise(key) for key in (*known, *cls.IGNORED_KEYS)}
    gathering = Gathering()
    for form, entry in block.entries.items():
        if form not in forms:
            with gathering:
                raise entry_place(entry, at).refusal("unknown key", _remedy(cls, entry.key))
    gathering.finish()
    _warn_of_ignored_keys(cls, block, at)


def _remedy(cls: type[Settings], key: str) -> str:
    moved = {normalise(old): new for old, new in cls.MOVED_KEYS.items()}.get(normalise(key))
    return f"write {moved}" if moved else suggestion(key, [s.key for s in settings_of(cls)])


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
