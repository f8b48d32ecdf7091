"""Stubs: objects that look like a contract and turn calls into data.

A stub knows its target and a caller. Workflows and clients differ in the caller alone: what
happens when a method of the stub is called, or a signal sent to one of its channels.
"""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Protocol, TypeVar, cast

import attrs

from infinitic_common._contracts.channels import ChannelContract
from infinitic_common.channels import Channel, type_names
from infinitic_common.contracts import Contract, MethodContract
from infinitic_common.deferred import Deferred
from infinitic_common.exceptions import (
    InvalidChannelUsage,
    InvalidStub,
)

T = TypeVar("T")

# --- targets -------------------------------------------------------------------------------------


@attrs.frozen
class NewService:
    """Each call is a new task."""

    contract: Contract
    tags: frozenset[str] = frozenset()
    meta: Mapping[str, bytes] = attrs.field(factory=dict[str, bytes])

    def __str__(self) -> str:
        return f"service {self.contract.name}"


@attrs.frozen
class NewWorkflow:
    """Each call starts a workflow."""

    contract: Contract
    tags: frozenset[str] = frozenset()
    meta: Mapping[str, bytes] = attrs.field(factory=dict[str, bytes])

    def __str__(self) -> str:
        return f"new workflow {self.contract.name}"


@attrs.frozen
class WorkflowById:
    """A running workflow."""

    contract: Contract
    workflow_id: str

    def __str__(self) -> str:
        return f"workflow {self.contract.name} with id {self.workflow_id!r}"


@attrs.frozen
class WorkflowByTag:
    """Every running workflow that has a tag."""

    contract: Contract
    tag: str

    def __str__(self) -> str:
        return f"workflows {self.contract.name} with tag {self.tag!r}"


StubTarget = NewService | NewWorkflow | WorkflowById | WorkflowByTag

# --- calls ---------------------------------------------------------------------------------------


@attrs.frozen
class MethodCall:
    """A call of a method of a stub, with its arguments encoded."""

    target: StubTarget
    method: MethodContract
    arguments: tuple[bytes, ...]

    def __str__(self) -> str:
        return f"{self.target}, method {self.method.python_name}"


@attrs.frozen
class SignalCall:
    """A signal for a channel of a stub, encoded."""

    target: WorkflowById | WorkflowByTag
    channel: ChannelContract
    value: bytes
    value_types: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.target}, channel {self.channel.name}"


class Caller(Protocol):
    """Does what is asked of the methods and channels of a stub."""

    def call(self, call: MethodCall) -> object:
        """What ``stub.method(…)`` does and gives."""
        ...

    def send(self, call: SignalCall) -> None:
        """What ``stub.channel.send(…)`` does."""
        ...


# --- stubs ---------------------------------------------------------------------------------------


class Stub:
    """Stands for a contract; its attributes are the methods and channels of that contract."""

    __infinitic_stub__: ClassVar[bool] = True
    _infinitic_target: StubTarget
    _infinitic_caller: Caller

    def __init__(self, target: StubTarget, caller: Caller) -> None:
        vars(self).update(_infinitic_target=target, _infinitic_caller=caller)

    def __getattr__(self, name: str) -> object:
        if name.startswith("_"):
            raise AttributeError(name, name=name, obj=self)
        made = _member(self._infinitic_target, self._infinitic_caller, name)
        vars(self)[name] = made
        return made

    def __setattr__(self, name: str, value: object) -> None:
        msg = (
            f"'{name}' of the stub of {self._infinitic_target} cannot be set: a stub only calls "
            "and sends; give the value as an argument of a method, or send it to a channel"
        )
        raise AttributeError(msg, name=name, obj=self)

    def __repr__(self) -> str:
        return f"<stub of {self._infinitic_target}>"


