"""Liveness and readiness over HTTP."""

import asyncio
import contextlib
import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from http import HTTPStatus

import attrs

from infinitic_common.configuration import HealthConfiguration
from infinitic_worker._errors import WorkerError

Check = Callable[[], Awaitable[Sequence[str]]]
"""Answers what is wrong; nothing when all is well."""

_REQUEST_SECONDS = 5.0
_LONGEST_REQUEST = 8192


class HealthEndpoint:
    """Answers ``/live`` and ``/ready``, with a JSON body that names what is wrong.

    It is live as long as its event loop answers, and ready when every check finds nothing wrong.

    Args:
        configuration: Where it listens.
        worker_name: Told in each answer.
        checks: What readiness depends on, by name.
    """

    def __init__(
        self, configuration: HealthConfiguration, worker_name: str, checks: Mapping[str, Check]
    ) -> None:
        self._configuration = configuration
        self._worker_name = worker_name
        self._checks = {name: _Probe(check) for name, check in checks.items()}
        self._server: asyncio.Server | None = None

    @property
    def port(self) -> int:
        """Where it listens; 0 when it does not."""
        sockets = self._server.sockets if self._server is not None else ()
        return int(sockets[0].getsockname()[1]) if sockets else 0

    async def open(self) -> None:
        """Begin to answer.

        Raises:
            WorkerError: The port is taken.
        """
        host, port = self._configuration.host, self._configuration.port
        try:
            self._server = await asyncio.start_server(
                self._serve, host, port, limit=_LONGEST_REQUEST
            )
        except OSError as error:
            msg = f"health cannot listen on {host}:{port}: {error}; give another `port`"
            raise WorkerError(msg) from error

    async def close(self) -> None:
        """Answer no more."""
        if self._server is not None:
            self._server.close()
        for probe in self._checks.values():
            probe.close()

    async def ready(self) -> dict[str, object]:
        """What readiness depends on, and how each stands."""
        seconds = self._configuration.timeout_seconds
        found = await asyncio.gather(*(probe.ask(seconds) for probe in self._checks.values()))
        checks = dict(zip(self._checks, found, strict=True))
        problems = [f"{name}: {problem}" for name, some in checks.items() for problem in some]
        return {
            "status": "not ready" if problems else "ready",
            "worker": self._worker_name,
            "problems": problems,
            "checks": {name: "failed" if some else "ok" for name, some in checks.items()},
        }

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            async with asyncio.timeout(_REQUEST_SECONDS):
                head = await reader.readuntil(b"\r\n\r\n")
            writer.write(await self._answer(head))
            await writer.drain()
        except (TimeoutError, OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            pass  # whoever asks so is not answered
        finally:
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()

    async def _answer(self, head: bytes) -> bytes:
        method, _, rest = head.decode("latin-1").partition(" ")
        path = rest.partition(" ")[0].partition("?")[0].rstrip("/")
        if method not in {"GET", "HEAD"}:
            return _response(HTTPStatus.METHOD_NOT_ALLOWED, {"status": "only GET"}, method)
        if path == "/live":
            body: dict[str, object] = {"status": "live", "worker": self._worker_name}
            return _response(HTTPStatus.OK, body, method)
        if path == "/ready":
            body = await self.ready()
            status = HTTPStatus.SERVICE_UNAVAILABLE if body["problems"] else HTTPStatus.OK
            return _response(status, body, method)
        return _response(HTTPStatus.NOT_FOUND, {"status": "ask /live or /ready"}, method)


@attrs.define
class _Probe:
    """A check that is never made twice at once: one that hangs must not use up connections."""

    check: Check
    running: "asyncio.Task[Sequence[str]] | None" = None

    async def ask(self, seconds: float) -> Sequence[str]:
        """What is wrong; also when the answer takes too long."""
        if self.running is None or self.running.done():
            self.running = asyncio.ensure_future(self._checked())
        done, _ = await asyncio.wait({self.running}, timeout=seconds)
        if not done:
            return [f"no answer within {seconds:g} s"]
        return self.running.result()

    async def _checked(self) -> Sequence[str]:
        try:
            return await self.check()
        except Exception as error:  # noqa: BLE001 - whatever it is, it is told
            return [f"{type(error).__name__}: {error}"]

    def close(self) -> None:
        if self.running is not None:
            self.running.cancel()


def _response(status: HTTPStatus, body: Mapping[str, object], method: str) -> bytes:
    content = json.dumps(body).encode()
    head = (
        f"HTTP/1.1 {status.value} {status.phrase}\r\n"
        "Content-Type: application/json\r\n"
        f"Content-Length: {len(content)}\r\n"
        "Cache-Control: no-store\r\n"
        "Connection: close\r\n\r\n"
    )
    return head.encode() + (b"" if method == "HEAD" else content)
