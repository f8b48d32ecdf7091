"""Redis, whose data outlive a crash of the process."""

import socket
from pathlib import Path
from typing import ClassVar

from service_control import _install
from service_control._server import Launch


class Redis:
    """A Redis server with a log of its writes, as a store of workflows must have one."""

    name: ClassVar[str] = "redis"
    ports: ClassVar[tuple[int, ...]] = (16379,)
    packages: ClassVar[str] = "Debian package redis-server (Redis 6 or later)"
    user: ClassVar[str | None] = None
    limit: ClassVar[float] = 20.0

    def available(self) -> bool:
        """Return whether redis-server is here."""
        return _install.find("redis-server") is not None

    def install(self) -> None:
        """Install redis-server."""
        _install.apt("redis-server")

    def prepare(self, folder: Path, ports: tuple[int, ...]) -> Launch:
        """Return the command; there is nothing to make."""
        program = _install.find("redis-server") or Path("redis-server")
        options = ["--bind", "127.0.0.1", "--port", str(ports[0]), "--dir", str(folder)]
        # Written before each answer; what a crash of the machine would lose, nobody misses here.
        log = ["--appendonly", "yes", "--appendfsync", "no"]
        return Launch([program, *options, "--save", "", *log], {})

    def urls(self, ports: tuple[int, ...]) -> dict[str, str]:
        """Return the address."""
        return {"INFINITIC_REDIS_URL": f"redis://127.0.0.1:{ports[0]}/0"}

    def ready(self, ports: tuple[int, ...]) -> bool:
        """Return whether it answers a ping."""
        with socket.create_connection(("127.0.0.1", ports[0]), timeout=1) as connection:
            connection.sendall(b"PING\r\n")
            return connection.recv(64).startswith(b"+PONG")
