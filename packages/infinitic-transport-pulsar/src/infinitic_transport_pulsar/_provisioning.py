"""Makes tenant, namespace, topics and subscriptions, whoever comes first."""

import asyncio
import logging
from collections.abc import Mapping, Sequence
from typing import cast
from urllib.parse import quote

from infinitic_common.configuration import PulsarConfiguration
from infinitic_common.events import EVENT_KINDS
from infinitic_common.exceptions import TransportError, TransportUnavailable
from infinitic_common.transport import ORDERED_KINDS, Backlog, Topic, TopicKind
from infinitic_transport_pulsar._admin import Admin, Answer, Reply
from infinitic_transport_pulsar._backlogs import backlogs_of, waits_for
from infinitic_transport_pulsar._expiry import EXPIRING_KINDS, Expiry, losses
from infinitic_transport_pulsar._names import (
    PARTITION,
    TopicNames,
    dead_letters_subscription,
    main_subscription,
    rest_path,
)
from infinitic_transport_pulsar._once import Once
from infinitic_transport_pulsar._policies import Policies, mismatches, policies_of

_LOGGER = logging.getLogger(__name__)

_UNORDERED_PARTITIONS = 4
_EARLIEST = {"ledgerId": -1, "entryId": -1, "partitionIndex": -1}


