"""The YAML of the workers that run the load, whole and split in three."""

import uuid
from collections.abc import Mapping
from urllib.parse import SplitResult, unquote, urlsplit

SERVICES = """\
services:
  - name: Ledger
    class: reliability.orders.LedgerImpl
    concurrency: 10
"""
EXECUTORS = """\
workflows:
  - name: Orders
    class: reliability.orders.OrdersImpl
    concurrency: 5
"""
ENGINES = """\
workflows:
  - name: Orders
    stateEngine: {concurrency: 10}
    tagEngine: {concurrency: 5}
"""
WALK = """\
  - name: Walk
    class: reliability.orders.WalkImpl
    stateEngine: {concurrency: 10}
"""
WHOLE = SERVICES + EXECUTORS + "    stateEngine: {concurrency: 10}\n    tagEngine:\n"


def transport(urls: Mapping[str, str]) -> str:
    """A namespace of its own on a broker."""
    return (
        "transport:\n  pulsar:\n"
        f"    brokerServiceUrl: {urls['INFINITIC_PULSAR_BROKER_URL']}\n"
        f"    webServiceUrl: {urls['INFINITIC_PULSAR_WEB_URL']}\n"
        f"    tenant: infinitic-tests\n    namespace: reliability-{uuid.uuid4().hex[:12]}\n"
        "    partitions: 4\n"
    )


def storage(kind: str, urls: Mapping[str, str]) -> str:
    """A store of that kind."""
    url = urlsplit(urls[_VARIABLES[kind]])
    lines = ["storage:", f"  {kind}:", f"    host: {url.hostname}", f"    port: {url.port}"]
    return "\n".join([*lines, *_credentials(kind, url), ""])


_VARIABLES = {
    "postgres": "INFINITIC_POSTGRES_URL",
    "redis": "INFINITIC_REDIS_URL",
    "mysql": "INFINITIC_MARIADB_URL",
}


def _credentials(kind: str, url: SplitResult) -> list[str]:
    if kind == "redis":
        return []
    return [f"    username: {unquote(url.username or '')}", f'    password: "{url.password or ""}"']
