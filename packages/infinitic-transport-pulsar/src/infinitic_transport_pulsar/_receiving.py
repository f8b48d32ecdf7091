"""Receiving from one topic, in a thread."""

import logging
import threading
from collections.abc import Callable

from infinitic_common._consumption import Delivery
from infinitic_common.transport import ReceivedMessage, Topic
from infinitic_transport_pulsar._at_exit import AT_EXIT, Close
from infinitic_transport_pulsar._native import (
    NativeConsumer,
    NativeMessage,
    PulsarException,
)
from infinitic_transport_pulsar._sending import ID_PROPERTY

_LOGGER = logging.getLogger(__name__)


class Receipt:
    """What settles a message: the message of the client library, and the consumer that has it."""

    __slots__ = ("_consumer", "_message")

    def __init__(self, consumer: NativeConsumer, message: NativeMessage) -> None:
        self._consumer = consumer
        self._message = message

    def acknowledge(self) -> None:
        """Tell the broker, a little later and together with others.

        A consumer that was closed meanwhile tells nothing: the message comes again, to another.
        """
        try:
            self._consumer.acknowledge(self._message)
        except PulsarException as error:
            _LOGGER.debug("a message could not be acknowledged: %s", type(error).__name__)


PulsarDelivery = Delivery[Receipt]


class Room:
    """How many messages the event loop wants, as threads see it."""

    def __init__(self) -> None:
        self._condition = threading.Condition()
        self._room = 0
        self._underway = 0
        self._closed = False

    def wait_for(self, count: int) -> bool:
        """Wait until that many are wanted; False once nothing is wanted any more."""
        with self._condition:
            self._condition.wait_for(lambda: self._closed or self._room - self._underway >= count)
            return not self._closed

    def has(self, count: int) -> bool:
        """Whether that many are wanted now."""
        return not self._closed and self._room - self._underway >= count

    def depart(self, count: int) -> None:
        """That many are on their way to the event loop."""
        with self._condition:
            self._underway += count

    def arrive(self, count: int) -> None:
        """That many have arrived there."""
        with self._condition:
            self._underway -= count

    def tell(self, room: int) -> None:
        """So many more are wanted, beyond those that have arrived."""
        with self._condition:
            self._room = room
            self._condition.notify_all()

    def close(self) -> None:
        """Nothing is wanted any more."""
        with self._condition:
            self._closed = True
            self._condition.notify_all()


class Receiver:
    """Takes messages of a topic from the client library, as fast as there is room for them.

    An idle topic is waited on without a time limit, so that it costs nothing and a lone message is
    handed over at once; while messages keep coming they are taken in batches, one hand-over each.

    Args:
        topic: What is received.
        consumer: Receives it.
        batch: How many messages the client library hands over at once.
        room: How many are wanted.
        deliver: Gets what arrived; called in the thread.
        lost: Called at the end of the thread when the consumer failed while messages were wanted.
    """

    def __init__(  # noqa: PLR0913 -- each is one decision of the consumption
        self,
        *,
        topic: Topic,
        consumer: NativeConsumer,
        batch: int,
        room: Room,
        deliver: Callable[[list[PulsarDelivery]], None],
        lost: Callable[[str], None],
    ) -> None:
        self._topic = topic
        self._consumer = consumer
        self._batch = batch
        self._room = room
        self._deliver = deliver
        self._lost = lost
        self._closing = False
        self._failed = False
        self._forget: Close = _nothing
        self._thread = threading.Thread(
            target=self._run, name=f"infinitic-pulsar-{topic}", daemon=True
        )

    @property
    def is_connected(self) -> bool:
        """Whether the broker knows the consumer now."""
        return self._consumer.is_connected()

    @property
    def label(self) -> str:
        """See ``Watched``."""
        return f"consumer of {self._topic}"

    @property
    def has_ended(self) -> bool:
        """Whether it was closed or has failed; nothing comes from it any more."""
        return self._closing or self._failed

    def give_up(self) -> None:
        """Close the consumer, which ends the thread as one that failed; blocks meanwhile."""
        try:
            self._consumer.close()
        except PulsarException as error:
            _LOGGER.debug("a consumer of %s did not close: %s", self._topic, type(error).__name__)

    def start(self) -> None:
        """Begin."""
        self._forget = AT_EXIT.add(self.close)
        self._thread.start()

    def close(self) -> None:
        """Acknowledge what is settled, give back the rest, end the thread; blocks meanwhile."""
        self._closing = True
        self._room.close()
        self._forget()
        self.give_up()
        self._thread.join()

    def _run(self) -> None:
        try:
            while self._room.wait_for(1):
                self._hand_over([self._consumer.receive()])
                while self._batch > 1 and self._room.has(self._batch):
                    messages = self._consumer.batch_receive()
                    if not messages:
                        break
                    self._hand_over(messages)
        except PulsarException as error:
            if not self._closing:
                self._failed = True
                self._lost(type(error).__name__)

    def _hand_over(self, messages: list[NativeMessage]) -> None:
        self._room.depart(len(messages))
        self._deliver([self._delivery(message) for message in messages])

    def _delivery(self, message: NativeMessage) -> PulsarDelivery:
        return Delivery(message_from(self._topic, message), Receipt(self._consumer, message))


def _nothing() -> None:
    """Nothing to forget yet."""


def message_from(topic: Topic, message: NativeMessage) -> ReceivedMessage:
    """The message in the framework's words, at its first delivery."""
    properties = message.properties()
    return ReceivedMessage(
        id=properties.pop(ID_PROPERTY, "") or str(message.message_id()),
        topic=topic,
        body=message.data(),
        key=message.partition_key() or None,
        properties=properties,
        # The broker counts also what was given back unread, which is nobody's failure.
        delivery_count=1,
        published_at=message.publish_timestamp(),
    )
