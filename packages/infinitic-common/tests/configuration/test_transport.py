import pytest

from infinitic_common.configuration import (
    AthenzAuthentication,
    BasicAuthentication,
    ConfigurationError,
    InMemoryTransportConfiguration,
    OAuth2Authentication,
    PulsarConfiguration,
    PulsarPolicies,
    SaslAuthentication,
    TlsAuthentication,
    TokenAuthentication,
    TransportConfiguration,
    WorkerConfiguration,
    load_configuration,
    string_source,
)

PLACE = "brokerServiceUrl: 'pulsar://b', webServiceUrl: 'http://w', tenant: t, namespace: n"


def transport(text: str) -> TransportConfiguration:
    whole = f"transport:\n  {text}\n"
    loaded = load_configuration(WorkerConfiguration, string_source(whole), environ={})
    return loaded.transport


def pulsar(keys: str = "") -> PulsarConfiguration:
    options = transport(f"pulsar: {{{PLACE}, {keys}}}").options
    assert isinstance(options, PulsarConfiguration)
    return options


def refusal(text: str) -> str:
    with pytest.raises(ConfigurationError) as caught:
        transport(text)
    return str(caught.value)


@pytest.mark.parametrize("text", ["inMemory", "memory", "in-memory", "inMemory:", "inMemory: {}"])
def test_memory_is_recognised_as_a_word_and_as_a_block(text: str) -> None:
    assert transport(text) == TransportConfiguration(
        "inMemory", InMemoryTransportConfiguration(), shutdown_grace_period_seconds=5.0
    )


def test_pulsar_has_defaults() -> None:
    assert transport(f"pulsar: {{{PLACE}}}") == TransportConfiguration(
        "pulsar",
        PulsarConfiguration(
            broker_service_url="pulsar://b",
            web_service_url="http://w",
            tenant="t",
            namespace="n",
            partitions=8,
            ordered_subscription="failover",
            authentication=None,
            policies=PulsarPolicies(
                retention_time_minutes=10_080,
                retention_size_mb=1024,
                message_ttl_seconds=1_209_600,
                timer_ttl_seconds=31_622_400,
                deduplication_enabled=False,
            ),
        ),
        shutdown_grace_period_seconds=30.0,
    )
    assert pulsar().consumer.max_redeliver_count == 3
    assert pulsar().producer.block_if_queue_full is True


def test_values_of_pulsar_are_read() -> None:
    loaded = pulsar(
        "partitions: 16, orderedSubscription: key_shared, allowedClusters: [c], adminRoles: [r], "
        "policies: {retentionSizeMB: -1, messageTTLSeconds: 5}, client: {memoryLimitMB: 64}, "
        "producer: {compressionType: lz4, sendTimeoutSeconds: 0, properties: {a-b: 1}}, "
        "consumer: {receiverQueueSize: 0, maxRedeliverCount: 7}"
    )
    assert (loaded.partitions, loaded.ordered_subscription) == (16, "keyShared")
    assert (loaded.allowed_clusters, loaded.admin_roles) == (("c",), ("r",))
    assert (loaded.policies.retention_size_mb, loaded.policies.message_ttl_seconds) == (-1, 5)
    assert loaded.client.memory_limit_mb == 64
    assert loaded.producer.compression_type == "LZ4"
    assert loaded.producer.properties == {"a-b": 1}
    assert loaded.consumer.max_redeliver_count == 7


DEDUPLICATED = "{deduplicationEnabled: true}"


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("pulsar:", "transport.pulsar.brokerServiceUrl (text:2): is required"),
        (
            f"pulsar: {{{PLACE.replace('pulsar://', 'http://')}}}",
            "brokerServiceUrl (text:2): must begin with pulsar:// or pulsar+ssl://, is 'http://b'",
        ),
        (
            f"pulsar: {{{PLACE.replace('http://', '')}}}",
            "webServiceUrl (text:2): must begin with http:// or https://, is 'w'",
        ),
        (f"pulsar: {{{PLACE.replace('tenant: t', 'tenant: ')}}}", "pulsar.tenant (text:2): is req"),
        (
            f"pulsar: {{{PLACE.replace('tenant: t', 'tenant: a b')}}}",
            "pulsar.tenant (text:2): must be of letters, digits and - = : . _ only, as Pulsar's",
        ),
        (
            f"pulsar: {{{PLACE.replace('namespace: n', 'namespace: t/n')}}}",
            "pulsar.namespace (text:2): must be of letters, digits and - = : . _ only, as Pulsar's",
        ),
        (f"pulsar: {{{PLACE}, partitions: 0}}", "partitions (text:2): must be > 0, is 0"),
        (
            f"pulsar: {{{PLACE}, orderedSubscription: shared}}",
            "must be one of failover, keyShared, is 'shared'",
        ),
        (
            f"pulsar: {{{PLACE}, consumer: {{maxRedeliveryCount: 3}}}}",
            "pulsar.consumer.maxRedeliveryCount (text:2): unknown key; did you mean 'maxRedeliver",
        ),
        (
            f"pulsar: {{{PLACE}, orderedSubscription: keyShared, policies: {DEDUPLICATED}}}",
            "policies.deduplicationEnabled (text:2): must be false with `orderedSubscription: key",
        ),
        (
            f"pulsar: {{{PLACE}, producer: {{enableChunking: true, enableBatching: true}}}}",
            "producer.enableBatching (text:2): must not be true with `enableChunking`",
        ),
        (
            "pulsr: {}",
            "transport.pulsr (text:2): unknown transport 'pulsr'; did you mean 'pulsar'?",
        ),
        ("shutdownGracePeriodSeconds: 3", "names no transport; add one of inMemory, pulsar"),
        ("{inMemory: , shutdownGracePeriodSeconds: 0}", "must be > 0, is 0"),
        ("{inMemory: , shutdownGraceSeconds: 1}", "did you mean 'shutdownGracePeriodSeconds'?"),
        ("{inMemory: {x: 1}}", "transport.inMemory.x (text:2): unknown key"),
        ("kafka", "unknown transport 'kafka'; known are inMemory, pulsar"),
        ("", "transport (text:1): names no transport"),
        ("null", "transport (text:1): is required"),
    ],
)
def test_pulsar_13_a_wrong_transport_is_refused(text: str, complaint: str) -> None:
    assert complaint in refusal(text)


