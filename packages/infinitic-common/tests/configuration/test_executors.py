import sys
from types import ModuleType

import pytest

from infinitic_common.configuration import (
    UNSET,
    BatchConfiguration,
    ConfigurationError,
    ExponentialBackoff,
    ServiceConfiguration,
    ServiceExecutorConfiguration,
    ServiceTagEngineConfiguration,
    WorkerConfiguration,
    WorkflowConfiguration,
    WorkflowExecutorConfiguration,
    load_configuration,
    string_source,
    version_of,
)
from infinitic_common.decorators import version


def worker(text: str) -> WorkerConfiguration:
    whole = f"transport: inMemory\nstorage: inMemory\n{text}"
    return load_configuration(WorkerConfiguration, string_source(whole), environ={})


def service(keys: str) -> ServiceConfiguration:
    return worker(f"services: [{{name: S, {keys}}}]").services[0]


def workflow(keys: str) -> WorkflowConfiguration:
    return worker(f"workflows: [{{name: W, {keys}}}]").workflows[0]


def refusal(text: str) -> str:
    with pytest.raises(ConfigurationError) as caught:
        worker(text)
    return str(caught.value)


@pytest.mark.parametrize("keys", ["class: s.S", "executor: {class: s.S}"])
def test_config_01_a_service_with_a_class_only_has_the_defaults(keys: str) -> None:
    assert service(keys).executor == ServiceExecutorConfiguration(
        class_name="s.S",
        concurrency=1,
        timeout_seconds=UNSET,
        retry=UNSET,
        batch=None,
        event_handler_concurrency=1,
        retry_handler_concurrency=1,
    )


def test_config_02_the_handlers_have_the_concurrency_of_the_executor() -> None:
    executor = service("class: s.S, concurrency: 10").executor
    assert executor is not None
    assert executor.event_handler_concurrency == 10
    assert executor.retry_handler_concurrency == 10


@pytest.mark.parametrize("form", ["{}", "executor: {{{}}}"])
def test_config_03_every_value_is_read_in_both_forms(form: str) -> None:
    keys = (
        "class: 's:S', concurrency: 10, retryHandlerConcurrency: 11, eventHandlerConcurrency: 12, "
        "timeoutSeconds: 3, retry: {minimumSeconds: 4}, batch: {maxMessages: 5, maxSeconds: 0.5}"
    )
    assert service(form.format(keys)).executor == ServiceExecutorConfiguration(
        class_name="s:S",
        concurrency=10,
        retry_handler_concurrency=11,
        event_handler_concurrency=12,
        timeout_seconds=3.0,
        retry=ExponentialBackoff(minimum_seconds=4.0),
        batch=BatchConfiguration(max_messages=5, max_seconds=0.5),
    )


def test_both_forms_together_are_one_executor() -> None:
    executor = service("class: s.S, executor: {concurrency: 2}").executor
    assert executor == ServiceExecutorConfiguration(class_name="s.S", concurrency=2)


@pytest.mark.parametrize("kind", ["services", "workflows"])
def test_one_key_in_both_forms_is_refused(kind: str) -> None:
    message = refusal(f"{kind}:\n- name: X\n  class: s.S\n  executor:\n    class: s.S\n")
    assert message == (
        f"{kind}[0].executor.class (text:7): is given here and directly (text:5); keep one"
    )


@pytest.mark.parametrize(
    ("keys", "complaint"),
    [
        ("name: S, concurrency: 2", "services[0].class (text:3): `class` is required while"),
        ("name: S, executor: ", "services[0].executor.class (text:3): `class` is required while"),
        ("name: S, class: s.S, concurrency: 0", "concurrency (text:3): must be > 0 with `class`"),
        ("name: S, class: ''", "services[0].class (text:3): must not be blank"),
        ("class: s.S", "services[0].name (text:3): is required"),
        ("name: ' ', class: s.S", "services[0].name (text:3): must not be blank"),
        ("name: S, class: s.S, concurrency: -1", "concurrency (text:3): must be >= 0, is -1"),
        ("name: S, class: s.S, checkMode: simple", "checkMode (text:3): unknown key"),
        ("name: S", "services[0] (text:3): nothing is hosted for 'S'; add `class:` or"),
        ("name: S, executor: null", "nothing is hosted for 'S'"),
    ],
)
def test_config_05_a_wrong_service_is_refused(keys: str, complaint: str) -> None:
    assert complaint in refusal(f"services: [{{{keys}}}]")


