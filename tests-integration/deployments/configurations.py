"""The YAML of a worker on real servers, whole and split in three."""

import uuid
from urllib.parse import unquote, urlsplit

import attrs
from service_control import ensure

SERVICES = """\
services:
  - name: Counting
    class: deployments.counting_shop.CountingImpl
    concurrency: 10
"""

EXECUTORS = """\
workflows:
  - name: Totals
    class: deployments.counting_shop.TotalsImpl
    concurrency: 5
"""

ENGINES = """\
workflows:
  - name: Totals
    stateEngine: {concurrency: 10}
    tagEngine: {concurrency: 5}
"""

WHOLE = SERVICES + EXECUTORS + "    stateEngine: {concurrency: 10}\n"


@attrs.frozen
class Servers:
    """Where messages and states are, in YAML.

    Attributes:
        transport: All that services, workflow executors and clients need.
        storage: What engines need beside it.
    """

    transport: str
    storage: str


def servers() -> Servers:
    """A namespace of its own on real servers, which are running then."""
    urls = ensure("pulsar", "postgres")
    postgres = urlsplit(urls["INFINITIC_POSTGRES_URL"])
    transport = (
        "transport:\n  pulsar:\n"
        f"    brokerServiceUrl: {urls['INFINITIC_PULSAR_BROKER_URL']}\n"
        f"    webServiceUrl: {urls['INFINITIC_PULSAR_WEB_URL']}\n"
        f"    tenant: infinitic-tests\n    namespace: deployments-{uuid.uuid4().hex[:12]}\n"
        "    partitions: 4\n"
    )
    storage = (
        "storage:\n  postgres:\n"
        f"    host: {postgres.hostname}\n    port: {postgres.port or 5432}\n"
        f"    username: {unquote(postgres.username or 'postgres')}\n"
        f'    password: "{unquote(postgres.password or "")}"\n'
        "    schema: infinitic_deployments\n"
    )
    return Servers(transport, storage)