@pytest.mark.parametrize("key", ["brokerServiceUrl", "webServiceUrl", "tenant", "namespace"])
def test_pulsar_13_each_missing_key_is_named(key: str) -> None:
    rest = ", ".join(part for part in PLACE.split(", ") if not part.startswith(key))
    assert f"transport.pulsar.{key} (text:2): is required" in refusal(f"pulsar: {{{rest}}}")


def test_batches_without_chunks_and_chunks_without_batches_are_accepted() -> None:
    assert pulsar("producer: {enableBatching: true}").producer.enable_batching
    assert pulsar("producer: {enableChunking: true}").producer.enable_chunking


def test_a_missing_transport_is_told() -> None:
    with pytest.raises(ConfigurationError, match=r"transport .*: is required; add `transport:`"):
        load_configuration(WorkerConfiguration, string_source("name: x"), environ={})


@pytest.mark.parametrize(
    ("keys", "authentication"),
    [
        ("token: abc", TokenAuthentication(token="abc")),  # noqa: S106 - not a real one
        ("type: token, token: abc", TokenAuthentication(token="abc")),  # noqa: S106 - as above
        (
            "issuerUrl: i, privateKey: k, audience: a",
            OAuth2Authentication(issuer_url="i", private_key="k", audience="a"),
        ),
        (
            "issuerUrl: i, privateKey: k, scope: s",
            OAuth2Authentication(issuer_url="i", private_key="k", scope="s"),
        ),
        (
            "type: basic, username: u, password: p",
            BasicAuthentication(username="u", password="p"),  # noqa: S106 - as above
        ),
        (
            "username: u, password: p",
            BasicAuthentication(username="u", password="p"),  # noqa: S106 - as above
        ),
        (
            "type: athenz, tenantDomain: d, tenantService: s, providerDomain: p, privateKey: k",
            AthenzAuthentication(
                tenant_domain="d", tenant_service="s", provider_domain="p", private_key="k"
            ),
        ),
        (
            "type: SASL, tenantDomain: d, tenantService: s, providerDomain: p, privateKey: k, keyId: 1",
            SaslAuthentication(
                tenant_domain="d",
                tenant_service="s",
                provider_domain="p",
                private_key="k",
                key_id="1",
            ),
        ),
    ],
)
@pytest.mark.parametrize("place", ["authentication: {{{}}}", "client: {{authentication: {{{}}}}}"])
def test_an_authentication_is_chosen_by_type_or_by_its_keys(
    keys: str, authentication: object, place: str
) -> None:
    assert pulsar(place.format(keys)).authentication == authentication


@pytest.mark.parametrize(
    ("keys", "complaint"),
    [
        ("authentication: {}", "authentication (text:2): does not say how to authenticate"),
        (
            "authentication: {tenantDomain: d}",
            "add `type:` with one of token, basic, tls, oauth2, athenz",
        ),
        (
            "authentication: {type: tokn}",
            "unknown way to authenticate 'tokn'; did you mean 'token'",
        ),
        ("authentication: {type: token}", "authentication.token (text:2): is required"),
        ("authentication: {token: [a]}", "authentication.token (text:2): must be text, is a list"),
        (
            "authentication: {token: a}, client: {authentication: {token: a}}",
            "pulsar.client.authentication (text:2): is given here and outside `client`",
        ),
    ],
)
def test_a_wrong_authentication_is_refused(keys: str, complaint: str) -> None:
    assert complaint in refusal(f"pulsar: {{{PLACE}, {keys}}}")


SECURE = PLACE.replace("pulsar:", "pulsar+ssl:").replace("http:", "https:")
CERTIFICATE = "authentication: {type: tls, tlsCertificateFilePath: c, tlsKeyFilePath: k}"


def test_a_certificate_authenticates_over_tls() -> None:
    options = transport(f"pulsar: {{{SECURE}, {CERTIFICATE}}}").options
    assert isinstance(options, PulsarConfiguration)
    expected = TlsAuthentication(tls_certificate_file_path="c", tls_key_file_path="k")
    assert options.authentication == expected


def test_a_certificate_is_refused_where_nothing_would_show_it() -> None:
    refused = refusal(f"pulsar: {{{PLACE}, {CERTIFICATE}}}")
    assert "brokerServiceUrl (text:2): must begin with pulsar+ssl:// for a certificate" in refused
    assert "webServiceUrl (text:2): must begin with https:// for a certificate" in refused


def test_pulsar_without_options_is_refused_by_hand() -> None:
    with pytest.raises(ConfigurationError, match="options: must be a PulsarConfiguration"):
        TransportConfiguration("pulsar")
