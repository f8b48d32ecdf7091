import logging
from typing import Literal

import attrs
import pytest

from infinitic_common.configuration import (
    PulsarClientConfiguration,
    PulsarConfiguration,
    PulsarConsumerConfiguration,
    PulsarProducerConfiguration,
    SaslAuthentication,
    TokenAuthentication,
)
from infinitic_common.exceptions import TransportError
from infinitic_common.transport import DELAYED_KINDS, Subscription, Topic, TopicKind
from infinitic_transport_pulsar._native import (
    client_options,
    consumer_options,
    enum_member,
    producer_options,
)
from infinitic_transport_pulsar._settings import (
    client_settings,
    consumer_settings,
    producer_settings,
    receive_batch,
    warn_of_what_has_no_effect,
)

ENGINE = Topic(TopicKind.WORKFLOW_STATE_ENGINE, "W")
TASKS = Topic(TopicKind.SERVICE_EXECUTOR, "S")
ORDERED = Subscription((ENGINE,), "engine", ordered=True)
UNORDERED = Subscription((TASKS,), "service", max_in_flight_messages=10)


@pytest.fixture
def configuration() -> PulsarConfiguration:
    return PulsarConfiguration(
        broker_service_url="pulsar://broker:6650",
        web_service_url="http://broker:8080",
        tenant="tenant",
        namespace="namespace",
    )


def test_client_options_are_converted_to_the_units_of_the_library(
    configuration: PulsarConfiguration,
) -> None:
    client = PulsarClientConfiguration(
        operation_timeout_seconds=1.6,
        connection_timeout_seconds=1.5,
        listener_threads=2,
        io_threads=3,
        enable_tls_hostname_verification=True,
    )
    options = dict(client_settings(attrs.evolve(configuration, client=client)))
    assert options["operation_timeout_seconds"] == 2
    assert options["connection_timeout"] == 1500
    assert (options["io_threads"], options["message_listener_threads"]) == (3, 2)
    assert options["tls_validate_hostname"] is True


def test_tls_trusts_the_usual_authorities_unless_told(configuration: PulsarConfiguration) -> None:
    secure = attrs.evolve(configuration, broker_service_url="pulsar+ssl://broker:6651")
    own = PulsarClientConfiguration(tls_trust_certs_file_path="own.pem")
    assert str(dict(client_settings(secure))["tls_trust_certs_file_path"]).endswith(".pem")
    told = dict(client_settings(attrs.evolve(secure, client=own)))
    assert told["tls_trust_certs_file_path"] == "own.pem"


def test_a_token_authenticates(configuration: PulsarConfiguration) -> None:
    authentication = TokenAuthentication(token="t")  # noqa: S106 - not a real one
    settings = client_settings(attrs.evolve(configuration, authentication=authentication))
    assert "authentication" in dict(settings)
    client_options(settings)


def test_sasl_is_refused_with_what_to_use_instead(configuration: PulsarConfiguration) -> None:
    sasl = SaslAuthentication(
        tenant_domain="d", tenant_service="s", provider_domain="p", private_key="k"
    )
    with pytest.raises(TransportError, match="token, basic, tls, oauth2 or athenz"):
        client_settings(attrs.evolve(configuration, authentication=sasl))


def test_producer_options_are_converted_to_the_units_of_the_library(
    configuration: PulsarConfiguration,
) -> None:
    producer = PulsarProducerConfiguration(
        batching_max_publish_delay_seconds=0.005,
        batching_max_messages=200,
        batching_max_bytes=1000,
        compression_type="ZLIB",
        send_timeout_seconds=2.5,
        properties={"a": 1},
    )
    configuration = attrs.evolve(configuration, producer=producer)
    settings = producer_settings(configuration, TopicKind.WORKFLOW_STATE_ENGINE)
    options = dict(settings)
    assert options["batching_max_publish_delay_ms"] == 5
    assert options["batching_max_messages"] == 200
    assert options["batching_max_allowed_size_in_bytes"] == 1000
    assert options["compression_type"] == enum_member("CompressionType", "ZLib")
    assert options["send_timeout_millis"] == 2500
    assert options["property"] == ("a", "1")
    producer_options(settings)


def test_sending_never_blocks_the_event_loop(configuration: PulsarConfiguration) -> None:
    options = dict(producer_settings(configuration, TopicKind.SERVICE_EXECUTOR))
    assert options["block_if_queue_full"] is False


