"""The engine as a component."""

import attrs
import pytest

from infinitic_common.configuration import (
    BatchConfiguration,
    ConfigurationError,
    StorageConfiguration,
    WorkflowConfiguration,
    WorkflowExecutorConfiguration,
    WorkflowTagEngineConfiguration,
)
from infinitic_common.messages import AddTagToTask, AddTagToWorkflow, to_outgoing
from infinitic_common.testing.tag_engine import TagEngineHost, received
from infinitic_common.transport import Topic, TopicKind
from infinitic_workflow_tag import WorkflowTagEngine


async def test_a_configuration_says_how_it_works() -> None:
    storage = StorageConfiguration("inMemory")
    settings = WorkflowTagEngineConfiguration(
        concurrency=5,
        batch=BatchConfiguration(max_messages=7),
        fanout_page_size=3,
        storage=storage,
    )
    engine = WorkflowTagEngine.from_configuration(
        WorkflowConfiguration(name="Name", tag_engine=settings)
    )
    host = TagEngineHost()
    await engine.start(host)
    assert host.asked_for == [storage]
    assert host.transport.subscription is not None
    assert host.transport.subscription.topics == (Topic(TopicKind.WORKFLOW_TAG_ENGINE, "Name"),)
    assert host.transport.subscription.max_batch_messages == 7
    assert host.transport.subscription.max_in_flight_batches == 5
    assert engine.workflow_name == "Name"
    assert str(engine) == "WorkflowTagEngine Name (concurrency 5, batches of 7, pages of 3)"


def test_a_configuration_without_a_tag_engine_is_refused() -> None:
    executor = WorkflowExecutorConfiguration(class_names=("shop.Impl",))
    entry = WorkflowConfiguration(name="Name", executor=executor)
    with pytest.raises(ConfigurationError, match="no tag engine; add `tagEngine:`"):
        WorkflowTagEngine.from_configuration(entry)


def test_pages_of_nothing_are_refused() -> None:
    with pytest.raises(ValueError, match="fanout_page_size=0"):
        WorkflowTagEngine("Name", fanout_page_size=0)


async def test_a_message_about_tasks_is_given_back_alone() -> None:
    host = TagEngineHost()
    await WorkflowTagEngine("Name").start(host)
    about_tasks = to_outgoing(AddTagToTask("add", "Service", "id", "foo"))
    good = AddTagToWorkflow("good", "Name", "x", "foo")
    broken = attrs.evolve(received(good), body=about_tasks.body)
    assert await host.deliver(broken, good) == [broken]
    assert host.sets.sets == {"workflow:Name|tag:foo|setIds": {"x"}}
