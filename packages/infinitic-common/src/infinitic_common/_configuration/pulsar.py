"""The options of the Pulsar transport."""

from collections.abc import Iterable, Mapping
from typing import Annotated, Literal, Self

from attrs import evolve, field, frozen

from infinitic_common._configuration.checks import Above, AtLeast, BeginsWith, Matches, NotBlank
from infinitic_common._configuration.nodes import Block, Node
from infinitic_common._configuration.problems import Problem
from infinitic_common._configuration.pulsar_authentication import (
    PulsarAuthentication,
    TlsAuthentication,
)
from infinitic_common._configuration.reading import At, entry_place
from infinitic_common._configuration.setting import masked
from infinitic_common._configuration.settings import Settings, read_settings

Name = Annotated[
    str,
    NotBlank(),
    Matches(r"[-=:.A-Za-z0-9_]+", "of letters, digits and - = : . _ only, as Pulsar's names"),
]
Text = Annotated[str, NotBlank()]
Seconds = Annotated[float, Above(0)]
Count = Annotated[int, Above(0)]
Limit = Annotated[int, AtLeast(0)]


@frozen(kw_only=True)
class PulsarPolicies(Settings):
    """The policies that the namespace is created with.

    Attributes:
        retention_time_minutes: How long acknowledged messages are kept; -1 for ever.
        retention_size_mb: How much of them is kept, in MB; -1 for all.
        message_ttl_seconds: After how long an unacknowledged message is given up.
        timer_ttl_seconds: The same for delayed messages.
        delayed_delivery_tick_time_millis: Precision of delays; shorter costs the broker more.
        max_delivery_delay_in_millis: Longest delay; 0 for no limit.
        schema_compatibility_strategy: How schemas may evolve.
        allow_auto_topic_creation: Whether topics appear on first use.
        schema_validation_enforced: Whether a producer must have a schema.
        is_allow_auto_update_schema: Whether producers may register new schemas.
        deduplication_enabled: Whether the broker drops what a producer repeats. Nothing here needs
            it: every message has an id that its reader knows. It cannot be combined with
            ``orderedSubscription: keyShared``, where it drops messages that are no repetition.
    """

    retention_time_minutes: Annotated[int, AtLeast(-1)] = 10_080
    retention_size_mb: Annotated[int, AtLeast(-1)] = field(
        default=1024, metadata={"key": "retentionSizeMB"}
    )
    message_ttl_seconds: Limit = field(default=1_209_600, metadata={"key": "messageTTLSeconds"})
    timer_ttl_seconds: Limit = field(default=31_622_400, metadata={"key": "timerTTLSeconds"})
    delayed_delivery_tick_time_millis: Count = 100
    max_delivery_delay_in_millis: Limit = 0
    schema_compatibility_strategy: Text = "BACKWARD_TRANSITIVE"
    allow_auto_topic_creation: bool = False
    schema_validation_enforced: bool = True
    is_allow_auto_update_schema: bool = True
    deduplication_enabled: bool = False


@frozen(kw_only=True)
class PulsarProducerConfiguration(Settings):
    """How messages are sent; None leaves a setting to the client library.

    Keys that only other client libraries know are accepted, so that a file can be shared.

    Attributes:
        enable_chunking: Whether messages of more than 5 MB are sent, in chunks. Nothing is sent in
            batches then, which costs throughput.
    """

    auto_update_partitions: bool | None = None
    auto_update_partitions_interval_seconds: Seconds | None = None
    batching_max_bytes: Count | None = None
    batching_max_messages: Count | None = None
    batching_max_publish_delay_seconds: Seconds | None = None
    block_if_queue_full: bool = True
    compression_type: Literal["NONE", "LZ4", "ZLIB", "ZSTD", "SNAPPY"] | None = None
    crypto_failure_action: Text | None = None
    default_crypto_key_reader: Text | None = None
    encryption_key: Text | None = None
    enable_batching: bool | None = None
    enable_chunking: bool | None = None
    enable_lazy_start_partitioned_producers: bool | None = None
    enable_multi_schema: bool | None = None
    hashing_scheme: Text | None = None
    message_routing_mode: Text | None = None
    properties: Mapping[str, object] | None = None
    round_robin_router_batching_partition_switch_frequency: Count | None = None
    send_timeout_seconds: Annotated[float, AtLeast(0)] | None = None


@frozen(kw_only=True)
class PulsarConsumerConfiguration(Settings):
    """How messages are received; None leaves a setting to the client library.

    Attributes:
        max_redeliver_count: Attempts before a message goes to the dead-letter topic.
    """

    load_conf: Mapping[str, object] | None = None
    subscription_properties: Mapping[str, object] | None = None
    ack_timeout_seconds: Seconds | None = None
    is_ack_receipt_enabled: bool | None = None
    ack_timeout_tick_time_seconds: Seconds | None = None
    negative_ack_redelivery_delay_seconds: Annotated[float, AtLeast(0)] | None = None
    default_crypto_key_reader: Text | None = None
    crypto_failure_action: Text | None = None
    receiver_queue_size: Limit | None = None
    acknowledgment_group_time_seconds: Annotated[float, AtLeast(0)] | None = None
    replicate_subscription_state: bool | None = None
    max_total_receiver_queue_size_across_partitions: Count | None = None
    priority_level: Limit | None = None
    properties: Mapping[str, object] | None = None
    auto_update_partitions: bool | None = None
    auto_update_partitions_interval_seconds: Seconds | None = None
    enable_batch_index_acknowledgment: bool | None = None
    max_pending_chunked_message: Count | None = None
    auto_ack_oldest_chunked_message_on_queue_full: bool | None = None
    expire_time_of_incomplete_chunked_message_seconds: Seconds | None = None
    start_paused: bool | None = None
    max_redeliver_count: Count = 3