@pytest.mark.parametrize("seconds", ["0", "-0.5"])
@pytest.mark.parametrize("kind", ["services", "workflows"])
def test_config_06_a_timeout_that_is_not_positive_is_refused(kind: str, seconds: str) -> None:
    keys = f"name: S, class: s.S, timeoutSeconds: {seconds}"
    assert f"timeoutSeconds (text:3): must be > 0, is {seconds}" in refusal(f"{kind}: [{{{keys}}}]")


@pytest.mark.parametrize(
    ("keys", "has_executor", "has_tag_engine"),
    [
        ("class: s.S", True, False),
        ("tagEngine: ", False, True),
        ("tagEngine: {concurrency: 5}", False, True),
        ("class: s.S, tagEngine: {}", True, True),
        ("class: s.S, tagEngine: null", True, False),
        ("tagEngine: , executor: null", False, True),
    ],
)
def test_config_09_a_service_hosts_what_is_written(
    keys: str, *, has_executor: bool, has_tag_engine: bool
) -> None:
    loaded = service(keys)
    assert (loaded.executor is not None) == has_executor
    assert (loaded.tag_engine is not None) == has_tag_engine


def test_no_executor_runs_for_a_concurrency_of_zero_without_a_class() -> None:
    executor = service("concurrency: 0, tagEngine: ").executor
    assert executor == ServiceExecutorConfiguration(concurrency=0)


@pytest.mark.parametrize("keys", ["class: w.W", "classes: [w.W]", "executor: {classes: [w.W]}"])
def test_config_11_a_workflow_with_a_class_only_has_the_defaults(keys: str) -> None:
    assert workflow(keys).executor == WorkflowExecutorConfiguration(
        class_names=("w.W",),
        concurrency=1,
        timeout_seconds=UNSET,
        retry=UNSET,
        check_mode=None,
        batch=None,
    )


def test_config_11_every_value_of_a_workflow_is_read() -> None:
    keys = (
        "class: w.W, concurrency: 10, timeoutSeconds: null, retry: null, checkMode: STRICT, "
        "batch: {maxMessages: 100, maxSeconds: 0.5}"
    )
    assert workflow(keys).executor == WorkflowExecutorConfiguration(
        class_names=("w.W",),
        concurrency=10,
        timeout_seconds=None,
        retry=None,
        check_mode="strict",
        batch=BatchConfiguration(max_messages=100, max_seconds=0.5),
    )


def test_config_13_classes_keep_their_order() -> None:
    executor = workflow("classes: [w.W, w.W_1, 'w:W_2']").executor
    assert executor is not None
    assert executor.class_names == ("w.W", "w.W_1", "w:W_2")


@pytest.mark.parametrize(
    ("keys", "complaint"),
    [
        ("classes: [w.W, w.W_0]", "classes (text:3): items 0 and 1 both have version 0 (w.W_0)"),
        ("classes: [w.W, w.A_3, w.B_3]", "items 1 and 2 both have version 3"),
        ("classes: [w.W, '']", "classes[1] (text:3): must not be blank"),
        ("class: w.W, classes: [w.W_1]", "class (text:3): is given beside `classes`"),
        ("concurrency: 1", "`class` or `classes` is required while concurrency is 1"),
        ("executor: null", "workflows[0] (text:3): nothing is hosted for 'W'; add `class:`, `sta"),
        ("class: ", "`class` or `classes` is required while concurrency is 1"),
        ("classes: []", "`class` or `classes` is required while concurrency is 1"),
        ("class: w.W, checkMode: lax", "must be one of none, simple, strict, is 'lax'"),
        ("class: w.W, concurrency: 0", "must be > 0 with `class` or `classes` given, is 0"),
    ],
)
def test_config_14_a_wrong_workflow_executor_is_refused(keys: str, complaint: str) -> None:
    assert complaint in refusal(f"workflows: [{{name: W, {keys}}}]")


