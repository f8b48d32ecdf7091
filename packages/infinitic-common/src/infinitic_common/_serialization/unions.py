"""Choosing among types: parents with subclasses, and unions."""

from collections.abc import Callable, Iterable, Iterator
from typing import TypeAlias, cast

from attrs import frozen

from infinitic_common._serialization.hints import class_label
from infinitic_common._serialization.node import (
    DICT,
    KLASS,
    BadHint,
    Decode,
    Encode,
    Mismatch,
    Node,
    WrongType,
    any_deep,
    handle_refusal,
    mismatch,
    reading,
)
from infinitic_common._serialization.wire import MEMBER, Member, Tag

RecordOf: TypeAlias = Callable[[type], Node]
KnownTypes: TypeAlias = Callable[[], Iterable[type]]


@frozen
class Root:
    """A class named by a hint, with the node of its own objects unless it only is a parent."""

    cls: type
    node: Node | None


class _Family:
    """The classes that a hint admits: those it names and everything below them.

    A single class needs no tag, its subclasses do; of several, each has one. So a class may get
    subclasses without making older data unreadable.
    """

    def __init__(self, roots: list[Root], record_of: RecordOf, known: KnownTypes) -> None:
        self.label = " | ".join(class_label(root.cls) for root in roots)
        self._roots = roots
        self._record_of = record_of
        self._known = known
        self._encoders: dict[type, Encode] = {}
        self._decoders: dict[str, Decode] = {}
        self._classes: dict[str, type] = {}
        self._bare = roots[0].node if len(roots) == 1 else None
        if len({root.cls for root in roots}) < len(roots):
            msg = f"{self.label} names a class twice, {KLASS} cannot tell its arguments apart"
            raise BadHint(msg)
        for root in roots:
            if root.node is not None:
                self._admit(root.cls, root.node)
        if self._bare is not None:
            self._encoders[roots[0].cls] = self._bare.encode

    def encode(self, value: object) -> object:
        encode = self._encoders.get(type(value)) or self._meet(value)
        return encode(value)

    def decode(self, data: object, _: object) -> object:
        if type(data) is not dict:
            return self._described(data)
        table = cast("dict[str, object]", data)
        klass = table.get(KLASS)
        if klass is None:
            return self._decode_untagged(table)
        if klass not in self._decoders:
            self._search()
        if (decode := self._decoders.get(cast("str", klass))) is None:
            msg = (
                f"{klass!r} is no known class of {self.label}: "
                "import the module that defines it, or call register_type"
            )
            raise Mismatch(msg)
        return decode(table, None)

    def _described(self, data: object) -> object:
        """What described itself when it was written, by someone who did not know the hint."""
        if any(is_below(type(data), root.cls) for root in self._roots):
            return data
        raise mismatch(self.label, data)

    def _decode_untagged(self, table: dict[str, object]) -> object:
        if self._bare is None:
            msg = f"{KLASS} is missing: it tells which class of {self.label} this is"
            raise Mismatch(msg)
        return self._bare.decode(table, None)

    def _meet(self, value: object) -> Encode:
        """Admit the class of a value seen for the first time."""
        cls = type(value)
        if handle_refusal(cls) or not any(is_below(cls, root.cls) for root in self._roots):
            raise mismatch(self.label, value)
        try:
            self._admit(cls, self._record_of(cls))
        except BadHint as error:
            raise Mismatch(str(error)) from error
        return self._encoders[cls]

    def _search(self) -> None:
        """Admit the classes below the roots that exist by now."""
        for root in self._roots:
            below = [*_subclasses(root.cls), *(c for c in self._known() if is_below(c, root.cls))]
            for cls in below:
                if cls not in self._encoders:
                    self._try_admit(cls)

    def _try_admit(self, cls: type) -> None:
        try:
            self._admit(cls, self._record_of(cls))
        except BadHint:
            return  # a class between, which is not made of fields itself

    def _admit(self, cls: type, node: Node) -> None:
        name = class_label(cls)
        other = self._classes.get(name)
        # A slotted class replaces an unslotted one of the same name, which lives on for a while.
        if other is not None and other is not cls and other.__module__ != cls.__module__:
            msg = (
                f"{other.__module__} and {cls.__module__} both define {name}, "
                f"{KLASS} cannot tell them apart in {self.label}"
            )
            raise BadHint(msg)
        self._classes[name] = cls
        self._encoders[cls] = _tagging(name, node.encode)
        self._decoders[name] = node.decode


def _tagging(name: str, encode: Encode) -> Encode:
    def encode_tagged(value: object) -> object:
        return {KLASS: name, **cast("dict[str, object]", encode(value))}

    return encode_tagged


def is_below(cls: type, parent: type) -> bool:
    """Tell whether a class is another or inherits from it."""
    try:
        return issubclass(cls, parent)
    except TypeError:  # a Protocol that is not checkable at run time
        return parent in cls.__mro__


