import pytest
from hypothesis import given
from hypothesis import strategies as st

from infinitic_common.events import EVENT_KINDS
from infinitic_common.transport import Subscription, Topic, TopicKind
from infinitic_transport_pulsar._names import (
    TopicNames,
    dead_letters_subscription,
    escape,
    main_subscription,
    parse,
    partition_name,
    rest_path,
    subscription_name,
    unescape,
)

NAMES = TopicNames("tenant", "namespace")
ENTITIES = st.text(min_size=1).filter(lambda text: text.isprintable())


@given(ENTITIES)
def test_an_escaped_name_is_plain_and_comes_back(entity: str) -> None:
    escaped = escape(entity)
    assert escaped.isascii()
    assert not set(escaped) & set("/%?#+ ")
    assert unescape(escaped) == entity


@given(ENTITIES, ENTITIES)
def test_different_names_stay_different(one: str, other: str) -> None:
    assert (escape(one) == escape(other)) is (one == other)


@pytest.mark.parametrize("entity", ["a-partition-3", "-partition-", "a-partition--partition-1"])
def test_a_name_is_never_taken_for_that_of_a_partition(entity: str) -> None:
    topic = Topic(TopicKind.SERVICE_EXECUTOR, entity)
    assert "-partition-" not in NAMES.of(topic)
    assert parse(partition_name(NAMES.of(topic), 1)) == topic


@pytest.mark.parametrize("kind", TopicKind)
def test_pulsar_01_topics_are_called_by_kind_and_entity(kind: TopicKind) -> None:
    topic = Topic(kind, "Payments")
    assert NAMES.of(topic) == f"persistent://tenant/namespace/{kind.value}:Payments"
    assert (
        NAMES.dead_letters_of(topic) == f"persistent://tenant/namespace/{kind.value}-dlq:Payments"
    )


@pytest.mark.parametrize("kind", sorted(set(TopicKind) - EVENT_KINDS))
def test_pulsar_03_those_who_do_the_work_share_the_main_subscription(kind: TopicKind) -> None:
    subscription = Subscription((Topic(kind, "E"),), "whatever")
    assert subscription_name(subscription, Topic(kind, "E")) == f"{kind.value}-subscription"
    assert main_subscription(kind) == f"{kind.value}-subscription"
    assert dead_letters_subscription(kind) == f"{kind.value}-subscription-dlq"


@pytest.mark.parametrize("kind", sorted(EVENT_KINDS))
def test_pulsar_03_listeners_to_events_subscribe_under_their_name(kind: TopicKind) -> None:
    topic = Topic(kind, "E")
    assert subscription_name(Subscription((topic,), "audit"), topic) == "audit"


def test_pulsar_03_listeners_to_work_are_known_by_their_name() -> None:
    topic = Topic(TopicKind.SERVICE_EXECUTOR, "E")
    subscription = Subscription((topic,), "listener-subscription")
    assert subscription_name(subscription, topic) == "listener-subscription"


@pytest.mark.parametrize("kind", TopicKind)
def test_pulsar_04_the_entity_is_found_in_the_name_of_a_topic(kind: TopicKind) -> None:
    topic = Topic(kind, "Värde / 1:2")
    assert parse(NAMES.of(topic)) == topic
    assert parse(partition_name(NAMES.of(topic), 11)) == topic


@pytest.mark.parametrize("local", ["__change_events", "service-executor-dlq:E", "other:E", ":E"])
def test_pulsar_04_other_topics_have_no_entity(local: str) -> None:
    assert parse(f"persistent://tenant/namespace/{local}") is None


def test_the_path_of_a_topic_is_quoted_part_by_part() -> None:
    path = rest_path("persistent://te/na me/service-executor:a=20b")
    assert path == "persistent/te/na%20me/service-executor%3Aa%3D20b"