def test_config_14_two_classes_of_one_version_are_refused_by_hand_too() -> None:
    with pytest.raises(ConfigurationError, match="both have version 0"):
        WorkflowExecutorConfiguration(class_names=("w.W", "w.W_0"))


@pytest.fixture
def flows(monkeypatch: pytest.MonkeyPatch) -> str:
    """A module with the classes ``A``, marked with version 2, and ``B``, not marked."""
    module = ModuleType("flows_of_test_executors")
    vars(module)["A"] = version(2)(type("A", (), {}))
    vars(module)["B"] = type("B", (), {})
    monkeypatch.setitem(sys.modules, module.__name__, module)
    return module.__name__


@pytest.mark.parametrize("names", [("A", "B"), ("B", "A")])
def test_classes_that_only_their_mark_tells_apart_are_two_versions(
    flows: str, names: tuple[str, str]
) -> None:
    given = tuple(f"{flows}.{name}" for name in names)
    assert WorkflowExecutorConfiguration(class_names=given).class_names == given


@pytest.mark.parametrize(
    ("name", "version"),
    [("w.W", 0), ("w.W_0", 0), ("w.W_12", 12), ("w:Outer.W_2", 2), ("w._3", 0), ("w_4.W", 0)],
)
def test_the_version_is_the_number_at_the_end_of_a_class_name(name: str, version: int) -> None:
    assert version_of(name) == version


@pytest.mark.parametrize(
    ("keys", "hosted"),
    [
        ("stateEngine: ", (False, True, False)),
        ("stateEngine: {concurrency: 10}, tagEngine: ", (False, True, True)),
        ("class: w.W, tagEngine: ", (True, False, True)),
    ],
)
def test_a_workflow_hosts_what_is_written(keys: str, hosted: tuple[bool, bool, bool]) -> None:
    loaded = workflow(keys)
    parts = (loaded.executor, loaded.state_engine, loaded.tag_engine)
    assert tuple(part is not None for part in parts) == hosted


@pytest.mark.parametrize("kind", ["services", "workflows"])
def test_a_name_given_twice_is_refused(kind: str) -> None:
    message = refusal(f"{kind}:\n- {{name: X, class: a.B}}\n- {{name: X, class: a.B}}\n")
    assert message == f"{kind}[1].name (text:5): 'X' is given 2 times; merge them"


def test_configurations_made_by_hand_are_checked_alike() -> None:
    with pytest.raises(ConfigurationError) as caught:
        ServiceExecutorConfiguration(class_name=" ", concurrency=-1, timeout_seconds=0)
    assert [str(problem) for problem in caught.value.problems] == [
        "class: must not be blank, is ' '",
        "concurrency: must be >= 0, is -1",
        "timeoutSeconds: must be > 0, is 0",
    ]


def test_a_list_where_a_tuple_is_wanted_is_refused_by_hand() -> None:
    executor = ServiceExecutorConfiguration(class_name="s.S")
    services = [ServiceConfiguration(name="S", executor=executor)]
    with pytest.raises(ConfigurationError, match="workflows: must be a list, is 'x'"):
        WorkerConfiguration(
            transport=worker("").transport,
            services=tuple(services),
            workflows="x",  # type: ignore[arg-type]  # what is refused
        )


def test_a_part_of_another_class_is_refused_by_hand() -> None:
    with pytest.raises(ConfigurationError, match="executor: must be a ServiceExecutorConf"):
        ServiceConfiguration(
            name="S",
            executor=ServiceTagEngineConfiguration(),  # type: ignore[arg-type]  # what is refused
        )
