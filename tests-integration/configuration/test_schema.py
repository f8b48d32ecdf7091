"""The schema for editors accepts what the loader accepts, and refuses what it can tell."""

import json
import re
from io import StringIO
from pathlib import Path

import jsonschema
import pytest
from ruamel.yaml import YAML

from infinitic_common.configuration import WorkerConfiguration, json_schema, load_configuration
from infinitic_common.configuration import string_source as source

ROOT = Path(__file__).parents[2]
SEED = """
transport:
  pulsar: {brokerServiceUrl: "pulsar://b:6650", webServiceUrl: "http://b:8080", tenant: t, namespace: n}
storage:
  postgres: {host: b, port: 5432, username: infinitic, password: "${PG_PASSWORD:-none}"}
  compression: gzip
  cache:
services:
  - name: PaymentService
    class: shop.PaymentServiceImpl
    concurrency: 10
    retry: {maximumRetries: 3}
    tagEngine: {concurrency: 5}
workflows:
  - name: OrderWorkflow
    class: shop.OrderWorkflowImpl
    executor: {concurrency: "${N:-5}"}
    stateEngine: {concurrency: 10}
    tagEngine:
"""


def plain(text: str) -> object:
    return YAML(typ="safe").load(StringIO(text))


def test_the_schema_is_a_schema() -> None:
    jsonschema.Draft202012Validator.check_schema(json_schema())


@pytest.mark.parametrize(
    "text",
    [
        SEED,
        "transport: inMemory\nstorage: inMemory\n",
        SEED.replace("compression: gzip", "compression: GZIP") + "logs: {level: INFO}\n",
        SEED.replace("namespace: n", "namespace: n, producer: {compressionType: lz4}"),
        SEED.replace("namespace: n", "namespace: n, orderedSubscription: keyshared"),
        SEED.replace("namespace: n", "namespace: n, authentication: {token: secret}"),
        SEED.replace("namespace: n", "namespace: n, client: {authentication: {token: secret}}"),
    ],
)
def test_what_the_loader_accepts_the_schema_accepts(text: str) -> None:
    load_configuration(WorkerConfiguration, source(text))
    jsonschema.validate(plain(text), json_schema())


@pytest.mark.parametrize(
    ("right", "wrong", "word"),
    [
        ("    concurrency: 10\n", "    concurency: 10\n", "concurency"),
        ("maximumRetries: 3", "maximumRetries: -3", "-3"),
        ("compression: gzip", "compression: zip", "zip"),
        ("namespace: n", "name_space: n", "name_space"),
        ("namespace: n", "namespace: t/n", "t/n"),
    ],
)
def test_what_is_wrong_is_marked(right: str, wrong: str, word: str) -> None:
    assert right in SEED
    with pytest.raises(jsonschema.ValidationError) as caught:
        jsonschema.validate(plain(SEED.replace(right, wrong)), json_schema())
    assert word in json.dumps(caught.value.instance)


def test_the_yaml_of_every_readme_fits() -> None:
    blocks = [
        block
        for readme in (ROOT / "README.md", *ROOT.glob("packages/*/README.md"))
        for block in re.findall(r"```yaml\n(.*?)```", readme.read_text(encoding="utf-8"), re.DOTALL)
        if "\ntransport:" in f"\n{block}"
    ]
    assert blocks
    for block in blocks:
        jsonschema.validate(plain(block), json_schema())
