"""From type hints to nodes, once per hint, at registration."""

import sys
from collections.abc import (
    Callable,
    Collection,
    Iterable,
    MutableMapping,
    MutableSequence,
    MutableSet,
)
from enum import Enum
from threading import RLock
from typing import Any, Final, Literal, cast, get_args, get_origin

from infinitic_common._serialization.containers import (
    MAPPINGS,
    SEQUENCES,
    mapping_node,
    open_mapping_node,
    sequence_node,
    tuple_node,
)
from infinitic_common._serialization.fields import (
    Field,
    Part,
    fields_of,
    has_fields,
    is_typed_dict,
    typed_dict_fields,
)
from infinitic_common._serialization.hints import (
    class_label,
    declared_hints,
    is_union,
    label_of,
    strip,
)
from infinitic_common._serialization.node import (
    BadHint,
    Decode,
    Mismatch,
    Node,
    handle_refusal,
    late_node,
)
from infinitic_common._serialization.pydantic_models import is_pydantic, pydantic_node
from infinitic_common._serialization.records import record_node
from infinitic_common._serialization.scalars import SCALAR_NODES, enum_node, is_enum, literal_node
from infinitic_common._serialization.typed_dicts import typed_dict_node
from infinitic_common._serialization.unions import (
    Root,
    family_node,
    has_record_below,
    union_node,
)
from infinitic_common._serialization.untyped import Packer, refusal, untyped_node
from infinitic_common._serialization.views import View, hidden_names, is_hidden
from infinitic_common._serialization.wire import OBJECT, Tag, TagDecoder, value_decoders

_ABSTRACT: Final[dict[object, object]] = {
    MutableSequence: list,
    MutableSet: set,
    MutableMapping: dict,
    Iterable: Collection,
}
"""Abstract collections that are handled as another one."""

_ANY: Final[tuple[object, ...]] = (Any, object)


