"""Channels: how a running workflow receives what others send to it."""

from collections.abc import Mapping
from types import UnionType
from typing import Any, ClassVar, Generic, TypeVar, cast, get_origin, overload

from infinitic_common._contracts.channels import ChannelContract, read_channel
from infinitic_common._running import running
from infinitic_common.deferred import CommandDeferred, Deferred, SignalDeferred
from infinitic_common.exceptions import InvalidChannelUsage
from infinitic_common.history import ReceiveCommand, SendSignalCommand
from infinitic_common.outcomes import name_of
from infinitic_common.serialization import encode_untyped
from infinitic_common.signal_filters import check_json_path

T = TypeVar("T")
U = TypeVar("U")


class Channel(Generic[T]):
    """A channel of a workflow, for signals of type ``T``.

    Declared in the contract, which names and types it: ``approvals: Channel[bool] = channel()``.
    The workflow receives from its own channel, everybody else sends to that of a stub. A signal
    that nothing receives yet waits, unless the channel discards what is unexpected.
    """

    __infinitic_channel__: ClassVar[bool] = True

    def __init__(self, *, discard_unexpected: bool = False) -> None:
        self.discard_unexpected = discard_unexpected
        self._owner: type | None = None
        self._name = ""
        self._contract: ChannelContract | None = None

    def __set_name__(self, owner: type, name: str) -> None:
        if self._name not in ("", name):
            msg = f"{owner.__name__}: one channel() is both '{self._name}' and '{name}': make two"
            raise InvalidChannelUsage(msg)
        self._owner, self._name = owner, name

    def send(self, value: T) -> None:
        """Send a signal; never waits for it to be received.

        Raises:
            SerializationError: The value is not of the channel's type.
            InvalidChannelUsage: It is the channel of no running workflow.
        """
        _ = self._issue(value)

    def dispatch_send(self, value: T) -> Deferred[None]:
        """Send a signal from a workflow; the deferred has the signal's id and is completed."""
        return self._issue(value)

    def _issue(self, value: object) -> Deferred[None]:
        contract, run = self._own(), running("sending to a channel of the workflow")
        return issue_signal(
            SendSignalCommand(
                workflow_name=run.workflow_name,
                workflow_id=run.workflow_id,
                workflow_tag=None,
                channel_name=contract.name,
                value=contract.codec.encode(value),
                value_types=type_names(value),
            )
        )

    @overload
    def receive(
        self,
        *,
        limit: int | None = None,
        json_path: str | None = None,
        where: Mapping[str, object] | None = None,
    ) -> Deferred[T]: ...
    @overload
    def receive(
        self,
        type_: type[U],
        *,
        limit: int | None = None,
        json_path: str | None = None,
        where: Mapping[str, object] | None = None,
    ) -> Deferred[U]: ...
    def receive(
        self,
        type_: type | None = None,
        *,
        limit: int | None = None,
        json_path: str | None = None,
        where: Mapping[str, object] | None = None,
    ) -> Deferred[Any]:
        """Receive signals; each ``result()`` gives the next one.

        It takes all signals from now on, up to its limit, until its method run ends: another receive
        gets only what this one does not take. Keep the deferred, or limit each receive to 1.

        Args:
            type_: Only signals of this class or its subclasses.
            limit: Number of signals; further waits give the last one again. None for no limit.
            json_path: Only signals in which this JSONPath finds something, for example
                ``$[?(@.country == 'FR')]``.
            where: Only signals in which these paths (names joined by dots) have these values.

        Raises:
            InvalidChannelUsage: The channel is not the workflow's own, ``type_`` is no class, the
                limit is less than 1, ``where`` is no mapping, or the JSONPath cannot be read.
        """
        contract = self._own()
        _check_filters(contract.name, limit, json_path, where)
        run = running("receiving from a channel")
        command = ReceiveCommand(
            channel_name=contract.name,
            value_type=_wanted_type(contract.name, type_),
            json_path=json_path,
            where={path: encode_untyped(value) for path, value in (where or {}).items()},
            limit=limit,
        )
        return SignalDeferred(run, run.issue(command), contract, limit)

    def _own(self) -> ChannelContract:
        if self._contract is None:
            if self._owner is None:
                msg = "channel() must be an attribute of a class: 'name: Channel[str] = channel()'"
                raise InvalidChannelUsage(msg)
            self._contract = read_channel(self._owner, self._name)
        return self._contract

    def __repr__(self) -> str:
        owner = "" if self._owner is None else f"{self._owner.__name__}."
        return f"channel {owner}{self._name}"


def channel(*, discard_unexpected: bool = False) -> Channel[Any]:
    """Declare a channel in the contract of a workflow.

    ``approvals: Channel[bool] = channel()`` makes the channel ``approvals``, for booleans.

    Args:
        discard_unexpected: Drop the signals that nothing receives when they arrive.
    """
    return Channel[Any](discard_unexpected=discard_unexpected)


def issue_signal(command: SendSignalCommand) -> Deferred[None]:
    """Send a signal from the code of a workflow."""
    run = running("sending a signal")
    return CommandDeferred(run, run.issue(command), _nothing, "a signal")


def _nothing(_: bytes) -> object:
    return None


_names: dict[type, tuple[str, ...]] = {}


def type_names(value: object) -> tuple[str, ...]:
    """Names of the class of a value and of its parents: what a receive for a type looks at."""
    cls = type(value)
    if cls not in _names:
        _names[cls] = tuple(name_of(parent) for parent in cls.__mro__ if parent is not object)
    return _names[cls]


def _wanted_type(name: str, type_: type | None) -> str | None:
    """The name of the class that signals must have; None when any will do."""
    asked = cast("object", type_)
    if asked in (None, object, Any):
        return None
    cls = cast("object", get_origin(asked) or asked)
    if not isinstance(cls, type) or cls is UnionType:
        msg = (
            f"channel '{name}': receive({asked!r}): give one class; without a class it takes every "
            "signal, and any_of() waits for several receives"
        )
        raise InvalidChannelUsage(msg)
    return name_of(cls)


def _check_filters(name: str, limit: object, json_path: object, where: object) -> None:
    if not (limit is None or (isinstance(limit, int) and limit >= 1)):
        msg = f"channel '{name}': receive(limit={limit!r}): give a whole number, 1 or more"
        raise InvalidChannelUsage(msg)
    if not isinstance(where, Mapping | None):
        msg = (
            f"channel '{name}': receive(where={where!r}): give what each path leads to, as "
            "where={'customer.country': 'FR'}"
        )
        raise InvalidChannelUsage(msg)
    if json_path is not None:
        try:
            check_json_path(json_path)
        except ValueError as error:
            msg = f"channel '{name}': receive(json_path=…): {error}"
            raise InvalidChannelUsage(msg) from error
