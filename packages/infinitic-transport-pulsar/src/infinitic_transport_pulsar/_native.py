"""The one place that touches pulsar-client: what is used of it, with types.

pulsar-client has no types, and its Python layer wraps each message in two objects. These protocols
describe the compiled module beneath, ``_pulsar``, which is what that layer itself uses.

Only calls that release the GIL before they take a lock of the client library may be made: others
(``Producer.flush_async`` for one) wait for a lock that a thread of the library holds while it waits
for the GIL. What is declared here was checked; see ``decisions/native-calls.md``.
"""

import importlib
from collections.abc import Callable, Mapping, Sequence
from typing import Protocol, Self, cast


class NativeMessageId(Protocol):
    """Where a message is stored."""


class NativeMessage(Protocol):
    """A message as received, or ready to be sent."""

    def data(self) -> bytes: ...
    def properties(self) -> dict[str, str]: ...
    def partition_key(self) -> str: ...
    def publish_timestamp(self) -> int: ...
    def message_id(self) -> NativeMessageId: ...


class NativeMessageBuilder(Protocol):
    """Makes messages to send."""

    def content(self, data: bytes, /) -> Self: ...
    def properties(self, properties: Mapping[str, str], /) -> Self: ...
    def partition_key(self, key: str, /) -> Self: ...
    def event_timestamp(self, millis: int, /) -> Self: ...
    def deliver_at(self, millis: int, /) -> Self: ...
    def build(self) -> NativeMessage: ...


class NativeResult(Protocol):
    """How a request ended."""

    @property
    def name(self) -> str: ...
    def __int__(self) -> int: ...


class NativeProducer(Protocol):
    """Sends to one topic or partition."""

    def send_async(
        self, message: NativeMessage, callback: Callable[[NativeResult, NativeMessageId], None], /
    ) -> None: ...
    def is_connected(self) -> bool: ...
    def close(self) -> None: ...


class NativeConsumer(Protocol):
    """Receives from one topic, or from all its partitions."""

    def receive(self) -> NativeMessage: ...
    def batch_receive(self) -> list[NativeMessage]: ...
    def acknowledge(self, message: NativeMessage, /) -> None: ...
    def is_connected(self) -> bool: ...
    def close(self) -> None: ...
    def unsubscribe(self) -> None: ...


class NativeAuthentication(Protocol):
    """How the client library authenticates."""


class NativeOptions(Protocol):
    """Options of a client, producer or consumer: each is set by a method of its name."""


class NativeClient(Protocol):
    """The connections of a process."""

    def create_producer(self, topic: str, options: NativeOptions, /) -> NativeProducer: ...
    def subscribe(self, topic: str, name: str, options: NativeOptions, /) -> NativeConsumer: ...
    def get_topic_partitions(self, topic: str, /) -> list[str]: ...
    def close(self) -> None: ...


Options = Sequence[tuple[str, object]]
"""Options by the name of the method that sets each; where there may be several, the name repeats."""


class _Enum(Protocol):
    def __getattr__(self, member: str, /) -> object: ...


class _AuthenticationFactory(Protocol):
    def create(self, *parameters: str) -> NativeAuthentication: ...


class _Module(Protocol):
    PulsarException: type[Exception]
    MessageBuilder: Callable[[], NativeMessageBuilder]
    Client: Callable[[str, NativeOptions], NativeClient]
    ClientConfiguration: Callable[[], NativeOptions]
    ProducerConfiguration: Callable[[], NativeOptions]
    ConsumerConfiguration: Callable[[], NativeOptions]
    BatchReceivePolicy: Callable[[int, int, int], object]
    AuthenticationToken: _AuthenticationFactory
    AuthenticationBasic: _AuthenticationFactory
    AuthenticationTLS: _AuthenticationFactory
    AuthenticationOauth2: _AuthenticationFactory
    AuthenticationAthenz: _AuthenticationFactory
    CompressionType: _Enum
    ConsumerType: _Enum
    InitialPosition: _Enum
    BatchingType: _Enum
    LoggerLevel: _Enum


_pulsar = cast("_Module", importlib.import_module("_pulsar"))

PulsarException = _pulsar.PulsarException
new_message = _pulsar.MessageBuilder
batch_receive_policy = _pulsar.BatchReceivePolicy
token_authentication = _pulsar.AuthenticationToken.create
basic_authentication = _pulsar.AuthenticationBasic.create
tls_authentication = _pulsar.AuthenticationTLS.create
oauth2_authentication = _pulsar.AuthenticationOauth2.create
athenz_authentication = _pulsar.AuthenticationAthenz.create

OK = 0
"""The number of the result that is a success."""


def enum_member(enum: str, member: str) -> object:
    """A member of one of the client library's enumerations, as ``ConsumerType``, ``Shared``."""
    return cast("object", getattr(getattr(_pulsar, enum), member))


def client_options(options: Options) -> NativeOptions:
    """Options of a client."""
    return _filled(_pulsar.ClientConfiguration(), options)


def producer_options(options: Options) -> NativeOptions:
    """Options of a producer."""
    return _filled(_pulsar.ProducerConfiguration(), options)


def consumer_options(options: Options) -> NativeOptions:
    """Options of a consumer."""
    return _filled(_pulsar.ConsumerConfiguration(), options)


def new_client(url: str, options: NativeOptions) -> NativeClient:
    """A client; it connects when first used."""
    return _pulsar.Client(url, options)


def _filled(native: NativeOptions, options: Options) -> NativeOptions:
    for name, value in options:
        arguments = cast("tuple[object, ...]", value) if isinstance(value, tuple) else (value,)
        cast("Callable[..., object]", getattr(native, name))(*arguments)
    return native
