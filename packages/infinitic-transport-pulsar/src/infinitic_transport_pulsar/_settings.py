"""From the configuration to the options of pulsar-client."""

import logging
from collections.abc import Callable, Mapping
from typing import cast

import attrs
import certifi

from infinitic_common.configuration import (
    PulsarConfiguration,
    PulsarConsumerConfiguration,
)
from infinitic_common.transport import DELAYED_KINDS, ORDERED_KINDS, Subscription, TopicKind
from infinitic_transport_pulsar._credentials import native_authentication
from infinitic_transport_pulsar._native import Options, batch_receive_policy, enum_member

_LOGGER = logging.getLogger(__name__)

SEND_TIMEOUT_SECONDS = 30.0
"""How long a message waits for a broker that went away, unless configured."""

UNORDERED_BATCH = 16
"""Messages of an unordered topic stored together, and so read by one process."""

RECEIVE_BATCH = 500
"""The most messages handed over by the client library at once."""

_MOST_PREFETCHED = 4000
_RECEIVE_MILLIS = 1
_BATCH_DELAY_MILLIS = 0
"""What is published in one turn of the event loop is stored together anyway; waiting longer only
delays it: measured, the same throughput, and 1.2 ms less from one process to the next."""

Convert = Callable[[object], object]
Table = Mapping[str, tuple[str, Convert]]
"""For each field of a configuration: the option of the client library, and its value there."""


def _same(value: object) -> object:
    return value


def _millis(value: object) -> object:
    return round(1000 * cast("float", value))


def _whole(value: object) -> object:
    return max(1, round(cast("float", value)))


def _compression(value: object) -> object:
    return enum_member("CompressionType", {"ZLIB": "ZLib"}.get(str(value), str(value)))


_CLIENT: Table = {
    "listener_name": ("listener_name", _same),
    "operation_timeout_seconds": ("operation_timeout_seconds", _whole),
    "io_threads": ("io_threads", _same),
    "listener_threads": ("message_listener_threads", _same),
    "max_concurrent_lookup_requests": ("concurrent_lookup_requests", _same),
    "connection_timeout_seconds": ("connection_timeout", _millis),
    "tls_key_file_path": ("tls_private_key_file_path", _same),
    "tls_certificate_file_path": ("tls_certificate_file_path", _same),
    "tls_trust_certs_file_path": ("tls_trust_certs_file_path", _same),
    "allow_tls_insecure_connection": ("tls_allow_insecure_connection", _same),
    "enable_tls_hostname_verification": ("tls_validate_hostname", _same),
    "stats_interval_seconds": ("stats_interval_in_seconds", _same),
}
_PRODUCER: Table = {
    "batching_max_bytes": ("batching_max_allowed_size_in_bytes", _same),
    "batching_max_messages": ("batching_max_messages", _same),
    "batching_max_publish_delay_seconds": ("batching_max_publish_delay_ms", _millis),
    "compression_type": ("compression_type", _compression),
    "enable_batching": ("batching_enabled", _same),
    "enable_chunking": ("chunking_enabled", _same),
    "send_timeout_seconds": ("send_timeout_millis", _millis),
}
_CONSUMER: Table = {
    "negative_ack_redelivery_delay_seconds": ("negative_ack_redelivery_delay_ms", _millis),
    "replicate_subscription_state": ("replicate_subscription_state_enabled", _same),
    "enable_batch_index_acknowledgment": ("batch_index_ack_enabled", _same),
    "max_pending_chunked_message": ("max_pending_chunked_message", _same),
    "auto_ack_oldest_chunked_message_on_queue_full": (
        "auto_ack_oldest_chunked_message_on_queue_full",
        _same,
    ),
}
_ELSEWHERE = frozenset(
    {
        "ack_timeout_seconds",
        "block_if_queue_full",
        "max_redeliver_count",
        "max_total_receiver_queue_size_across_partitions",
        "properties",
        "read_timeout_seconds",
        "receiver_queue_size",
        "request_timeout_seconds",
    }
)
"""Fields that are used, but not by a table."""


def client_settings(configuration: PulsarConfiguration) -> Options:
    """The options of the client.

    Raises:
        TransportError: The client library does not know that way to authenticate.
    """
    options: dict[str, object] = {
        # The client library logs by itself: from Python its threads would need the GIL.
        "set_console_logger": enum_member("LoggerLevel", "Warn"),
        "stats_interval_in_seconds": 0,
    }
    if configuration.broker_service_url.startswith("pulsar+ssl"):
        options["tls_trust_certs_file_path"] = certifi.where()
        # The client library would believe any certificate of a known authority, whoever has it.
        options["tls_validate_hostname"] = True
    if configuration.authentication is not None:
        options["authentication"] = native_authentication(configuration.authentication)
    return tuple({**options, **_by_table(_CLIENT, configuration.client)}.items())


