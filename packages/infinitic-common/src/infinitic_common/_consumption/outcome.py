"""What becomes of each message of a batch after its handler answered or raised."""

import logging
from collections.abc import Sequence
from typing import Generic

import attrs

from infinitic_common._consumption.delivery import Delivery, T
from infinitic_common._consumption.lanes import Batch, Lane
from infinitic_common.transport import ReceivedMessage, Subscription

_LOGGER = logging.getLogger(__name__)


@attrs.frozen(eq=False)
class Burial(Generic[T]):
    """A message on its way to the dead-letter topic; its lane is held until it is there."""

    lane: Lane[T]
    delivery: Delivery[T]
    reason: str


@attrs.define(eq=False)
class Outcome(Generic[T]):
    """The verdict on a batch.

    Attributes:
        settled: To acknowledge.
        freed: Lanes with nothing to try again.
        parked: Lanes that wait before they go on, and how often their first message failed.
        burials: Messages to dead-letter.
    """

    settled: list[Delivery[T]] = attrs.field(factory=list["Delivery[T]"])
    freed: list[Lane[T]] = attrs.field(factory=list["Lane[T]"])
    parked: list[tuple[Lane[T], int]] = attrs.field(factory=list["tuple[Lane[T], int]"])
    burials: list[Burial[T]] = attrs.field(factory=list["Burial[T]"])

    def give_back(self, lane: Lane[T], back: list[Delivery[T]], reason: str, limit: int) -> None:
        """Count a failure of the first one, and queue it and all later ones again."""
        first, *later = back
        failures = first.message.delivery_count
        if failures >= limit:
            lane.put_back(later)
            lane.taken = [first]
            self.burials.append(Burial(lane, first, reason))
        else:
            first.count_failure()
            lane.put_back(back)
            self.parked.append((lane, failures))


def judge(
    batch: Batch[T],
    answer: Sequence[ReceivedMessage] | BaseException,
    subscription: Subscription,
) -> Outcome[T]:
    """What becomes of a batch whose handler answered these messages, or raised.

    The lanes of the batch are left as the outcome says, but not freed.
    """
    limit = subscription.max_delivery_count
    if not isinstance(answer, BaseException):
        known = {id(delivery.message) for delivery in batch.deliveries}
        if all(id(message) in known for message in answer):
            return _after_answer(batch, answer, limit)
        answer = ValueError(
            f"the handler of {subscription.name} answered messages that are not of its batch: "
            "answer the very objects it was given"
        )
    _LOGGER.warning(
        "%s failed to handle %d messages, the first of which is %s",
        subscription.name,
        len(batch.deliveries),
        batch.deliveries[0].message.id,
        exc_info=answer,
    )
    return _after_error(batch, answer, limit)


def _after_answer(
    batch: Batch[T], again: Sequence[ReceivedMessage], max_delivery_count: int
) -> Outcome[T]:
    """The handler answered these messages to try again, all of which are of the batch."""
    outcome: Outcome[T] = Outcome()
    given_back = {id(message) for message in again}
    for lane in batch.lanes:
        keep = 0
        while keep < len(lane.taken) and id(lane.taken[keep].message) not in given_back:
            keep += 1
        outcome.settled += lane.taken[:keep]
        back = lane.taken[keep:]
        if back:
            reason = f"given back {max_delivery_count} times by the handler"
            outcome.give_back(lane, back, reason, max_delivery_count)
        else:
            outcome.freed.append(lane)
    return outcome


def _after_error(batch: Batch[T], error: BaseException, max_delivery_count: int) -> Outcome[T]:
    """The handler raised."""
    outcome: Outcome[T] = Outcome()
    if len(batch.deliveries) == 1:
        # Those that arrive meanwhile must not share its next failure.
        batch.deliveries[0].alone = True
        reason = f"{type(error).__name__}: {error}"
        outcome.give_back(batch.lanes[0], batch.deliveries, reason, max_delivery_count)
        return outcome
    for lane in batch.lanes:
        failures = lane.taken[0].message.delivery_count
        for delivery in lane.taken:
            delivery.alone = True
            delivery.count_failure()
        lane.put_back(lane.taken)
        outcome.parked.append((lane, failures))
    return outcome