class Provisioning:
    """Sees to it that what is about to be used exists.

    Everything is idempotent, done once per process, and may be done by many processes at a time.
    What this process has no right to make must exist: what does not is told all at once. Where it
    may not even look, a warning tells what is taken to exist.

    Args:
        configuration: The place in the cluster, and what it is made with.
        admin: The administration.
        names: The names of topics.
    """

    def __init__(self, configuration: PulsarConfiguration, admin: Admin, names: TopicNames) -> None:
        self._configuration = configuration
        self._admin = admin
        self._names = names
        self._once = Once()
        self._assumed: set[Topic] = set()
        self._expiry = Expiry(configuration.policies, admin)

    @property
    def _namespace_path(self) -> str:
        return f"{quote(self._names.tenant, safe='')}/{quote(self._names.namespace, safe='')}"

    async def topic(self, topic: Topic) -> None:
        """Make a topic, before it is consumed."""
        await self._once.do(f"topic {topic}", lambda: self._make_topic(topic))

    async def topic_with_subscription(self, topic: Topic) -> None:
        """Make a topic and its main subscription, before it is published to."""
        await self._once.do(f"subscription {topic}", lambda: self._make_main_subscription(topic))

    async def keep_for_ever(self, topic: Topic) -> None:
        """Make a topic of delayed messages that keeps them longer than configured."""
        await self.topic_with_subscription(topic)
        full = self._names.of(topic)
        await self._once.do(f"for ever {topic}", lambda: self._expiry.keep_for_ever(full))

    async def dead_letters(self, topic: Topic) -> None:
        """Make the topic that dead letters go to, with the subscription that keeps them."""
        await self._once.do(f"dead letters {topic}", lambda: self._make_dead_letters(topic))

    def forget(self, topic: Topic) -> None:
        """Make a topic again when it is next used: it does not exist any more."""
        for name in (
            "namespace",
            f"topic {topic}",
            f"subscription {topic}",
            f"dead letters {topic}",
        ):
            self._once.forget(name)

    def remedy(self, topic: Topic) -> str:
        """What to do about a topic that is gone although it was seen to."""
        if topic not in self._assumed:
            return "it is made again at the next try"
        what = self._described(topic)
        if topic.kind is TopicKind.CLIENT_RESPONSE:
            return (
                "this client has no right to make the topic of its answers: set "
                f"allowAutoTopicCreation in its namespace, or give it a fixed name and make {what}"
            )
        return (
            f"this process has no right to make it, nor to look what else is missing: make {what}"
        )

    async def exists(self, topic: Topic) -> bool:
        """Whether a topic exists; True when only the attempt to use it would tell."""
        path = f"{rest_path(self._names.of(topic))}/subscriptions"
        return (await self._admin.get(path)).answer is not Answer.MISSING

    async def remove(self, topic: Topic) -> bool:
        """Remove a topic with its subscriptions; whether that was done."""
        self.forget(topic)
        path = f"{rest_path(self._names.of(topic))}?force=true"
        return (await self._admin.delete(path)).answer is not Answer.REFUSED

    async def topics(self) -> list[str]:
        """The full names of all topics of the namespace; none when there is no such namespace."""
        base = f"persistent/{self._namespace_path}"
        replies = [await self._admin.get(path) for path in (f"{base}/partitioned", base)]
        return [name for reply in replies for name in cast("list[str] | None", reply.body) or ()]

    async def readers(self, topic: Topic, subscription: str) -> int:
        """How many processes read a partitioned topic under that subscription."""
        path = rest_path(f"{self._names.of(topic)}{PARTITION}0")
        stats = cast(
            "dict[str, dict[str, dict[str, list[object]]]] | None",
            (await self._admin.get(f"{path}/stats")).body,
        )
        return len(
            (stats or {}).get("subscriptions", {}).get(subscription, {}).get("consumers", ())
        )

    async def waits_for(self, topic: Topic, subscription: str, consumer: str) -> bool:
        """Whether messages of an ordered topic wait for that consumer."""
        return await waits_for(self._admin, self._names.of(topic), subscription, consumer)

    async def backlogs(self) -> Sequence[Backlog]:
        """What waits in the topics of the namespace, by subscription."""
        return await backlogs_of(self._admin, await self.topics())

    async def close(self) -> None:
        """Give up what is going on, and disconnect."""
        await self._once.cancel()
        await self._admin.close()

    # --- tenant and namespace --------------------------------------------------------------

    async def _namespace(self) -> None:
        await self._once.do("namespace", self._make_namespace)

    async def _make_namespace(self) -> None:
        path = f"namespaces/{self._namespace_path}"
        reply = await self._admin.get(path)
        if reply.answer is Answer.MISSING:
            await self._make_tenant()
            policies = policies_of(self._configuration.policies)
            reply = await self._admin.put(path, policies)
            if reply.answer is Answer.DONE:
                return
            reply = await self._admin.get(path) if reply.answer is Answer.EXISTS else reply
            if reply.answer is Answer.REFUSED:
                raise TransportUnavailable(self._missing([self._namespace_path], reply))
        if reply.answer is Answer.REFUSED:
            self._go_on_without(f"namespace {self._namespace_path}", reply)
        elif reply.answer is Answer.MISSING:
            self._fail(f"namespace {self._namespace_path} cannot be made", reply)
        self._look_at(reply.body)

    def _look_at(self, existing: object) -> None:
        """Tell what is not as it should be in a namespace that somebody else has made."""
        self._refuse_deduplication(existing)
        if found := losses(existing):
            msg = f"namespace {self._namespace_path} loses work, by its {' and '.join(found)}"
            raise TransportUnavailable(msg)
        for difference in mismatches(self._configuration.policies, existing):
            _LOGGER.warning("namespace %s exists with %s", self._namespace_path, difference)

    def _refuse_deduplication(self, existing: object) -> None:
        # What is stored by key is stored out of the order in which it was sent, which the broker
        # takes for repetition.
        by_key = self._configuration.ordered_subscription == "keyShared"
        policies: Policies = {}
        if isinstance(existing, Mapping):
            policies = cast("Policies", existing)
        if by_key and policies.get("deduplicationEnabled"):
            msg = (
                f"namespace {self._namespace_path} has deduplicationEnabled, which loses messages "
                "with `orderedSubscription: keyShared`: turn it off there, or use failover"
            )
            raise TransportError(msg)

    async def _make_tenant(self) -> None:
        tenant = self._names.tenant
        path = f"tenants/{quote(tenant, safe='')}"
        if (await self._admin.get(path)).answer is Answer.DONE:
            return
        clusters = self._configuration.allowed_clusters or await self._clusters()
        roles = self._configuration.admin_roles or ()
        reply = await self._admin.put(
            path, {"adminRoles": list(roles), "allowedClusters": list(clusters)}
        )
        if reply.answer is Answer.REFUSED:
            self._go_on_without(f"tenant {tenant}", reply)

    async def _clusters(self) -> Sequence[str]:
        return cast("list[str] | None", (await self._admin.get("clusters")).body) or ()

    # --- topics ----------------------------------------------------------------------------

    async def _make_topic(self, topic: Topic) -> None:
        await self._namespace()
        partitions = partitions_of(topic.kind, self._configuration.partitions)
        full = self._names.of(topic)
        path = rest_path(full)
        made = await self._put_below_namespace(
            *((path, None) if partitions is None else (f"{path}/partitions", partitions))
        )
        if made.answer is Answer.REFUSED:
            await self._expect(topic, made)
        elif topic.kind not in EXPIRING_KINDS:
            await self._expiry.keep(full, topic.kind, made=made.answer is Answer.DONE)
        elif made.answer is Answer.DONE:
            await self._expiry.let_expire(full, topic.kind)

    async def _expect(self, topic: Topic, refusal: Reply) -> None:
        """Go on with a topic that this process may not make, if it exists."""
        if topic.kind is TopicKind.CLIENT_RESPONSE:
            # Nobody makes the topics of clients beforehand; the namespace may do it at first use.
            self._assumed.add(topic)
            return
        answer = await self._answer_for(topic)
        if answer is Answer.REFUSED:
            self._assumed.add(topic)
            self._go_on_without(f"topic {topic}", refusal)
        elif answer is Answer.MISSING:
            # Whoever makes it wants to know at once what else will be needed.
            relatives = [Topic(kind, topic.entity) for kind in relatives_of(topic.kind)]
            answers = await asyncio.gather(*map(self._answer_for, relatives))
            missing = [
                self._described(each)
                for each, found in zip(relatives, answers, strict=True)
                if found is Answer.MISSING
            ]
            raise TransportUnavailable(self._missing(missing, refusal))

    async def _answer_for(self, topic: Topic) -> Answer:
        path = f"{rest_path(self._names.of(topic))}/subscriptions"
        return (await self._admin.get(path)).answer

    def _described(self, topic: Topic) -> str:
        partitions = partitions_of(topic.kind, self._configuration.partitions)
        text = f"{self._names.of(topic)} with {partitions or 'no'} partitions"
        if topic.kind in EVENT_KINDS:
            return text
        return f"{text} and subscription {main_subscription(topic.kind)}"

    async def _make_main_subscription(self, topic: Topic) -> None:
        await self.topic(topic)
        if topic.kind not in EVENT_KINDS:
            full = self._names.of(topic)
            await self._make_subscription(full, main_subscription(topic.kind))

    async def _make_dead_letters(self, topic: Topic) -> None:
        await self._namespace()
        full = self._names.dead_letters_of(topic)
        made = await self._put_below_namespace(rest_path(full))
        if made.answer is Answer.REFUSED:
            self._go_on_without(f"dead letters {full}", made)
        else:
            await self._expiry.keep(full, TopicKind.SERVICE_EXECUTOR)
        await self._make_subscription(full, dead_letters_subscription(topic.kind))

    async def _make_subscription(self, full: str, name: str) -> None:
        path = f"{rest_path(full)}/subscription/{quote(name, safe='')}"
        reply = await self._put_below_namespace(path, _EARLIEST)
        if reply.answer is not Answer.REFUSED:
            return
        existing = await self._admin.get(f"{rest_path(full)}/subscriptions")
        if existing.answer is not Answer.DONE:
            self._go_on_without(f"subscription {name} of {full}", reply)
        elif name not in (cast("list[str] | None", existing.body) or ()):
            raise TransportUnavailable(self._missing([f"subscription {name} of {full}"], reply))

    async def _put_below_namespace(self, path: str, body: object = None) -> Reply:
        """Make something in the namespace, which may have gone, or not be seen yet."""
        reply = await self._admin.put(path, body)
        for wait in (0.05, 0.2, 0.8):
            if reply.answer is not Answer.MISSING:
                return reply
            self._once.forget("namespace")
            await asyncio.sleep(wait)
            await self._namespace()
            reply = await self._admin.put(path, body)
        if reply.answer is Answer.MISSING:
            self._fail(f"{path} cannot be made", reply)
        return reply

    @staticmethod
    def _missing(what: Sequence[str], refusal: Reply) -> str:
        reason = f" ({refusal.reason})" if refusal.reason else ""
        listed = "".join(f"\n  - {each}" for each in what)
        return (
            f"Pulsar lacks what this process has no right to make{reason}; make it, or let the "
            f"process administer the namespace:{listed}"
        )

    @staticmethod
    def _go_on_without(what: str, reply: Reply) -> None:
        _LOGGER.warning("no right to make %s, which is taken to exist: %s", what, reply.reason)

    @staticmethod
    def _fail(what: str, reply: Reply) -> None:
        msg = f"{what} on Pulsar: {reply.reason}"
        raise TransportUnavailable(msg)


def partitions_of(kind: TopicKind, ordered: int) -> int | None:
    """How many partitions topics of a kind are made with; None for none.

    Args:
        kind: The kind.
        ordered: How many those with order have.
    """
    if kind is TopicKind.CLIENT_RESPONSE:
        return None
    return ordered if kind in ORDERED_KINDS else min(ordered, _UNORDERED_PARTITIONS)


def relatives_of(kind: TopicKind) -> list[TopicKind]:
    """All kinds of topics that a service or a workflow with a topic of that kind may have."""
    family = kind.value.partition("-")[0]
    return [each for each in TopicKind if each.value.partition("-")[0] == family]
