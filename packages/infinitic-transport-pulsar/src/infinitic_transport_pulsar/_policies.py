"""The policies of a namespace, in the words of the administration."""

from collections.abc import Mapping
from typing import cast

from infinitic_common.configuration import PulsarPolicies

Policies = Mapping[str, object]


def policies_of(policies: PulsarPolicies) -> Policies:
    """What a namespace is made with.

    The times to live are no policies of the namespace: work waits for its workers as long as it
    takes.
    """
    return {
        "retention_policies": {
            "retentionTimeInMinutes": policies.retention_time_minutes,
            "retentionSizeInMB": policies.retention_size_mb,
        },
        "autoTopicCreationOverride": _auto_creation(allowed=policies.allow_auto_topic_creation),
        "delayed_delivery_policies": {
            "active": True,
            "tickTime": policies.delayed_delivery_tick_time_millis,
            "maxDeliveryDelayInMillis": policies.max_delivery_delay_in_millis,
        },
        "deduplicationEnabled": policies.deduplication_enabled,
        "schema_compatibility_strategy": policies.schema_compatibility_strategy,
        "schema_validation_enforced": policies.schema_validation_enforced,
        "is_allow_auto_update_schema": policies.is_allow_auto_update_schema,
    }


def mismatches(policies: PulsarPolicies, existing: object) -> list[str]:
    """How the policies of an existing namespace differ, one sentence for each.

    Args:
        policies: What is configured.
        existing: What the administration tells of the namespace; None if it tells nothing.
    """
    if not isinstance(existing, Mapping):
        return []
    told = cast("Policies", existing)
    differences = {
        name: (wanted, told.get(name))
        for name, wanted in policies_of(policies).items()
        if told.get(name) is not None and not _same(wanted, told.get(name))
    }
    return [f"{name} {is_!r}, not {wanted!r}" for name, (wanted, is_) in differences.items()]


def _auto_creation(*, allowed: bool) -> Policies:
    if not allowed:
        return {"allowAutoTopicCreation": False}
    return {"allowAutoTopicCreation": True, "topicType": "non-partitioned"}


def _same(wanted: object, told: object) -> bool:
    if isinstance(wanted, Mapping) and isinstance(told, Mapping):
        wanted_items = cast("Policies", wanted).items()
        return all(cast("Policies", told).get(key) == value for key, value in wanted_items)
    return wanted == told
