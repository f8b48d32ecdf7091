import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence

import attrs
import pytest
from telemetry_doubles import Broker
from worker_doubles import RecordingComponent, make_client

from infinitic_common.configuration import HealthConfiguration
from infinitic_common.exceptions import StorageUnavailable
from infinitic_worker import InfiniticWorker, WorkerError
from infinitic_worker._health import HealthEndpoint

HERE = HealthConfiguration(port=0, host="127.0.0.1", timeout_seconds=0.2)


@attrs.define(eq=False)
class Server:
    """What a worker depends on, as a check sees it."""

    wrong: list[str] = attrs.field(factory=list[str])
    answers: asyncio.Event = attrs.field(factory=asyncio.Event)
    asked: int = 0

    async def check(self) -> Sequence[str]:
        self.asked += 1
        await self.answers.wait()
        return self.wrong


@pytest.fixture
async def server() -> Server:
    server = Server()
    server.answers.set()
    return server


@pytest.fixture
async def endpoint(server: Server) -> AsyncIterator[HealthEndpoint]:
    endpoint = HealthEndpoint(HERE, "w", {"transport": server.check})
    await endpoint.open()
    yield endpoint
    await endpoint.close()


async def asked(port: int, path: str, method: str = "GET") -> tuple[int, dict[str, object]]:
    """Status and body of an answer."""
    head, body = await raw(port, f"{method} {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
    return int(head.split()[1]), json.loads(body or b"{}")


async def raw(port: int, request: bytes) -> tuple[bytes, bytes]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(request)
    answer = await reader.read()
    writer.close()
    await writer.wait_closed()
    head, _, body = answer.partition(b"\r\n\r\n")
    return head, body


async def test_a_worker_is_live_as_long_as_it_answers(
    endpoint: HealthEndpoint, server: Server
) -> None:
    server.wrong.append("gone")
    assert await asked(endpoint.port, "/live") == (200, {"status": "live", "worker": "w"})


async def test_a_worker_is_ready_when_nothing_is_wrong(endpoint: HealthEndpoint) -> None:
    status, body = await asked(endpoint.port, "/ready")
    assert (status, body["status"], body["checks"]) == (200, "ready", {"transport": "ok"})


async def test_what_is_wrong_is_named(endpoint: HealthEndpoint, server: Server) -> None:
    server.wrong.append("no consumer of topic x")
    status, body = await asked(endpoint.port, "/ready?verbose")
    assert status == 503
    assert body == {
        "status": "not ready",
        "worker": "w",
        "problems": ["transport: no consumer of topic x"],
        "checks": {"transport": "failed"},
    }


async def test_a_check_that_hangs_is_a_problem_and_not_made_twice(
    endpoint: HealthEndpoint, server: Server
) -> None:
    server.answers.clear()
    for _ in range(2):
        status, body = await asked(endpoint.port, "/ready")
        assert (status, body["problems"]) == (503, ["transport: no answer within 0.2 s"])
    assert server.asked == 1
    server.answers.set()
    assert (await asked(endpoint.port, "/ready"))[0] == 200


async def test_a_check_that_raises_is_a_problem() -> None:
    async def check() -> Sequence[str]:
        msg = "no route"
        raise OSError(msg)

    endpoint = HealthEndpoint(HERE, "w", {"storage": check})
    assert (await endpoint.ready())["problems"] == ["storage: OSError: no route"]


@pytest.mark.parametrize(
    ("request_line", "status"),
    [
        ("GET /other HTTP/1.1", 404),
        ("POST /ready HTTP/1.1", 405),
        ("HEAD /ready HTTP/1.1", 200),
        ("GET /ready/ HTTP/1.0", 200),
    ],
)
async def test_requests_are_read_as_http(
    endpoint: HealthEndpoint, request_line: str, status: int
) -> None:
    head, body = await raw(endpoint.port, f"{request_line}\r\n\r\n".encode())
    assert head.startswith(f"HTTP/1.1 {status} ".encode())
    assert bool(body) is not request_line.startswith("HEAD")


async def test_what_is_no_request_is_not_answered(endpoint: HealthEndpoint) -> None:
    assert await raw(endpoint.port, b"x" * 20_000 + b"\r\n\r\n") == (b"", b"")


async def test_a_port_that_is_taken_is_told(endpoint: HealthEndpoint) -> None:
    second = HealthEndpoint(attrs.evolve(HERE, port=endpoint.port), "w", {})
    with pytest.raises(WorkerError, match=r"health cannot listen on 127\.0\.0\.1:\d+"):
        await second.open()


# --- of a worker -------------------------------------------------------------------------------


@attrs.define(eq=False)
class Store:
    """A storage that can be asked for nothing but whether it is there."""

    failure: Exception | None = None

    @property
    def key_values(self) -> "Store":
        return self

    async def get(self, _keys: object) -> dict[str, object]:
        if self.failure is not None:
            raise self.failure
        return {}

    async def close(self) -> None:
        pass


Ask = Callable[[], Awaitable[tuple[int, list[str]]]]


def asking(port: int) -> Ask:
    async def ask() -> tuple[int, list[str]]:
        status, body = await asked(port, "/ready")
        problems = body["problems"]
        assert isinstance(problems, list)
        return status, problems

    return ask


def port_in(caplog: pytest.LogCaptureFixture) -> int:
    (told,) = (text for text in caplog.messages if text.startswith("health at"))
    return int(told.rpartition(":")[2].removesuffix("/ready"))


async def test_a_worker_is_ready_from_its_start_to_its_end(
    caplog: pytest.LogCaptureFixture,
) -> None:
    component = RecordingComponent(opens=asyncio.Event(), finishes=asyncio.Event())
    assert component.opens is not None
    assert component.finishes is not None
    worker = InfiniticWorker(
        transport=Broker(), components=[component], client_factory=make_client, health=HERE
    )
    with caplog.at_level("INFO", "infinitic_worker"):
        opening = asyncio.ensure_future(worker.open())
        await component.starting.wait()
    ask = asking(port_in(caplog))
    assert await ask() == (503, ["worker: starting"])
    component.opens.set()
    await opening
    assert await ask() == (200, [])
    closing = asyncio.ensure_future(worker.aclose())
    await component.stopping.wait()
    assert await ask() == (503, ["worker: stopping"])
    component.finishes.set()
    await closing
    with pytest.raises(OSError, match=r"refused|Connect"):
        await ask()


async def test_a_worker_without_its_broker_or_its_storage_is_not_ready(
    caplog: pytest.LogCaptureFixture,
) -> None:
    broker, store = Broker(), Store()
    worker = InfiniticWorker(
        transport=broker,
        storage=store,  # type: ignore[arg-type]  # in place of one
        components=[],
        client_factory=make_client,
        health=HERE,
    )
    with caplog.at_level("INFO", "infinitic_worker"):
        async with worker:
            ask = asking(port_in(caplog))
            assert await ask() == (200, [])
            broker.wrong.append("no consumer")
            store.failure = StorageUnavailable("it is down")
            assert await ask() == (
                503,
                [
                    "transport: no consumer",
                    "storage: default: StorageUnavailable: it is down",
                ],
            )
