import pytest

from infinitic_common.configuration import TransportConfiguration
from infinitic_common.exceptions import TransportError
from infinitic_common.testing.transport import Recorder, numbered
from infinitic_common.transport import Subscription, Topic, TopicKind
from infinitic_transport import InMemoryTransport, open_transport

TASKS = Topic(TopicKind.SERVICE_EXECUTOR, "OpeningTest")


async def test_a_worker_and_a_client_of_one_configuration_meet() -> None:
    configuration = TransportConfiguration(kind="inMemory")
    worker = open_transport(configuration, name="worker")
    client = open_transport(TransportConfiguration(kind="inMemory"))
    recorder = Recorder(30)
    await worker.consume(Subscription((TASKS,), "service"), recorder)
    await client.publish(TASKS, numbered(1))
    await recorder.until_handled(1)
    assert worker.name == "worker"
    assert client.name != worker.name
    await worker.close()
    await client.close()


def test_a_transport_made_by_hand_stays_apart() -> None:
    opened = open_transport(TransportConfiguration(kind="inMemory"))
    assert InMemoryTransport().universe is not opened.universe


def test_options_of_another_transport_are_refused() -> None:
    with pytest.raises(TransportError, match="other"):
        open_transport(TransportConfiguration(kind="other", options={"port": 1}))
