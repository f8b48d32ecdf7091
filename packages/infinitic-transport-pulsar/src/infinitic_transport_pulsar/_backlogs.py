"""What waits in topics, as the administration of Pulsar counts it."""

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from typing import cast

from infinitic_common.exceptions import TransportError
from infinitic_common.transport import Backlog, TopicKind
from infinitic_transport_pulsar._admin import Admin, Answer
from infinitic_transport_pulsar._names import PARTITION, parse, parse_dead_letters, rest_path

_AT_ONCE = 8

_Stats = Mapping[str, Mapping[str, Mapping[str, int]]]
_PartitionStats = Mapping[str, Mapping[str, Mapping[str, Mapping[str, object]]]]


async def backlogs_of(admin: Admin, names: Sequence[str]) -> list[Backlog]:
    """What waits in topics, by subscription; without responses to clients, whose topics are many.

    Args:
        admin: Asks.
        names: Full names of topics; partitions of one may be among them.

    Raises:
        TransportUnavailable: The administration cannot be reached now.
        TransportError: This process may not ask for statistics.
    """
    room = asyncio.Semaphore(_AT_ONCE)
    partitioned = {name.partition(PARTITION)[0] for name in names if PARTITION in name}

    async def one(name: str) -> list[Backlog]:
        async with room:
            return await _backlogs(
                admin, name, "partitioned-stats" if name in partitioned else "stats"
            )

    wanted = sorted({name.partition(PARTITION)[0] for name in names})
    found = await asyncio.gather(*(one(name) for name in wanted if _is_counted(name)))
    return [backlog for some in found for backlog in some]


async def waits_for(admin: Admin, name: str, subscription: str, consumer: str) -> bool:
    """Whether messages wait in partitions that a consumer of an ordered subscription reads.

    False also when this process may not know.

    Args:
        admin: Asks.
        name: Full name of a partitioned topic.
        subscription: Of which at most one consumer reads a partition.
        consumer: The name of one.

    Raises:
        TransportUnavailable: The administration cannot be reached now.
    """
    reply = await admin.get(f"{rest_path(name)}/partitioned-stats?perPartition=true")
    stats = cast("Mapping[str, _PartitionStats] | None", reply.body) or {}
    found = [
        partition.get("subscriptions", {}).get(subscription, {})
        for partition in stats.get("partitions", {}).values()
    ]
    return any(one.get("activeConsumerName") == consumer and one.get("msgBacklog") for one in found)


def _is_counted(name: str) -> bool:
    topic = parse(name) or parse_dead_letters(name)
    return topic is not None and topic.kind is not TopicKind.CLIENT_RESPONSE


async def _backlogs(admin: Admin, name: str, statistics: str) -> list[Backlog]:
    reply = await admin.get(f"{rest_path(name)}/{statistics}")
    if reply.answer is Answer.REFUSED:
        msg = (
            f"no right to the statistics of {name}: {reply.reason}; grant it, or do without depths"
        )
        raise TransportError(msg)
    # A topic may have gone since it was listed.
    return list(_read(name, cast("_Stats | None", reply.body) or {}))


def _read(name: str, stats: _Stats) -> Iterator[Backlog]:
    main, dead = parse(name), parse_dead_letters(name)
    topic = main or dead
    if topic is not None:
        for subscription, counts in stats.get("subscriptions", {}).items():
            messages = counts.get("msgBacklog", 0)
            yield Backlog(topic, name, subscription, messages, dead_letters=main is None)
