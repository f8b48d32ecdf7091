"""Contracts: what a service or a workflow offers, read once from its ``Protocol`` or ABC."""

from abc import ABC
from collections.abc import Callable, Mapping
from functools import cache, cached_property
from types import FunctionType
from typing import Generic, Protocol, cast

import attrs

from infinitic_common._contracts.channels import ChannelContract, channel_names, read_channel
from infinitic_common._contracts.hints import MISSING, attribute_hint
from infinitic_common._contracts.methods import MethodContract, read_method
from infinitic_common.decorators import name_of_class
from infinitic_common.exceptions import InvalidContract
from infinitic_common.policies import RetryPolicy, TimeoutPolicy
from infinitic_common.serialization import ValueCodec, value_codec

_OTHER_MEMBERS = (property, cached_property, staticmethod, classmethod)
_NOT_CONTRACTS = (object, Protocol, Generic, ABC, RetryPolicy, TimeoutPolicy)


@attrs.frozen(eq=False)
class Contract:
    """What a service or a workflow offers.

    Attributes:
        cls: The class that declares it.
        name: Its name for other processes.
        methods: By their names in Python.
        channels: By name; only workflows have some.
    """

    cls: type
    name: str
    methods: Mapping[str, MethodContract]
    channels: Mapping[str, ChannelContract]


def contract_of(cls: object) -> Contract:
    """Read a contract; the same object for the same class each time.

    The methods of a ``Protocol`` are its public functions, those of an ABC its abstract ones;
    parents count. Names of methods and channels do not start with an underscore.

    Raises:
        InvalidContract: The class is neither ``Protocol`` nor ABC, or a method has ``*args`` or
            ``**kwargs``, or two methods have the same name, or a member is a property, a static
            method or a class method.
        InvalidTypeHint: A parameter, a result or a channel has no type, or one that cannot be
            sent.
    """
    if not isinstance(cls, type) or not is_contract(cls):
        msg = f"{_label(cls)} is no contract: list Protocol among its bases, or make it an ABC"
        raise InvalidContract(msg)
    return _read(cls)


@cache
def _read(cls: type) -> Contract:
    _refuse_other_members(cls)
    methods = {
        function.__name__: read_method(cls, owner, function)
        for owner, function in _functions(cls).values()
    }
    _refuse_double_names(cls, methods)
    channels = {name: read_channel(cls, name) for name in channel_names(cls)}
    return Contract(cls, name_of_class(cls), methods, channels)


def is_contract(cls: type) -> bool:
    """Whether a class declares and does not implement: a ``Protocol``, or an ABC of its kind.

    A class with abstract methods that also has a parent which is no contract is a partial
    implementation.
    """
    if cls in _NOT_CONTRACTS:
        return False
    if _is_protocol(cls):
        return True
    parents = [parent for parent in cls.__bases__ if parent not in _NOT_CONTRACTS]
    is_abstract = ABC in cls.__bases__ or any(map(_is_abstract, vars(cls).values()))
    return is_abstract and all(map(is_contract, parents))


def _is_protocol(cls: type) -> bool:
    return bool(vars(cls).get("_is_protocol", False))


def _is_abstract(member: object) -> bool:
    return bool(getattr(member, "__isabstractmethod__", False))


def contracts_of(implementation: type) -> list[type]:
    """The contracts that a class implements, the nearest first, without parents of others."""
    found = [
        parent for parent in implementation.__mro__[1:] if is_contract(parent) and _offers(parent)
    ]
    return [one for one in found if not any(one in other.__mro__[1:] for other in found)]


def _offers(cls: type) -> bool:
    return bool(_functions(cls)) or any(True for _ in channel_names(cls))


def _functions(cls: type) -> dict[str, tuple[type, Callable[..., object]]]:
    """The methods of a contract, each with the class that defines it, in order of definition."""
    found: dict[str, tuple[type, Callable[..., object]]] = {}
    for owner in reversed(cls.__mro__):
        if owner in _NOT_CONTRACTS or not is_contract(owner):
            continue
        for name, member in vars(owner).items():
            if isinstance(member, FunctionType) and _is_offered(owner, name, member):
                found[name] = (owner, member)
    return found


def _is_offered(owner: type, name: str, member: object) -> bool:
    return not name.startswith("_") and (_is_protocol(owner) or _is_abstract(member))


def _refuse_other_members(cls: type) -> None:
    """What looks offered, and cannot be called on an instance elsewhere."""
    for owner in cls.__mro__:
        if owner in _NOT_CONTRACTS or not is_contract(owner):
            continue
        for name, member in cast("Mapping[str, object]", vars(owner)).items():
            kind = type(member)
            if issubclass(kind, _OTHER_MEMBERS) and _is_offered(owner, name, member):
                msg = (
                    f"{cls.__name__}.{name} is a {kind.__name__}: a contract has methods "
                    f"and channels; make it a method, as 'def {name}(self) -> …', or move it out"
                )
                raise InvalidContract(msg)


def _refuse_double_names(cls: type, methods: Mapping[str, MethodContract]) -> None:
    by_name: dict[str, str] = {}
    for method in methods.values():
        other = by_name.setdefault(method.name, method.python_name)
        if other != method.python_name:
            msg = f"{cls.__name__}: {other} and {method.python_name} are both named {method.name!r}"
            raise InvalidContract(msg)


def _label(cls: object) -> str:
    return cls.__name__ if isinstance(cls, type) else repr(cls)


def attribute_codec(contract: Contract, name: str) -> ValueCodec | None:
    """The codec of an attribute that a contract annotates; None when it does not.

    Raises:
        InvalidTypeHint: The annotation cannot be resolved, or its values cannot be sent.
    """
    hint = attribute_hint(contract.cls, name)
    if hint is MISSING:
        return None
    return value_codec(hint, place=f"attribute '{name}' of {contract.cls.__name__}")
