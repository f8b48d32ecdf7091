"""Readiness follows the servers that a worker stands on."""

import asyncio
import json
import urllib.error
import urllib.request
from urllib.parse import urlsplit

from observability.programs import Orders, Payments, PaymentsImpl
from reliability.private_servers import private_servers
from service_control._process import free_port

from infinitic_common.configuration import (
    HealthConfiguration,
    PulsarConfiguration,
    RedisConfiguration,
)
from infinitic_storage import RedisStorage
from infinitic_task_executor import ServiceExecutor
from infinitic_transport_pulsar import PulsarTransport
from infinitic_worker import InfiniticWorker
from infinitic_workflow_engine import WorkflowStateEngine

PATIENCE_SECONDS = 60.0
LIVE = {"status": "live", "worker": "w"}


def _worker(urls: dict[str, str], port: int) -> InfiniticWorker:
    redis = urlsplit(urls["INFINITIC_REDIS_URL"])
    pulsar = PulsarConfiguration(
        broker_service_url=urls["INFINITIC_PULSAR_BROKER_URL"],
        web_service_url=urls["INFINITIC_PULSAR_WEB_URL"],
        tenant="infinitic-tests",
        namespace="health",
        partitions=2,
    )
    storage = RedisConfiguration(
        host=redis.hostname or "127.0.0.1", port=redis.port or 6379, timeout=1000
    )
    return InfiniticWorker(
        transport=PulsarTransport(pulsar),
        storage=RedisStorage(storage),
        components=[ServiceExecutor(Payments, PaymentsImpl), WorkflowStateEngine(Orders)],
        name="w",
        shutdown_grace_seconds=1,
        health=HealthConfiguration(host="127.0.0.1", port=port),
    )


def _asked(port: int, path: str) -> tuple[int, dict[str, object]]:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=10) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        with error:
            return error.code, json.load(error)


async def test_a_worker_whose_servers_are_gone_is_live_but_not_ready_and_says_why() -> None:
    port = free_port(8080)
    with private_servers("pulsar", "redis") as servers:
        worker = _worker(servers.urls, port)
        await worker.open()
        assert await asyncio.to_thread(_asked, port, "/ready") == (
            200,
            {
                "status": "ready",
                "worker": "w",
                "problems": [],
                "checks": {"worker": "ok", "transport": "ok", "storage": "ok"},
            },
        )
        await asyncio.to_thread(servers.restart, "redis", kill=True)
        assert (await asyncio.to_thread(_asked, port, "/ready"))[0] == 200
    async with asyncio.timeout(PATIENCE_SECONDS):
        told: dict[str, object] = {}
        while told.get("checks") != {"worker": "ok", "transport": "failed", "storage": "failed"}:
            status, told = await asyncio.to_thread(_asked, port, "/ready")
            await asyncio.sleep(0.1)
    assert status == 503
    problems = told["problems"]
    assert isinstance(problems, list)
    assert any("service-executor:Payments is not connected" in one for one in problems)
    assert any(one.startswith("storage: default: ") for one in problems)
    assert await asyncio.to_thread(_asked, port, "/live") == (200, LIVE)
    await worker.aclose()
