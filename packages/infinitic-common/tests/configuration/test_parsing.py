import pytest

from infinitic_common.configuration import (
    ConfigurationError,
    WorkerConfiguration,
    load_configuration,
    string_source,
)


def worker(text: str) -> WorkerConfiguration:
    return load_configuration(WorkerConfiguration, string_source(text, name="a.yml"), environ={})


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("transport: inMemory\nservices: [\n", "a.yml:3): is not YAML"),
        ("transport: inMemory\n---\nname: x\n", "a.yml:2): is not YAML"),
        ("- a\n", "(a.yml:1): must be a block of keys"),
        ("transport: inMemory\nname: !!python/name:os.system x", "python/name:os.system"),
        ("transport: inMemory\nname: !vault x", "!vault"),
        ("transport: inMemory\nname: {{a}}\n", 'quote a reference: "{{path}}"'),
        ("transport: &t\n  inMemory: *t\n", "contains itself"),
        (
            "transport: inMemory\nname: a\nNAME: b\n",
            "(a.yml:3): the key 'NAME' stands twice, first as 'name' on line 2; keep one",
        ),
        ("transport: inMemory\nlogs:\n  <<: 3\n", "`<<` merges blocks only"),
    ],
)
def test_a_document_that_is_no_configuration_is_refused_with_its_line(
    text: str, complaint: str
) -> None:
    with pytest.raises(ConfigurationError) as caught:
        worker(text)
    assert complaint in str(caught.value)


def test_an_empty_document_lacks_only_what_is_required() -> None:
    with pytest.raises(ConfigurationError, match=r"transport .*is required") as caught:
        worker("")
    assert len(caught.value.problems) == 1


def test_anchors_and_merge_keys_share_blocks() -> None:
    loaded = worker("""
        transport: inMemory
        services:
          - &first {name: A, class: shop.A, concurrency: 3}
          - {<<: *first, name: B}
          - {<<: [{concurrency: 4}, *first], name: C}
        """)
    executors = [service.executor for service in loaded.services]
    assert [executor.concurrency for executor in executors if executor] == [3, 3, 4]
