from infinitic_common.transport import Topic, TopicKind
from infinitic_transport import dead_letter_name, full_name


def test_inmem_02_names_of_topics() -> None:
    topic = Topic(TopicKind.SERVICE_EXECUTOR, "MyService")
    assert str(topic) == "service-executor:MyService"
    assert full_name(topic) == "inmemory://service-executor:MyService"
    assert dead_letter_name(topic) == "service-executor-dlq:MyService"
