"""How long messages may wait: work for ever, events and answers for a while."""

import asyncio
import logging
from collections.abc import Awaitable, Mapping
from typing import cast

from infinitic_common.configuration import PulsarPolicies
from infinitic_common.events import EVENT_KINDS
from infinitic_common.exceptions import TransportError, TransportUnavailable
from infinitic_common.transport import DELAYED_KINDS, TopicKind
from infinitic_transport_pulsar._admin import Admin, Answer, Reply
from infinitic_transport_pulsar._names import rest_path

_LOGGER = logging.getLogger(__name__)

EXPIRING_KINDS = EVENT_KINDS | {TopicKind.CLIENT_RESPONSE}
"""Kinds whose messages are of no use for ever."""

_WHEN_CLIENT_IS_GONE = {
    "inactiveTopicDeleteMode": "delete_when_subscriptions_caught_up",
    "maxInactiveDurationSeconds": 86_400,
    "deleteWhileInactive": True,
}
"""A client that ended without a word leaves its topic, which goes a day after its last answer."""

_LOSES_BACKLOG = "consumer_backlog_eviction"


class Expiry:
    """Bounds what nobody reads, and keeps others from bounding what is work.

    Args:
        policies: How long messages of which kind may wait.
        admin: The administration.
    """

    def __init__(self, policies: PulsarPolicies, admin: Admin) -> None:
        self._policies = policies
        self._admin = admin

    async def let_expire(self, full: str, kind: TopicKind) -> None:
        """Bound a topic of answers or events, just made."""
        path, seconds = rest_path(full), self._policies.message_ttl_seconds
        settings: list[Awaitable[Reply]] = []
        if seconds:
            settings.append(self._admin.post(f"{path}/messageTTL?messageTTL={seconds}"))
        if kind is TopicKind.CLIENT_RESPONSE:
            settings.append(self._admin.post(f"{path}/inactiveTopicPolicies", _WHEN_CLIENT_IS_GONE))
        for reply in await asyncio.gather(*settings):
            if reply.answer is not Answer.DONE:
                _LOGGER.warning("topic %s stays when nobody reads it: %s", full, reply.reason)

    async def keep(self, full: str, kind: TopicKind, *, made: bool = False) -> None:
        """See to it that a topic of work keeps its messages, whatever the namespace says.

        Args:
            full: Its full name.
            kind: Its kind.
            made: Whether it was made just now; of others no time to live is shortened.

        Raises:
            TransportUnavailable: They would be lost, and that cannot be changed from here.
        """
        wanted = self._policies.timer_ttl_seconds if kind in DELAYED_KINDS else 0
        reply = await self._admin.get(f"{rest_path(full)}/messageTTL?applied=true")
        if reply.answer is not Answer.DONE:
            return  # Who may not see it may not change it; the namespace's warning tells so.
        applied = cast("int | None", reply.body) or 0
        too_short = applied > 0 and (not wanted or applied < wanted)
        if applied == wanted or not (too_short or made):
            return
        reason = await self._set(full, wanted)
        if not too_short:
            return
        if reason is not None:
            _refuse(full, applied, reason)
        _LOGGER.warning(
            "messages of %s would have been lost after %d s, by a time to live of the namespace "
            "or the broker; the topic has its own now: %d s (0 is for ever)",
            *(full, applied, wanted),
        )

    async def keep_for_ever(self, full: str) -> None:
        """Lift the bound of a topic, before a message that is due later than it.

        Raises:
            TransportUnavailable: That cannot be changed from here.
        """
        reason = await self._set(full, 0)
        if reason is not None:
            _refuse(full, self._policies.timer_ttl_seconds, reason)
        _LOGGER.warning("%s keeps messages for ever: one is due after timerTTLSeconds", full)

    async def _set(self, full: str, seconds: int) -> str | None:
        """Give a topic a time to live of its own; answers why that cannot be."""
        try:
            reply = await self._admin.post(f"{rest_path(full)}/messageTTL?messageTTL={seconds}")
        except TransportError as error:  # Brokers may be told to have no policies of topics.
            return str(error)
        return None if reply.answer is Answer.DONE else reply.reason or "no right to"


def losses(policies: object) -> list[str]:
    """How a namespace loses work that waits, one sentence for each.

    Args:
        policies: What the administration tells of it; None if it tells nothing.
    """
    told: Mapping[str, object] = {}
    if isinstance(policies, Mapping):
        told = cast("Mapping[str, object]", policies)
    quotas = cast("Mapping[str, Mapping[str, object]] | None", told.get("backlog_quota_map")) or {}
    found = [
        f"backlog quota {name} with policy {_LOSES_BACKLOG}, which drops the oldest work when much "
        "of it waits: use producer_request_hold or producer_exception"
        for name, quota in quotas.items()
        if quota.get("policy") == _LOSES_BACKLOG and _is_bounded(quota)
    ]
    minutes = told.get("subscription_expiration_time_minutes")
    if isinstance(minutes, int) and minutes > 0:
        found.append(
            f"subscription expiration after {minutes} minutes, which drops all work of a topic "
            "when no worker runs for so long: set it to 0"
        )
    return found


def _is_bounded(quota: Mapping[str, object]) -> bool:
    limits = (quota.get(name) for name in ("limit", "limitSize", "limitTime"))
    return any(isinstance(limit, int) and limit > 0 for limit in limits)


def _refuse(full: str, seconds: int, reason: str) -> None:
    msg = (
        f"messages of {full} would be lost after {seconds} s, by a time to live of the namespace "
        f"or the broker, and the topic cannot be given its own ({reason}): remove messageTTL from "
        "the namespace and ttlDurationDefaultInSeconds from the broker, or set topicLevelPolicies"
        "Enabled=true there and let this process administer the namespace"
    )
    raise TransportUnavailable(msg)
