"""The engine as a component."""

import attrs
import pytest

from infinitic_common.configuration import (
    BatchConfiguration,
    ConfigurationError,
    ServiceConfiguration,
    ServiceExecutorConfiguration,
    ServiceTagEngineConfiguration,
    StorageConfiguration,
)
from infinitic_common.messages import AddTagToTask, AddTagToWorkflow, to_outgoing
from infinitic_common.testing.tag_engine import TagEngineHost, received
from infinitic_common.transport import Topic, TopicKind
from infinitic_task_tag import ServiceTagEngine


async def test_a_configuration_says_how_it_works() -> None:
    storage = StorageConfiguration("inMemory")
    settings = ServiceTagEngineConfiguration(
        concurrency=5, batch=BatchConfiguration(max_messages=7), storage=storage
    )
    engine = ServiceTagEngine.from_configuration(
        ServiceConfiguration(name="Name", tag_engine=settings)
    )
    host = TagEngineHost()
    await engine.start(host)
    assert host.asked_for == [storage]
    assert host.transport.subscription is not None
    assert host.transport.subscription.topics == (Topic(TopicKind.SERVICE_TAG_ENGINE, "Name"),)
    assert host.transport.subscription.max_batch_messages == 7
    assert host.transport.subscription.max_in_flight_batches == 5
    assert engine.service_name == "Name"
    assert str(engine) == "TaskTagEngine Name (concurrency 5, batches of 7)"


def test_a_configuration_without_a_tag_engine_is_refused() -> None:
    executor = ServiceExecutorConfiguration(class_name="shop.Impl")
    entry = ServiceConfiguration(name="Name", executor=executor)
    with pytest.raises(ConfigurationError, match="no tag engine; add `tagEngine:`"):
        ServiceTagEngine.from_configuration(entry)


async def test_a_message_about_workflows_is_given_back_alone() -> None:
    host = TagEngineHost()
    await ServiceTagEngine("Name").start(host)
    about_workflows = to_outgoing(AddTagToWorkflow("add", "Workflow", "id", "foo"))
    good = AddTagToTask("good", "Name", "x", "foo")
    broken = attrs.evolve(received(good), body=about_workflows.body)
    assert await host.deliver(broken, good) == [broken]
    assert host.sets.sets == {"task:Name|tag:foo|setIds": {"x"}}
