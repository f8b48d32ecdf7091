"""PostgreSQL, tuned for data that may be lost."""

import shutil
import socket
import struct
from pathlib import Path
from typing import ClassVar

from service_control import _install, _process
from service_control._server import Launch

_FOLDERS = ("usr/lib/postgresql/*/bin",)
# Nothing survives a crash of the machine, which throw-away data need not: fewer waits for disks.
_SETTINGS = {
    "fsync": "off",
    "full_page_writes": "off",
    "max_connections": "200",
    "shared_buffers": "128MB",
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
}


class Postgres:
    """A cluster of its own, with the superuser ``infinitic`` (password ``infinitic``)."""

    name: ClassVar[str] = "postgres"
    ports: ClassVar[tuple[int, ...]] = (15432,)
    packages: ClassVar[str] = "Debian package postgresql (PostgreSQL 13 or later)"
    user: ClassVar[str | None] = "postgres"
    limit: ClassVar[float] = 30.0

    def available(self) -> bool:
        """Return whether the server and initdb are here."""
        return all(_install.find(program, _FOLDERS) for program in ("initdb", "postgres"))

    def install(self) -> None:
        """Install the server."""
        _install.apt("postgresql")

    def prepare(self, folder: Path, ports: tuple[int, ...]) -> Launch:
        """Make the cluster when there is none, and return the command."""
        data = folder / "data"
        if not (data / "PG_VERSION").exists():
            self._make(folder, data)
        # Left by one that was killed: its process is gone, as whoever starts this one knows, but
        # Postgres takes it for alive while nobody has asked for its status.
        (data / "postmaster.pid").unlink(missing_ok=True)
        program = _install.find("postgres", _FOLDERS) or Path("postgres")
        settings = [f"-c{name}={value}" for name, value in _SETTINGS.items()]
        return Launch([program, "-D", data, "-p", str(ports[0]), *settings], {})

    def _make(self, folder: Path, data: Path) -> None:
        shutil.rmtree(data, ignore_errors=True)
        password = folder / "password"
        password.write_text("infinitic\n")
        _process.own(password, self.user)
        program = _install.find("initdb", _FOLDERS) or Path("initdb")
        options = ["-U", "infinitic", "-A", "scram-sha-256", "--pwfile", str(password)]
        more = ["-E", "UTF8", "--no-locale", "--no-sync"]
        _process.run([program, "-D", data, *options, *more], folder, user=self.user)

    def urls(self, ports: tuple[int, ...]) -> dict[str, str]:
        """Return the address of the maintenance database."""
        url = f"postgresql://infinitic:infinitic@127.0.0.1:{ports[0]}/postgres"
        return {"INFINITIC_POSTGRES_URL": url}

    def ready(self, ports: tuple[int, ...]) -> bool:
        """Return whether it asks a new connection for its password.

        The start-up packet is protocol 3.0; see "Message Formats" in PostgreSQL's manual.
        """
        body = struct.pack("!I", 196608) + b"user\0infinitic\0database\0postgres\0\0"
        with socket.create_connection(("127.0.0.1", ports[0]), timeout=1) as connection:
            connection.sendall(struct.pack("!I", len(body) + 4) + body)
            return connection.recv(1) == b"R"
