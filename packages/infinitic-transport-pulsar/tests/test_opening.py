import subprocess
import sys
import textwrap

import pytest

from infinitic_common.configuration import PulsarConfiguration, TransportConfiguration
from infinitic_common.exceptions import TransportError
from infinitic_common.transport import TopicKind
from infinitic_transport_pulsar import PulsarTransport, open_transport

NOWHERE = PulsarConfiguration(
    broker_service_url="pulsar://127.0.0.1:1",
    web_service_url="http://127.0.0.1:1",
    tenant="t",
    namespace="n",
)


async def test_client_26_a_transport_that_is_not_used_connects_to_nothing() -> None:
    transport = open_transport(TransportConfiguration("pulsar", NOWHERE), name="me")
    assert transport.name == "me"
    await transport.close()


def test_a_configuration_of_another_transport_is_refused() -> None:
    with pytest.raises(TransportError, match="pulsar"):
        open_transport(TransportConfiguration("memory"), name=None)


async def test_an_administration_that_does_not_answer_is_unavailable_and_named() -> None:
    transport = PulsarTransport(NOWHERE)
    with pytest.raises(Exception, match="webServiceUrl"):
        await transport.entities(TopicKind.SERVICE_EXECUTOR)
    await transport.close()


def test_a_process_that_forgets_to_close_ends_normally(configuration: PulsarConfiguration) -> None:
    code = f"""
        import asyncio
        from infinitic_common.configuration import PulsarConfiguration, PulsarPolicies
        from infinitic_common.transport import Subscription, Topic, TopicKind
        from infinitic_transport_pulsar import PulsarTransport

        async def handler(messages):
            return ()

        async def main():
            transport = PulsarTransport(PulsarConfiguration(
                broker_service_url={configuration.broker_service_url!r},
                web_service_url={configuration.web_service_url!r},
                tenant={configuration.tenant!r},
                namespace={configuration.namespace!r},
            ))
            topic = Topic(TopicKind.SERVICE_EXECUTOR, "Forgetful")
            await transport.consume(Subscription((topic,), "service"), handler)

        asyncio.run(main())
    """
    ended = subprocess.run(  # noqa: S603 - our own code
        [sys.executable, "-c", textwrap.dedent(code)], check=False, timeout=60
    )
    assert ended.returncode == 0