def producer_settings(configuration: PulsarConfiguration, kind: TopicKind) -> Options:
    """The options of a producer for a kind of topic."""
    ordered = kind in ORDERED_KINDS
    options: dict[str, object] = {
        "send_timeout_millis": _millis(SEND_TIMEOUT_SECONDS),
        "batching_enabled": True,
        "batching_max_publish_delay_ms": _BATCH_DELAY_MILLIS,
        # What may be under way is bounded before the client library sees it: blocking here would
        # block the event loop.
        "block_if_queue_full": False,
        "max_pending_messages": 0,
        "max_pending_messages_across_partitions": 0,
    }
    options |= _by_table(_PRODUCER, configuration.producer)
    if configuration.producer.enable_chunking:
        options["batching_enabled"] = False  # The client library does one or the other.
    if kind in DELAYED_KINDS:
        # The client library sends what is delayed past a batch that is being filled. The broker,
        # which counts what a producer sends, takes the batch for a repetition and drops it.
        options["batching_enabled"] = False
        # Chunks that become due one by one may go to different consumers, which drop them.
        options.pop("chunking_enabled", None)
    if not ordered:
        most = cast("int", options.get("batching_max_messages", UNORDERED_BATCH))
        options["batching_max_messages"] = min(most, UNORDERED_BATCH)
    elif stores_by_key(configuration, kind):
        options["batching_type"] = enum_member("BatchingType", "KeyBased")
    return (*options.items(), *_properties(configuration.producer.properties))


def stores_by_key(configuration: PulsarConfiguration, kind: TopicKind) -> bool:
    """Whether messages stored together must have the same key, so that they can be shared by it."""
    return kind in ORDERED_KINDS and configuration.ordered_subscription == "keyShared"


def consumer_settings(
    configuration: PulsarConfiguration, subscription: Subscription, consumer: str, partitions: int
) -> Options:
    """The options of a consumer.

    Args:
        configuration: The configuration.
        subscription: What it consumes for.
        consumer: Its name; the same on all topics of a process, and of no other process.
        partitions: How many partitions it reads.
    """
    settings = configuration.consumer
    options: dict[str, object] = {
        "consumer_type": enum_member("ConsumerType", consumer_type(configuration, subscription)),
        "consumer_name": consumer,
        "subscription_initial_position": enum_member("InitialPosition", "Earliest"),
        "batch_index_ack_enabled": True,
        # A message whose parts were dropped for want of room would not come again before the
        # consumer does.
        "max_pending_chunked_message": 0,
    }
    options |= _by_table(_CONSUMER, settings)
    options |= _prefetched(settings, subscription.max_in_flight_messages, partitions)
    batch = receive_batch(subscription)
    queue = cast("int", options["receiver_queue_size"])
    policy = batch_receive_policy(min(batch, queue), -1, _RECEIVE_MILLIS)
    options["batch_receive_policy"] = policy
    if settings.ack_timeout_seconds is not None and not subscription.ordered:
        options["unacked_messages_timeout_ms"] = _millis(settings.ack_timeout_seconds)
    return (*options.items(), *_properties(settings.properties))


def consumer_type(configuration: PulsarConfiguration, subscription: Subscription) -> str:
    """The client library's name for how processes share a subscription."""
    if not subscription.ordered:
        return "Shared"
    return "KeyShared" if configuration.ordered_subscription == "keyShared" else "Failover"


def receive_batch(subscription: Subscription) -> int:
    """How many messages to take from the client library at once: never more than there is room."""
    return max(1, min(RECEIVE_BATCH, subscription.max_in_flight_messages // 2))


def warn_of_what_has_no_effect(configuration: PulsarConfiguration) -> None:
    """Tell which configured options only other client libraries know."""
    for name, settings, table in (
        ("client", configuration.client, _CLIENT),
        ("producer", configuration.producer, _PRODUCER),
        ("consumer", configuration.consumer, _CONSUMER),
    ):
        set_ = {field for field, value in _fields(settings).items() if value is not None}
        for field in sorted(set_ - set(table) - _ELSEWHERE):
            _LOGGER.warning("pulsar %s option %s has no effect in Python", name, field)


def _prefetched(
    settings: PulsarConsumerConfiguration, in_flight: int, partitions: int
) -> dict[str, object]:
    # Twice what is in flight keeps a process busy; more would be work that others could do.
    total = settings.max_total_receiver_queue_size_across_partitions
    if total is None:
        total = min(2 * in_flight, _MOST_PREFETCHED)
    each = settings.receiver_queue_size
    if each is None:
        each = -(-total // partitions)
    # The client library wants room for one, and cannot read several partitions without.
    each = max(1, each)
    return {
        "receiver_queue_size": each,
        "max_total_receiver_queue_size_across_partitions": max(total, each * partitions),
    }


def _by_table(table: Table, settings: attrs.AttrsInstance) -> dict[str, object]:
    values = _fields(settings)
    return {
        option: convert(values[field])
        for field, (option, convert) in table.items()
        if values[field] is not None
    }


def _fields(settings: attrs.AttrsInstance) -> dict[str, object]:
    return attrs.asdict(settings, recurse=False)


def _properties(properties: Mapping[str, object] | None) -> Options:
    return tuple(("property", (key, str(value))) for key, value in (properties or {}).items())
