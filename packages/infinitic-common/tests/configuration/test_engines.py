import pytest

from infinitic_common.configuration import (
    BatchConfiguration,
    ConfigurationError,
    InMemoryStorageConfiguration,
    ServiceConfiguration,
    ServiceTagEngineConfiguration,
    StorageConfiguration,
    TransportConfiguration,
    WorkerConfiguration,
    WorkflowStateEngineConfiguration,
    WorkflowTagEngineConfiguration,
    load_configuration,
    string_source,
)

MEMORY = StorageConfiguration("inMemory")


def worker(text: str) -> WorkerConfiguration:
    whole = f"transport: inMemory\n{text}"
    return load_configuration(WorkerConfiguration, string_source(whole), environ={})


def state_engine(keys: str) -> WorkflowStateEngineConfiguration:
    text = f"storage: inMemory\nworkflows: [{{name: W, stateEngine: {keys}}}]"
    engine = worker(text).workflows[0].state_engine
    assert engine is not None
    return engine


def test_config_16_a_state_engine_has_defaults() -> None:
    assert state_engine("{}") == WorkflowStateEngineConfiguration(
        concurrency=1,
        storage=MEMORY,
        batch=BatchConfiguration(max_messages=1000, max_seconds=1.0),
        retention_seconds=86_400.0,
        deduplication_window_seconds=3600.0,
        max_redeliver_count=None,
        command_handler_concurrency=1,
        event_handler_concurrency=1,
        timer_handler_concurrency=1,
    )


def test_config_16_the_handlers_have_the_concurrency_of_the_engine() -> None:
    engine = state_engine("{concurrency: 10}")
    handlers = (
        engine.command_handler_concurrency,
        engine.event_handler_concurrency,
        engine.timer_handler_concurrency,
    )
    assert handlers == (10, 10, 10)


def test_config_16_every_value_of_a_state_engine_is_read() -> None:
    keys = (
        "{concurrency: 10, commandHandlerConcurrency: 11, eventHandlerConcurrency: 12, "
        "timerHandlerConcurrency: 13, retentionSeconds: 0, deduplicationWindowSeconds: 60, "
        "maxRedeliverCount: 5, batch: {maxMessages: 7}}"
    )
    assert state_engine(keys) == WorkflowStateEngineConfiguration(
        concurrency=10,
        storage=MEMORY,
        batch=BatchConfiguration(max_messages=7),
        retention_seconds=0.0,
        deduplication_window_seconds=60.0,
        max_redeliver_count=5,
        command_handler_concurrency=11,
        event_handler_concurrency=12,
        timer_handler_concurrency=13,
    )


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("stateEngine: {concurrency: -1}", "stateEngine.concurrency (text:3): must be >= 0, is -1"),
        ("stateEngine: {retentionSeconds: -1}", "retentionSeconds (text:3): must be >= 0"),
        ("stateEngine: {deduplicationWindowSeconds: 0}", "must be > 0, is 0"),
        ("stateEngine: {maxRedeliverCount: 0}", "maxRedeliverCount (text:3): must be > 0"),
        ("stateEngine: {batch: {maxMessages: 0}}", "batch.maxMessages (text:3): must be > 0"),
        ("stateEngine: {batch: {maxSeconds: 0}}", "batch.maxSeconds (text:3): must be > 0"),
        ("tagEngine: {fanoutPageSize: 0}", "fanoutPageSize (text:3): must be > 0, is 0"),
        ("tagEngine: {concurrency: -1}", "tagEngine.concurrency (text:3): must be >= 0"),
    ],
)
def test_a_wrong_engine_of_a_workflow_is_refused(text: str, complaint: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        worker(f"storage: inMemory\nworkflows: [{{name: W, {text}}}]")
    assert complaint in str(caught.value)


@pytest.mark.parametrize(
    ("kind", "engine"),
    [("services", "tagEngine"), ("workflows", "tagEngine"), ("workflows", "stateEngine")],
)
def test_config_18_an_engine_has_the_name_of_its_entry_which_must_have_one(
    kind: str, engine: str
) -> None:
    with pytest.raises(ConfigurationError) as caught:
        worker(f"storage: inMemory\n{kind}: [{{{engine}: {{}}}}]")
    assert f"{kind}[0].name (text:3): is required" in str(caught.value)


def test_a_tag_engine_of_a_service_without_concurrency_is_refused() -> None:
    with pytest.raises(ConfigurationError, match=r"tagEngine.concurrency .* must be > 0, is 0"):
        worker("storage: inMemory\nservices: [{name: S, tagEngine: {concurrency: 0}}]")


def test_config_19_an_engine_has_its_own_storage_else_the_default_one() -> None:
    loaded = worker("""
storage: inMemory
services: [{name: S, tagEngine: }]
workflows:
  - name: W
    stateEngine: {storage: {inMemory: {unused: other}}}
    tagEngine: {fanoutPageSize: 3}
""")
    assert loaded.services[0].tag_engine == ServiceTagEngineConfiguration(storage=MEMORY)
    other = StorageConfiguration("inMemory", InMemoryStorageConfiguration(unused="other"))
    assert loaded.workflows[0].state_engine == WorkflowStateEngineConfiguration(storage=other)
    assert loaded.workflows[0].tag_engine == WorkflowTagEngineConfiguration(
        storage=MEMORY, fanout_page_size=3
    )


def test_config_19_the_default_storage_is_inherited_by_hand_too() -> None:
    service = ServiceConfiguration(name="S", tag_engine=ServiceTagEngineConfiguration())
    loaded = WorkerConfiguration(
        transport=TransportConfiguration("inMemory"), storage=MEMORY, services=(service,)
    )
    assert loaded.services[0].tag_engine == ServiceTagEngineConfiguration(storage=MEMORY)


def test_an_engine_without_any_storage_is_refused_by_its_name() -> None:
    with pytest.raises(ConfigurationError) as caught:
        worker("""
services: [{name: S, tagEngine: }]
workflows:
  - name: W
    stateEngine:
    tagEngine:
""")
    told = [(problem.path, str(problem.mark), problem.what) for problem in caught.value.problems]
    assert told == [
        ("services[0].tagEngine", "text:3", "storage undefined for Service Tag Engine of 'S'"),
        (
            "workflows[0].stateEngine",
            "text:6",
            "storage undefined for Workflow State Engine of 'W'",
        ),
        ("workflows[0].tagEngine", "text:7", "storage undefined for Workflow Tag Engine of 'W'"),
    ]
    assert {problem.remedy for problem in caught.value.problems} == {
        "add `storage:` there or at the top"
    }


def test_an_engine_that_does_not_run_needs_no_storage() -> None:
    loaded = worker("workflows: [{name: W, stateEngine: {concurrency: 0}}]")
    assert loaded.workflows[0].state_engine == WorkflowStateEngineConfiguration(concurrency=0)
