# ruff: noqa: D102, D103, INP001, S101 -- tests import it by its name
"""Redis servers of a test's own, which it may stop, restrict and join into a cluster."""

import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Self

import redis

from infinitic_common.configuration import RedisConfiguration


class RedisProcess:
    """A server with its files in a folder, which outlive it.

    Args:
        folder: Where its files are.
        options: More options of ``redis-server``.
        is_clustered: Whether it is to be part of a cluster.
    """

    def __init__(
        self, folder: Path, options: Sequence[str] = (), *, is_clustered: bool = False
    ) -> None:
        self.port = free_port()
        self.bus_port = free_port()
        self._folder = folder
        cluster = ("--cluster-enabled", "yes", "--cluster-port", str(self.bus_port))
        self._options = (*options, *cluster) if is_clustered else options
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()

    @property
    def configuration(self) -> RedisConfiguration:
        return RedisConfiguration(host="127.0.0.1", port=self.port)

    def ask(self, *command: str | int, database: int = 0) -> object:
        """Execute a command behind the storage's back."""
        with redis.Redis(host="127.0.0.1", port=self.port, db=database, protocol=2) as client:
            answer: object = client.execute_command(*command)
        return answer.decode() if isinstance(answer, bytes) else answer

    def listen_with_tls(self) -> int:
        """Listen on one more port, for TLS, with the certificate of the options."""
        port = free_port()
        self.ask("CONFIG", "SET", "tls-port", port, "tls-auth-clients", "no")
        return port

    def start(self) -> None:
        """Start, and wait until it accepts connections."""
        program = shutil.which("redis-server")
        if program is None:
            message = "redis-server is not here: install the Debian package redis-server"
            raise RuntimeError(message)
        place = ["--bind", "127.0.0.1", "--port", str(self.port), "--dir", str(self._folder)]
        command = [program, *place, "--save", "", "--loglevel", "warning", *self._options]
        self._process = subprocess.Popen(command, stdout=subprocess.DEVNULL)  # noqa: S603 - our own command
        self._wait()

    def kill(self) -> None:
        """End it as a failing machine would."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def _wait(self) -> None:
        until(self._is_ready, f"the redis-server on port {self.port} does not answer")

    def _is_ready(self) -> bool:
        assert self._process is not None
        assert self._process.poll() is None, "redis-server ended"
        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=1):
                return True
        except ConnectionRefusedError:
            return False


@contextmanager
def running_cluster(folder: Path, size: int = 2) -> Iterator[list[RedisProcess]]:
    """Servers that share the slots."""
    servers: list[RedisProcess] = []
    try:
        for number in range(size):
            place = folder / str(number)
            place.mkdir()
            servers.append(RedisProcess(place, is_clustered=True))
            servers[-1].start()
        _join(servers)
        yield servers
    finally:
        for server in servers:
            server.kill()


def is_whole(servers: Sequence[RedisProcess]) -> bool:
    """Whether each of them knows all of them, and has no slot missing."""
    infos = [str(server.ask("CLUSTER", "INFO")) for server in servers]
    size = f"cluster_known_nodes:{len(servers)}\r"
    return all("cluster_state:ok" in info and size in info for info in infos)


def _join(servers: Sequence[RedisProcess]) -> None:
    share = 16_384 // len(servers)
    for number, server in enumerate(servers):
        end = 16_383 if server is servers[-1] else (number + 1) * share - 1
        server.ask("CLUSTER", "ADDSLOTSRANGE", number * share, end)
        server.ask("CLUSTER", "SET-CONFIG-EPOCH", number + 1)
    first = servers[0]
    for server in servers[1:]:
        server.ask("CLUSTER", "MEET", "127.0.0.1", first.port, first.bus_port)
    until(lambda: is_whole(servers), "the cluster does not form")


def until(condition: Callable[[], bool], complaint: str) -> None:
    """Wait for something in another process, which tells nobody."""
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline, complaint
        time.sleep(0.02)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