@frozen(kw_only=True)
class PulsarClientConfiguration(Settings):
    """How the broker is reached; None leaves a setting to the client library."""

    listener_name: Text | None = None
    connection_max_idle_seconds: Limit | None = None
    operation_timeout_seconds: Seconds | None = None
    lookup_timeout_seconds: Seconds | None = None
    io_threads: Count | None = None
    listener_threads: Count | None = None
    connections_per_broker: Limit | None = None
    enable_tcp_no_delay: bool | None = None
    tls_key_file_path: Text | None = None
    tls_certificate_file_path: Text | None = None
    tls_trust_certs_file_path: Text | None = None
    allow_tls_insecure_connection: bool | None = None
    enable_tls_hostname_verification: bool | None = None
    use_key_store_tls: bool | None = None
    ssl_provider: Text | None = None
    tls_key_store_type: Text | None = None
    tls_key_store_path: Text | None = None
    tls_key_store_password: str | None = field(default=None, repr=masked)
    tls_trust_store_type: Text | None = None
    tls_trust_store_path: Text | None = None
    tls_trust_store_password: str | None = field(default=None, repr=masked)
    tls_ciphers: tuple[str, ...] | None = None
    tls_protocols: tuple[str, ...] | None = None
    memory_limit_mb: Limit | None = field(default=None, metadata={"key": "memoryLimitMB"})
    stats_interval_seconds: Limit | None = None
    max_concurrent_lookup_requests: Count | None = None
    max_lookup_requests: Count | None = None
    max_lookup_redirects: Count | None = None
    max_number_of_rejected_request_per_connection: Count | None = None
    keep_alive_interval_seconds: Seconds | None = None
    connection_timeout_seconds: Seconds | None = None
    starting_backoff_interval_seconds: Seconds | None = None
    max_backoff_interval_seconds: Seconds | None = None
    enable_busy_wait: bool | None = None
    enable_transaction: bool | None = None
    socks5_proxy_username: Text | None = None
    socks5_proxy_password: str | None = field(default=None, repr=masked)
    read_timeout_seconds: Seconds | None = None
    request_timeout_seconds: Seconds | None = None
    auto_cert_refresh_time: Seconds | None = None


@frozen(kw_only=True)
class PulsarConfiguration(Settings):
    """A Pulsar cluster and the place in it.

    Attributes:
        broker_service_url: ``pulsar://`` or ``pulsar+ssl://`` address of the broker.
        web_service_url: ``http://`` or ``https://`` address of its administration.
        tenant: Tenant, created if missing.
        namespace: Namespace, created if missing.
        allowed_clusters: Clusters of a created tenant; None for all.
        admin_roles: Roles that administer a created tenant.
        partitions: Partitions of each ordered topic, hence most processes that share one.
        ordered_subscription: How order by key is kept: one consumer per partition (``failover``),
            or keys spread over all consumers (``keyShared``).
        authentication: How to authenticate, to the broker and its administration.
        policies: Policies of a created namespace.
        client: How the broker is reached.
        producer: How messages are sent.
        consumer: How messages are received.
    """

    broker_service_url: Annotated[str, BeginsWith(("pulsar://", "pulsar+ssl://"))]
    web_service_url: Annotated[str, BeginsWith(("http://", "https://"))]
    tenant: Name
    namespace: Name
    allowed_clusters: tuple[Text, ...] | None = None
    admin_roles: tuple[Text, ...] | None = None
    partitions: Count = 8
    ordered_subscription: Literal["failover", "keyShared"] = "failover"
    authentication: PulsarAuthentication | None = None
    policies: PulsarPolicies = field(factory=PulsarPolicies)
    client: PulsarClientConfiguration = field(factory=PulsarClientConfiguration)
    producer: PulsarProducerConfiguration = field(factory=PulsarProducerConfiguration)
    consumer: PulsarConsumerConfiguration = field(factory=PulsarConsumerConfiguration)

    def conflicts(self) -> Iterable[Problem]:
        """See ``Settings``."""
        if isinstance(self.authentication, TlsAuthentication):
            yield from self._without_tls()
        if self.ordered_subscription == "keyShared" and self.policies.deduplication_enabled:
            what = "must be false with `orderedSubscription: keyShared`: it would lose messages"
            yield Problem("policies.deduplicationEnabled", what)
        if self.producer.enable_chunking and self.producer.enable_batching:
            what = "must not be true with `enableChunking`: a message is in chunks or in a batch"
            yield Problem("producer.enableBatching", what)

    def _without_tls(self) -> Iterable[Problem]:
        for key, url, scheme in (
            ("brokerServiceUrl", self.broker_service_url, "pulsar+ssl://"),
            ("webServiceUrl", self.web_service_url, "https://"),
        ):
            if not url.startswith(scheme):
                what = f"must begin with {scheme} for a certificate to authenticate, is '{url}'"
                yield Problem(key, what)

    @classmethod
    def from_node(cls, node: Node, at: At) -> Self:
        """See ``Readable``; ``client.authentication``, where the original has it, is accepted."""
        return read_settings(cls, _with_authentication(at.block(node), at), at)


def _with_authentication(block: Block, at: At) -> Block:
    client = block.entries.get("client")
    if client is None or not isinstance(client.node, Block):
        return block
    authentication = client.node.entries.get("authentication")
    if authentication is None:
        return block
    if "authentication" in block.entries:
        place = entry_place(authentication, entry_place(client, at))
        place.refuse("is given here and outside `client`", "keep one")
    rest = {k: entry for k, entry in client.node.entries.items() if k != "authentication"}
    cleaned = Block(rest, client.node.mark)
    moved = {"client": evolve(client, node=cleaned), "authentication": authentication}
    return Block({**block.entries, **moved}, block.mark)