class Compiler:
    """Compiles hints, and knows the classes met so far: only those are ever read back by name.

    Args:
        view: What hides fields; None for nothing.
        main: Another compiler, whose classes are known here too.
    """

    def __init__(self, view: type[View] | None = None, main: "Compiler | None" = None) -> None:
        self._view = view
        self._main = main
        self._nodes: dict[object, Node] = {}
        self._types: dict[str, type] = {}
        self._readers: dict[str, Decode] = {}
        self._lock = RLock()
        self.packer = Packer(self._pack_object)
        self.any_node = untyped_node(self.packer)
        self.decoders: dict[int, TagDecoder] = value_decoders(self._unpack_object)

    def compile(self, hint: object) -> Node:
        """Return the node of a hint.

        Raises:
            BadHint: values of that type cannot be sent.
        """
        return self._guarded(lambda: self._node(hint))

    def register(self, cls: type) -> Node:
        """Make a class known, so that values which name it can be read.

        Raises:
            BadHint: its objects cannot be sent.
        """
        if is_enum(cls):
            return self.compile(cls)
        return self._guarded(lambda: self._record(cls, cls))

    @property
    def known(self) -> Collection[type]:
        """The classes met so far."""
        return self._types.values()

    def class_named(self, name: str) -> type | None:
        """The known class that a name stands for."""
        return self._types.get(name)

    def _guarded(self, build: Callable[[], Node]) -> Node:
        """Build in one piece: a failure leaves nothing that refers to what was not built."""
        with self._lock:
            before = (self._nodes.copy(), self._types.copy())
            try:
                return build()
            except RecursionError as error:
                self._nodes, self._types = before
                msg = "the type contains itself without a collection or a class between"
                raise BadHint(msg) from error
            except BaseException:
                self._nodes, self._types = before
                raise

    def _node(self, hint: object) -> Node:
        stripped = strip(hint)
        return self._once(stripped, label_of(stripped), lambda: self._build(stripped))

    def _once(self, key: object, label: str, build: Callable[[], Node]) -> Node:
        """Build a node once; meanwhile a type that contains itself gets a promise of it."""
        if not _is_hashable(key):
            return build()
        if (known := self._nodes.get(key)) is not None:
            return known
        self._nodes[key], settle = late_node(label)
        node = build()
        settle(node)
        self._nodes[key] = node
        return node

    def _build(self, hint: object) -> Node:  # noqa: PLR0911 - one return per kind of type
        if hint in _ANY:
            return self.any_node
        if (scalar := SCALAR_NODES.get(hint) if _is_hashable(hint) else None) is not None:
            return scalar
        if is_union(hint):
            return self._union(hint)
        origin = get_origin(hint) or hint
        if origin is Literal:
            return literal_node(hint)
        if (collection := self._collection(hint, _ABSTRACT.get(origin, origin))) is not None:
            return collection
        if not isinstance(origin, type):
            msg = f"values of type {label_of(hint)} cannot be sent"
            raise BadHint(msg)
        if is_typed_dict(origin):
            return typed_dict_node(origin, self._parts(origin, typed_dict_fields(hint, origin)))
        if is_enum(origin):
            return self._enum(origin)
        return family_node([self._root(hint, origin)], self.register, self._known)

    def _collection(self, hint: object, origin: object) -> Node | None:
        args = cast("tuple[object, ...]", get_args(hint))
        if origin is tuple:
            return self._tuple(hint, args)
        if (sequence := SEQUENCES.get(origin)) is not None:
            item = self._node(args[0]) if args else self.any_node
            return sequence_node(label_of(hint), item, *sequence)
        if (mapping := MAPPINGS.get(origin)) is not None:
            key, value = map(self._node, args or (Any, Any))
            make = open_mapping_node if key is self.any_node else mapping_node
            return make(label_of(hint), key, value, *mapping)
        return None

    def _tuple(self, hint: object, args: tuple[object, ...]) -> Node:
        label = label_of(hint)
        if get_origin(hint) is None or str(hint) == "typing.Tuple":  # without arguments
            return sequence_node(label, self.any_node, tuple, tuple)
        if args[1:] == (Ellipsis,):
            return sequence_node(label, self._node(args[0]), tuple, tuple)
        return tuple_node(label, [self._node(arg) for arg in args])

    def _union(self, hint: object) -> Node:
        members = list(dict.fromkeys(_members(hint)))
        if any(member in _ANY for member in members):
            return self.any_node
        family, others = None, [member for member in members if not _is_class_of_fields(member)]
        classes = [member for member in members if member not in others]
        nodes = [self._node(member) for member in others]
        if classes:
            roots = [self._root(c, cast("type", get_origin(c) or c)) for c in classes]
            family = family_node(roots, self.register, self._known)
            nodes.append(family)
        return union_node(nodes, family)

    def _root(self, hint: object, cls: type) -> Root:
        """Describe a class named by a hint.

        Raises:
            BadHint: it has no fields that can be sent, nor has any class below it.
        """
        if (why := _class_refusal(cls)) is not None:
            raise BadHint(why)
        if is_made_of_fields(cls):
            return Root(cls, self._record(hint, cls))
        if _is_of_python(cls):
            msg = (
                f"{class_label(cls)} is not a type of values: "
                "use a dataclass, an attrs class, a pydantic model or built-in types"
            )
            raise BadHint(msg)
        if has_record_below(cls, self.register, self._known):
            return Root(cls, None)
        msg = (
            f"{class_label(cls)} is not a type of values: make it a dataclass, an attrs class or a "
            "pydantic model, or define (or register_type) its subclasses before it is used"
        )
        raise BadHint(msg)

    def _record(self, hint: object, cls: type) -> Node:
        """Return the node of the objects of exactly one class."""
        label = class_label(cls)
        node = self._once(("record", hint), label, lambda: self._build_record(hint, cls))
        self._learn(cls)
        return node

    def _learn(self, cls: type) -> None:
        name = type_key(cls)
        if self._types.get(name) is not cls:
            self._types[name] = cls
            self._readers.pop(name, None)  # a class defined anew replaces the old one

    def _build_record(self, hint: object, cls: type) -> Node:
        if (why := _class_refusal(cls)) is not None:
            raise BadHint(why)
        if is_pydantic(cls):
            return pydantic_node(cls, self._hidden_of_model(cls))
        fields = fields_of(hint, cls)
        if fields is None:
            msg = f"{class_label(cls)} is not made of fields"
            raise BadHint(msg)
        return record_node(cls, self._parts(cls, fields))

    def _parts(self, cls: type, fields: list[Field]) -> list[Part]:
        parts: list[Part] = []
        for field in fields:
            if is_hidden(field.hint, self._view):
                _refuse_required(cls, field, self._view)
                continue
            try:
                parts.append(Part(field, self._node(field.hint)))
            except BadHint as error:
                msg = f"field '{field.name}' of {class_label(cls)}: {error}"
                raise BadHint(msg) from error
        return parts

    def _hidden_of_model(self, cls: type) -> frozenset[str]:
        if self._view is None:
            return frozenset()
        hints = declared_hints(cls)
        for inner in {model for hint in hints.values() for model in _models_in(hint)} - {cls}:
            if self._hidden_of_model(inner):
                msg = (
                    f"{class_label(inner)} inside {class_label(cls)} has fields that "
                    f"{label_of(self._view)} hides, which pydantic cannot leave out there: make "
                    "the outer class a dataclass or an attrs class"
                )
                raise BadHint(msg)
        return hidden_names(hints.items(), self._view)

    def _enum(self, cls: type[Enum]) -> Node:
        if not list(cls):
            msg = f"{class_label(cls)} is an enumeration without members"
            raise BadHint(msg)
        self._learn(cls)
        return enum_node(cls)

    def _known(self) -> list[type]:
        mine = list(self._types.values())
        return mine if self._main is None else [*mine, *self._main.known]

    def _pack_object(self, value: object) -> object:
        """Write a value of a class that the packer meets for the first time."""
        cls = type(value)
        if handle_refusal(cls) or isinstance(value, BaseException):
            raise Mismatch(refusal(value))
        if not (isinstance(value, Enum) or is_made_of_fields(cls)):
            return self.packer.pack_as_base(value)
        try:
            encode, name = self.register(cls).encode, type_key(cls)
        except BadHint as error:
            raise Mismatch(str(error)) from error
        self.packer.learn(cls, lambda given: Tag(OBJECT, [name, encode(given)]))
        return self.packer.pack(value)

    def _unpack_object(self, pair: object, _: bool) -> object:  # noqa: FBT001 - cbor2's convention
        name, data = cast("tuple[str, object]", pair)
        decode = self._readers.get(name) or self._make_reader(name)
        return decode(data, None)

    def _make_reader(self, name: str) -> Decode:
        """Return what reads the objects of a class, whatever arguments hints gave it."""
        cls = self._types.get(name)
        if cls is None and self._main is not None:
            cls = self._main.class_named(name)
        if cls is None:
            msg = (
                f"the data names the type {name!r}, which is not known here: import the module "
                "that defines it and call register_type with it"
            )
            raise Mismatch(msg)
        decode = self._readers[name] = self.register(cls).decode
        return decode


