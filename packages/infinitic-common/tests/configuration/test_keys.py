import logging

import pytest

from infinitic_common.configuration import (
    UNSET,
    BatchConfiguration,
    ConfigurationError,
    ExponentialBackoff,
    ServiceExecutorConfiguration,
    WorkerConfiguration,
    load_configuration,
    string_source,
)


def worker(text: str) -> WorkerConfiguration:
    return load_configuration(WorkerConfiguration, string_source(text, name="a.yml"), environ={})


def executor(keys: str) -> ServiceExecutorConfiguration:
    service = worker(f"transport: inMemory\nservices: [{{name: S, class: s.S, {keys}}}]").services[
        0
    ]
    assert service.executor is not None
    return service.executor


def refusal(text: str) -> str:
    with pytest.raises(ConfigurationError) as caught:
        worker(text)
    return str(caught.value)


@pytest.mark.parametrize(
    "key",
    ["timeoutSeconds", "timeout-seconds", "timeout_seconds", "TIMEOUTSECONDS", "Timeout_seconds"],
)
def test_a_key_is_known_whatever_its_case_dashes_and_underscores(key: str) -> None:
    assert executor(f"{key}: 3").timeout_seconds == 3.0


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("servces: []", "servces (a.yml:2): unknown key; did you mean 'services'?"),
        ("event_listner: {}", "did you mean 'eventListener'?"),
        (
            "services: [{name: S, klass: s.S}]",
            "services[0].klass (a.yml:2): unknown key; did you mean 'class'?",
        ),
        ("services: [{name: S, class: s.S, concurency: 1}]", "did you mean 'concurrency'?"),
        ("workflows: [{name: W, clases: [s.S]}]", "did you mean 'classes'?"),
        ("workflows: [{name: W, workflowEngine: }]", "write `stateEngine:`"),
        ("pulsar: {}", "write it inside `transport:`"),
        (
            "zzz: 1",
            "known are eventListener, events, health, logs, metrics, name, services, storage",
        ),
        (
            "storage: {postgres: {host: h, port: 1, user: u}}",
            "storage.postgres.user (a.yml:2): unknown key; write username",
        ),
    ],
)
def test_an_unknown_key_is_refused_with_the_nearest_known_one(text: str, complaint: str) -> None:
    assert complaint in refusal(f"transport: inMemory\n{text}")


def test_every_problem_is_told_at_once() -> None:
    message = refusal("transport: inMemory\nnmae: x\nlogs: {beautify: 2}\nservices: [{name: ''}]\n")
    assert message.startswith("the configuration has 3 problems:\n  - ")
    for path in ("nmae", "logs.beautify", "services[0].name"):
        assert f"  - {path} (a.yml:" in message


def test_a_missing_key_is_told_with_what_to_add() -> None:
    message = refusal("transport: inMemory\nservices: [{class: s.S}]")
    assert message == "services[0].name (a.yml:2): is required; add `name:`"


def test_a_required_key_without_a_value_is_missing() -> None:
    assert "services[0].name (a.yml:3): is required" in refusal(
        "transport: inMemory\nservices:\n  - name:\n    class: s.S\n"
    )


def test_two_keys_of_one_meaning_are_refused() -> None:
    message = refusal(
        "transport: inMemory\n"
        "services: [{name: S, class: s.S, batch: {maxMessages: 1, maxEvents: 2}}]"
    )
    assert "'maxMessages' and 'maxEvents' mean the same; keep one" in message


@pytest.mark.parametrize(
    ("keys", "timeout"),
    [
        ("", UNSET),
        ("timeoutSeconds: ", UNSET),
        ("timeoutSeconds: null", None),
        ("timeoutSeconds: ~", None),
        ("timeoutSeconds: 0.5", 0.5),
    ],
)
def test_an_absent_timeout_a_null_one_and_a_number_differ(keys: str, timeout: object) -> None:
    assert executor(keys).timeout_seconds == timeout


@pytest.mark.parametrize(
    ("keys", "retry"),
    [
        ("", UNSET),
        ("retry: ", ExponentialBackoff()),
        ("retry: {}", ExponentialBackoff()),
        ("retry: null", None),
        ("retry: {maximumRetries: 1}", ExponentialBackoff(maximum_retries=1)),
    ],
)
def test_an_empty_block_means_all_defaults_and_null_means_none(keys: str, retry: object) -> None:
    assert executor(keys).retry == retry


@pytest.mark.parametrize(
    ("keys", "batch"),
    [("", None), ("batch: null", None), ("batch: ", BatchConfiguration())],
)
def test_a_batch_is_off_unless_it_is_written(keys: str, batch: object) -> None:
    assert executor(keys).batch == batch


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("services: {name: S}", "services (a.yml:2): must be a list, is a block of keys"),
        ("services: x", "must be a list, is 'x'; write its items as `- item`"),
        ("services: [3]", "services[0] (a.yml:2): must be a block of keys, is '3'"),
        ("logs: 3", "logs (a.yml:2): must be a block of keys, is '3'"),
        ("name: [a]", "name (a.yml:2): must be text, is a list"),
        ("name: {a: b}", "name (a.yml:2): must be text, is a block of keys"),
        ("logs: {beautify: maybe}", "logs.beautify (a.yml:2): must be true or false, is 'maybe'"),
        ("logs: {beautify: null}", "must be true or false, is None"),
        ("services: [{name: S, class: s.S, concurrency: 1.5}]", "must be an integer, is 1.5"),
        ("services: [{name: S, class: s.S, concurrency: true}]", "must be an integer, is True"),
        ("services: [{name: S, class: s.S, timeoutSeconds: x}]", "must be a number, is 'x'"),
    ],
)
def test_a_value_of_another_shape_is_refused(text: str, complaint: str) -> None:
    assert complaint in refusal(f"transport: inMemory\n{text}")


@pytest.mark.parametrize("nothing", ["services:", "services: null", "services: []"])
def test_no_services_can_be_written_in_any_way(nothing: str) -> None:
    assert worker(f"transport: inMemory\n{nothing}").services == ()


def test_a_key_without_effect_is_accepted_with_one_warning(
    caplog: pytest.LogCaptureFixture,
) -> None:
    text = "workflows: [{name: W, stateEngine: {timerHandlerPastDueSeconds: 4000}}]"
    with caplog.at_level(logging.WARNING):
        worker(f"transport: inMemory\nstorage: inMemory\n{text}")
    key = "workflows[0].stateEngine.timerHandlerPastDueSeconds"
    assert [record.getMessage() for record in caplog.records] == [
        f"{key} (a.yml:3): has no effect here and can be removed"
    ]