def test_unordered_messages_are_stored_in_small_batches_so_that_work_spreads(
    configuration: PulsarConfiguration,
) -> None:
    options = dict(producer_settings(configuration, TopicKind.SERVICE_EXECUTOR))
    assert options["batching_max_messages"] == 16


@pytest.mark.parametrize("kind", DELAYED_KINDS)
def test_delayed_messages_never_overtake_a_batch(
    configuration: PulsarConfiguration, kind: TopicKind
) -> None:
    producer = PulsarProducerConfiguration(enable_batching=True)
    configuration = attrs.evolve(configuration, producer=producer)
    assert dict(producer_settings(configuration, kind))["batching_enabled"] is False


@pytest.mark.parametrize(
    ("way", "type_", "by_key"), [("failover", "Failover", False), ("keyShared", "KeyShared", True)]
)
def test_ordered_topics_are_shared_as_configured(
    configuration: PulsarConfiguration,
    way: Literal["failover", "keyShared"],
    type_: str,
    *,
    by_key: bool,
) -> None:
    configuration = attrs.evolve(configuration, ordered_subscription=way)
    consumer = dict(consumer_settings(configuration, ORDERED, "me", 8))
    producer = dict(producer_settings(configuration, TopicKind.WORKFLOW_STATE_ENGINE))
    assert consumer["consumer_type"] == enum_member("ConsumerType", type_)
    assert ("batching_type" in producer) is by_key


def test_pulsar_11_consumer_options_are_converted_to_the_units_of_the_library(
    configuration: PulsarConfiguration,
) -> None:
    consumer = PulsarConsumerConfiguration(
        ack_timeout_seconds=10.5,
        negative_ack_redelivery_delay_seconds=0.5,
        receiver_queue_size=7,
        replicate_subscription_state=True,
        enable_batch_index_acknowledgment=False,
        properties={"a": 1},
    )
    configuration = attrs.evolve(configuration, consumer=consumer)
    settings = consumer_settings(configuration, UNORDERED, "me", 4)
    options = dict(settings)
    assert options["unacked_messages_timeout_ms"] == 10_500
    assert options["negative_ack_redelivery_delay_ms"] == 500
    assert options["receiver_queue_size"] == 7
    assert options["replicate_subscription_state_enabled"] is True
    assert options["batch_index_ack_enabled"] is False
    assert options["property"] == ("a", "1")
    consumer_options(settings)


def test_pulsar_11_consumers_begin_at_the_earliest_message(
    configuration: PulsarConfiguration,
) -> None:
    options = dict(consumer_settings(configuration, UNORDERED, "me", 4))
    assert options["consumer_type"] == enum_member("ConsumerType", "Shared")
    assert options["subscription_initial_position"] == enum_member("InitialPosition", "Earliest")
    assert options["batch_index_ack_enabled"] is True


def test_what_is_ordered_is_never_given_back_because_it_takes_long(
    configuration: PulsarConfiguration,
) -> None:
    consumer = PulsarConsumerConfiguration(ack_timeout_seconds=10)
    configuration = attrs.evolve(configuration, consumer=consumer)
    options = dict(consumer_settings(configuration, ORDERED, "me", 8))
    assert "unacked_messages_timeout_ms" not in options


@pytest.mark.parametrize(
    ("in_flight", "partitions", "each"), [(10, 4, 5), (1, 4, 1), (1000, 8, 250)]
)
def test_a_process_holds_about_twice_what_it_has_in_flight(
    configuration: PulsarConfiguration, in_flight: int, partitions: int, each: int
) -> None:
    subscription = attrs.evolve(UNORDERED, max_in_flight_messages=in_flight)
    options = dict(consumer_settings(configuration, subscription, "me", partitions))
    assert options["receiver_queue_size"] == each


@pytest.mark.parametrize(("in_flight", "batch"), [(1, 1), (10, 5), (10_000, 500)])
def test_what_is_received_at_once_fits_in_flight(in_flight: int, batch: int) -> None:
    assert receive_batch(attrs.evolve(UNORDERED, max_in_flight_messages=in_flight)) == batch


def test_options_of_other_client_libraries_are_named_in_a_warning(
    configuration: PulsarConfiguration, caplog: pytest.LogCaptureFixture
) -> None:
    client = PulsarClientConfiguration(enable_busy_wait=True, io_threads=2)
    with caplog.at_level(logging.WARNING):
        warn_of_what_has_no_effect(attrs.evolve(configuration, client=client))
    assert caplog.messages == ["pulsar client option enable_busy_wait has no effect in Python"]
