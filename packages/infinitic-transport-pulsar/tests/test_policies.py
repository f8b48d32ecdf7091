from infinitic_common.configuration import PulsarPolicies
from infinitic_transport_pulsar._policies import mismatches, policies_of


def test_a_namespace_is_made_with_the_configured_policies() -> None:
    policies = policies_of(PulsarPolicies(retention_time_minutes=5, deduplication_enabled=True))
    assert policies["retention_policies"] == {
        "retentionTimeInMinutes": 5,
        "retentionSizeInMB": 1024,
    }
    assert policies["deduplicationEnabled"] is True
    assert policies["autoTopicCreationOverride"] == {"allowAutoTopicCreation": False}


def test_work_never_expires() -> None:
    assert "message_ttl_in_seconds" not in policies_of(PulsarPolicies(message_ttl_seconds=5))


def test_a_namespace_with_the_configured_policies_has_no_mismatch() -> None:
    existing = {**policies_of(PulsarPolicies()), "replication_clusters": ["standalone"]}
    assert mismatches(PulsarPolicies(), existing) == []


def test_each_difference_tells_what_is_and_what_was_wanted() -> None:
    existing = policies_of(PulsarPolicies(deduplication_enabled=True))
    assert mismatches(PulsarPolicies(), existing) == ["deduplicationEnabled True, not False"]


def test_what_the_administration_does_not_tell_is_no_mismatch() -> None:
    assert mismatches(PulsarPolicies(), None) == []