def type_key(cls: type) -> str:
    """Return the name that stands for a class in self-describing data."""
    return f"{cls.__module__}:{cls.__qualname__}"


def is_made_of_fields(cls: type) -> bool:
    """Tell whether the objects of a class can be taken apart into named fields."""
    return is_pydantic(cls) or has_fields(cls)


def _refuse_required(cls: type, field: Field, view: object) -> None:
    if field.required and field.init:
        msg = (
            f"field '{field.name}' of {class_label(cls)} is hidden in view {label_of(view)} and "
            "has no default to take instead: give it one, as None"
        )
        raise BadHint(msg)


def _models_in(hint: object) -> Iterable[type]:
    """The pydantic models that a hint names, at any depth of it."""
    if isinstance(hint, type) and is_pydantic(hint):
        yield hint
    for arg in cast("tuple[object, ...]", get_args(hint)):
        yield from _models_in(arg)


def _class_refusal(cls: type) -> str | None:
    if BaseException in cls.__mro__:
        return f"{class_label(cls)} is an exception, which is not a value: send what it tells"
    return handle_refusal(cls)


def _is_of_python(cls: type) -> bool:
    return cls.__module__.partition(".")[0] in sys.stdlib_module_names


def _members(hint: object) -> Iterable[object]:
    """Yield the members of a union, those of the unions inside it included."""
    for arg in cast("tuple[object, ...]", get_args(hint)):
        member = strip(arg)
        if is_union(member):
            yield from _members(member)
        else:
            yield member


def _is_class_of_fields(hint: object) -> bool:
    """Tell whether a member of a union is told by its class, as opposed to its shape."""
    origin = get_origin(hint) or hint
    origin = _ABSTRACT.get(origin, origin)
    return (
        isinstance(origin, type)
        and not (origin in SCALAR_NODES or origin in SEQUENCES or origin in MAPPINGS)
        and origin is not tuple
        and not is_typed_dict(origin)
        and not is_enum(origin)
    )


def _is_hashable(hint: object) -> bool:
    try:
        hash(hint)
    except TypeError:  # metadata or literals made of lists, for example
        return False
    return True