def _subclasses(cls: type) -> Iterator[type]:
    direct: list[type] = type.__subclasses__(cls)
    for below in direct:
        yield below
        yield from _subclasses(below)


def family_node(roots: list[Root], record_of: RecordOf, known: KnownTypes) -> Node:
    """Make the node of one class or of several, subclasses included.

    Raises:
        BadHint: two of the classes have the same name.
    """
    family = _Family(roots, record_of, known)
    nodes = [root.node for root in roots if root.node is not None]
    deep = any_deep(nodes) or len(nodes) < len(roots)
    return Node(family.label, family.encode, family.decode, DICT, deep=deep)


def has_record_below(cls: type, record_of: RecordOf, known: KnownTypes) -> bool:
    """Tell whether a parent has a subclass that is made of fields."""
    for below in (*_subclasses(cls), *(c for c in known() if c is not cls and is_below(c, cls))):
        try:
            record_of(below)
        except BadHint:
            continue
        return True
    return False


def union_node(members: list[Node], family: Node | None) -> Node:
    """Make the node of a union of types; `family` is the member made of classes, if there is one.

    A member goes bare if no other looks like it when read, or if it is what that shape natively
    is (text for `str`, a map for classes); otherwise a tag names it. Neither depends on the order
    of the members: Python takes `A | B` and `B | A` for equal.

    Raises:
        BadHint: two members have the same name.
    """
    if len(members) == 1:
        return members[0]
    label = " | ".join(member.label for member in members)
    exact = frozenset[type]().union(*(member.exact for member in members))
    if all(member.exact for member in members):
        return _plain_union(label, members, exact)
    bare = [m for m in members if m is family or m.exact or not _looks_like_other(m, members)]
    return _mixed_union(label, sorted(members, key=_rank), bare, exact)


def _rank(member: Node) -> tuple[bool, bool, str]:
    """Put the particular before the general, and float last: it takes integers too."""
    return float in member.exact, bool(member.exact), member.label


def _plain_union(label: str, members: list[Node], exact: frozenset[type]) -> Node:
    """Make the node of a union that CBOR tells apart by itself, `int | str | None` for one."""
    ordered = sorted(members, key=_rank)
    encoders = [member.encode for member in ordered]
    decoders = [reading(member) for member in ordered]

    def encode(value: object) -> object:
        if type(value) in exact:
            return value
        return _first(label, value, encoders)

    def decode(data: object, _: object) -> object:
        if type(data) in exact:
            return data
        return _first(label, data, decoders)

    kinds = frozenset[type]().union(*(member.kinds for member in members))
    return Node(label, encode, decode, kinds, exact)


def _mixed_union(label: str, members: list[Node], bare: list[Node], exact: frozenset[type]) -> Node:
    by_kind = {kind: member.decode for member in bare for kind in member.kinds}
    by_label = {member.label: member.decode for member in members}
    if len(by_label) < len(members):
        msg = f"two members of {label} have the same name"
        raise BadHint(msg)
    encoders = [m.encode if m in bare else _marking(m) for m in members]
    decoders = [reading(member) for member in members]

    def encode(value: object) -> object:
        return value if type(value) in exact else _first(label, value, encoders)

    def decode(data: object, _: object) -> object:
        if isinstance(data, Member):
            return _decode_member(label, by_label, data)
        decode_kind = by_kind.get(type(data))
        return decode_kind(data, None) if decode_kind else _first(label, data, decoders)

    kinds = frozenset({Member}).union(*(member.kinds for member in members))
    return Node(label, encode, decode, kinds, deep=any_deep(members))


def _looks_like_other(member: Node, members: list[Node]) -> bool:
    return any(other is not member and member.kinds & other.kinds for other in members)


def _marking(member: Node) -> Encode:
    return lambda value: Tag(MEMBER, [member.label, member.encode(value)])


def _decode_member(label: str, by_label: dict[str, Decode], data: Member) -> object:
    decode = by_label.get(data.label)
    if decode is None:
        msg = f"expected {label}, got {data.label}"
        raise Mismatch(msg)
    return decode(data.data, None)


def _first(label: str, value: object, attempts: Iterable[Encode]) -> object:
    """Return what the first fitting member makes of a value.

    The error is that of the member which came furthest into the value, or of the only one that
    it is of the type of.
    """
    refusals = list[Mismatch]()
    for attempt in attempts:
        try:
            return attempt(value)
        except Mismatch as error:
            refusals.append(error)
    raise _telling(refusals) or mismatch(label, value)


def _telling(refusals: list[Mismatch]) -> Mismatch | None:
    furthest = max(refusals, key=lambda refusal: len(refusal.path))
    if furthest.path:
        return furthest
    by_content = [refusal for refusal in refusals if not isinstance(refusal, WrongType)]
    return by_content[0] if len(by_content) == 1 else None
