"""The fields of configuration classes: their keys, what they accept, and whether they are secret."""

import re
from collections.abc import Iterator, Mapping
from typing import cast, get_type_hints

import attrs
from attrs import frozen

from infinitic_common._configuration.nodes import Block, Entry, Scalar
from infinitic_common._configuration.problems import Problem
from infinitic_common._configuration.reading import At, Readable, read
from infinitic_common._configuration.shapes import Shape, shape_of
from infinitic_common._nearest import normalise

_SECRET = re.compile("passw|secret|token|private.?key|credential", re.IGNORECASE)


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


@frozen
class Setting:
    """A field of a configuration class.

    Attributes:
        name: Its attribute.
        keys: The keys that set it, the canonical one first.
        shape: What it accepts.
        required: Whether it has no default.
        secret: Whether messages must not tell its value.
        derived: Whether its default comes from another field.
        when_empty: What the key means without a value; None for the default.
    """

    name: str
    keys: tuple[str, ...]
    shape: Shape
    required: bool
    secret: bool
    derived: bool
    when_empty: str | None = None

    @property
    def key(self) -> str:
        """The canonical key."""
        return self.keys[0]

    def check(self, settings: object) -> Iterator[Problem]:
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
            at.refuse(f"{names} mean the same", "keep one")
        if entries:
            self._read_entry(entries[0], at.below(self.key, entries[0].mark), into)
        if self.required and self.name not in into:
            at.below(self.key, block.mark).refuse("is required", f"add `{self.key}:`")

    def _read_entry(self, entry: Entry, at: At, into: dict[str, object]) -> None:
        node = at.filled(entry.node) if isinstance(entry.node, Scalar) else entry.node
        is_block = issubclass(self.shape.kind, Readable)
        if isinstance(node, Scalar) and node.is_empty and not is_block:
            if self.when_empty is not None:
                into[self.name] = self.when_empty
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


_SETTINGS: dict[type[object], tuple[Setting, ...]] = {}


def settings_of(cls: type[object]) -> tuple[Setting, ...]:
    """Return the fields of a configuration class.

    Args:
        cls: A frozen attrs class.
    """
    if cls not in _SETTINGS:
        hints = cast("dict[str, object]", get_type_hints(cls, include_extras=True))
        fields = cast(
            "tuple[attrs.Attribute[object], ...]",
            attrs.fields(cast("type[attrs.AttrsInstance]", cls)),
        )
        _SETTINGS[cls] = tuple(_setting(field, hints[field.name]) for field in fields)
    return _SETTINGS[cls]


def _setting(field: "attrs.Attribute[object]", hint: object) -> Setting:
    key = cast("str", field.metadata.get("key", _camel_case(field.name)))
    aliases = cast("tuple[str, ...]", field.metadata.get("aliases", ()))
    return Setting(
        name=field.name,
        keys=(key, *aliases),
        shape=shape_of(hint),
        required=field.default is attrs.NOTHING,
        secret=field.repr is masked,
        derived=bool(getattr(field.default, "takes_self", False)),
        when_empty=cast("str | None", field.metadata.get("when_empty")),
    )


def _camel_case(name: str) -> str:
    first, *others = name.split("_")
    return first + "".join(part.capitalize() for part in others)