class StubMethod:
    """A method of a stub."""

    __slots__ = ("_caller", "_method", "_target")
    __infinitic_stub__: ClassVar[bool] = True

    def __init__(self, target: StubTarget, caller: Caller, method: MethodContract) -> None:
        self._target = target
        self._caller = caller
        self._method = method

    def __call__(self, *args: object, **kwargs: object) -> object:
        """What the caller of the stub makes of the call."""
        return self._caller.call(self.bind(args, kwargs))

    def bind(self, args: Sequence[object], kwargs: Mapping[str, object]) -> MethodCall:
        """The call with these arguments."""
        return MethodCall(self._target, self._method, self._method.encode_arguments(args, kwargs))

    def __repr__(self) -> str:
        return f"<method {self._method.python_name} of {self._target}>"


class StubChannel(Channel[T]):
    """A channel of a stub: others send to it."""

    __infinitic_stub__: ClassVar[bool] = True

    def __init__(self, target: StubTarget, caller: Caller, contract: ChannelContract) -> None:
        super().__init__()
        self._target = target
        self._caller = caller
        self._contract = contract

    def send(self, value: T) -> None:
        """See ``Channel``."""
        self._caller.send(self.bind(value))

    def bind(self, value: object) -> SignalCall:
        """The sending of this value.

        Raises:
            InvalidChannelUsage: The stub starts workflows, and names no running one.
        """
        contract = self._own()
        if isinstance(self._target, NewService | NewWorkflow):
            msg = (
                f"channel '{contract.name}' of {self._target}: signals go to running workflows, "
                "send to a stub from get_workflow_by_id or get_workflow_by_tag"
            )
            raise InvalidChannelUsage(msg)
        data = contract.codec.encode(value)
        return SignalCall(self._target, contract, data, type_names(value))

    def receive(self, *_: object, **__: object) -> Deferred[Any]:
        """Only the workflow itself receives.

        Raises:
            InvalidChannelUsage: Always.
        """
        msg = f"channel of {self._target}: only the workflow itself receives from its channels"
        raise InvalidChannelUsage(msg)

    def __repr__(self) -> str:
        return f"<channel {self._own().name} of {self._target}>"


def _member(target: StubTarget, caller: Caller, name: str) -> StubMethod | StubChannel[Any]:
    contract = target.contract
    if (method := contract.methods.get(name)) is not None:
        return StubMethod(target, caller, method)
    if (channel := contract.channels.get(name)) is not None:
        return StubChannel[Any](target, caller, channel)
    names = ", ".join([*contract.methods, *contract.channels]) or "nothing"
    msg = f"contract {contract.cls.__name__} has no method and no channel '{name}'; it has {names}"
    raise AttributeError(msg)


def is_stub_call(method: object) -> bool:
    """Whether ``call_of`` takes it."""
    return isinstance(method, StubMethod) or _sends_to(method) is not None


def _sends_to(method: object) -> StubChannel[object] | None:
    owner = cast("object", getattr(method, "__self__", None))
    sends = isinstance(owner, StubChannel) and getattr(method, "__name__", "") == "send"
    return cast("StubChannel[object]", owner) if sends else None


def call_of(
    method: object, args: Sequence[object], kwargs: Mapping[str, object]
) -> MethodCall | SignalCall:
    """The call that ``dispatch(stub.method, …)`` or ``dispatch(stub.channel.send, …)`` means.

    Raises:
        InvalidStub: The method is that of no stub.
        InvalidArguments: The arguments do not fit its parameters.
        SerializationError: An argument is not of the type of its parameter.
    """
    if isinstance(method, StubMethod):
        return method.bind(args, kwargs)
    owner = _sends_to(method)
    if owner is not None:
        return owner.bind(*args, **kwargs)
    msg = (
        f"{method!r} is no method of a stub: give a method, not its result, of what new_service, "
        "new_workflow, get_workflow_by_id or get_workflow_by_tag return"
    )
    raise InvalidStub(msg)


def target_of(stub: object) -> StubTarget:
    """What a stub stands for.

    Raises:
        InvalidStub: It is no stub.
    """
    if not isinstance(stub, Stub):
        msg = f"{stub!r} is no stub: make one with get_workflow_by_id or get_workflow_by_tag"
        raise InvalidStub(msg)
    return stub._infinitic_target  # noqa: SLF001  # pyright: ignore[reportPrivateUsage]
