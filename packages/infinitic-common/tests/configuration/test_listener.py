import pytest

from infinitic_common.configuration import (
    BatchConfiguration,
    ConfigurationError,
    EventListenerConfiguration,
    ListenedConfiguration,
    WorkerConfiguration,
    load_configuration,
    string_source,
)

ALL = """
    class: shop.Listener
    concurrency: 10
    subscriptionName: mine
    batch: {maxEvents: 5, maxSeconds: 2}
    services: {listRefreshSeconds: 10, allow: [A, B], disallow: [C]}
    workflows: {listRefreshSeconds: 20, allow: null, disallow: [D]}
"""


def listener(text: str) -> EventListenerConfiguration | None:
    whole = f"transport: inMemory\neventListener:{text}"
    loaded = load_configuration(WorkerConfiguration, string_source(whole), environ={})
    return loaded.event_listener


def test_config_20_a_listener_has_defaults() -> None:
    assert listener(" {class: shop.Listener}") == EventListenerConfiguration(
        class_name="shop.Listener",
        concurrency=1,
        subscription_name=None,
        batch=BatchConfiguration(),
        services=ListenedConfiguration(list_refresh_seconds=60.0, allow=None, disallow=()),
        workflows=ListenedConfiguration(list_refresh_seconds=60.0, allow=None, disallow=()),
    )


@pytest.mark.parametrize("text", [ALL, "\n    listener:" + ALL.replace("\n    ", "\n      ")])
def test_config_20_every_value_of_a_listener_is_read(text: str) -> None:
    assert listener(text) == EventListenerConfiguration(
        class_name="shop.Listener",
        concurrency=10,
        subscription_name="mine",
        batch=BatchConfiguration(max_messages=5, max_seconds=2.0),
        services=ListenedConfiguration(
            list_refresh_seconds=10.0, allow=("A", "B"), disallow=("C",)
        ),
        workflows=ListenedConfiguration(list_refresh_seconds=20.0, disallow=("D",)),
    )


@pytest.mark.parametrize(
    ("keys", "complaint"),
    [
        ("concurrency: 1", "eventListener.class (text:2): is required"),
        ("class: ''", "eventListener.class (text:2): must not be blank"),
        ("class: a.B, concurrency: 0", "eventListener.concurrency (text:2): must be > 0, is 0"),
        ("class: a.B, subscriptionName: ''", "eventListener.subscriptionName (text:2): must not"),
        ("class: a.B, services: {allow: ['']}", "eventListener.services.allow[0] (text:2): must"),
        ("class: a.B, workflows: {disallow: ['']}", "eventListener.workflows.disallow[0]"),
        ("class: a.B, services: {listRefreshSeconds: -1}", "must be >= 0, is -1"),
        ("class: a.B, listener: {class: a.B}", "eventListener.listener.class (text:2): is given"),
    ],
)
def test_config_21_a_wrong_listener_is_refused(keys: str, complaint: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        listener(f" {{{keys}}}")
    assert complaint in str(caught.value)


def test_no_listener_is_there_unless_written() -> None:
    assert listener(" null") is None


EVENTS_OFF = """
transport: inMemory
storage: inMemory
events: false
services:
  - {name: Quiet, class: shop.Quiet}
  - {name: Loud, class: shop.Loud, events: true}
workflows:
  - {name: Order, class: shop.Order, stateEngine: {}}
"""


def test_events_are_told_unless_the_worker_or_a_part_says_otherwise() -> None:
    def parts(text: str) -> list[bool | None]:
        loaded = load_configuration(WorkerConfiguration, string_source(text), environ={})
        executors = [service.executor for service in loaded.services]
        (order,) = loaded.workflows
        found = [*executors, order.executor, order.state_engine]
        return [part.events for part in found if part is not None]

    assert parts(EVENTS_OFF) == [False, True, False, False]
    assert parts(EVENTS_OFF.replace("events: false", "")) == [None, True, None, None]
