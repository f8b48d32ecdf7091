"""MariaDB, tuned for data that may be lost."""

import socket
from pathlib import Path
from typing import ClassVar

from service_control import _install, _process
from service_control._server import Launch

_OPTIONS = [
    "--bind-address=127.0.0.1",
    "--skip-log-bin",
    "--innodb-flush-log-at-trx-commit=2",
    "--innodb-doublewrite=0",
    "--innodb-buffer-pool-size=64M",
    "--character-set-server=utf8mb4",
]
_INIT = """\
CREATE USER IF NOT EXISTS infinitic@'127.0.0.1' IDENTIFIED BY 'infinitic';
GRANT ALL ON *.* TO infinitic@'127.0.0.1' WITH GRANT OPTION;
CREATE USER IF NOT EXISTS infinitic@localhost IDENTIFIED BY 'infinitic';
GRANT ALL ON *.* TO infinitic@localhost WITH GRANT OPTION;
"""
_PROTOCOL = 10  # first byte of the greeting, after its four bytes of header


class MariaDb:
    """A server of its own, with the user ``infinitic`` (password ``infinitic``) and all rights."""

    name: ClassVar[str] = "mariadb"
    ports: ClassVar[tuple[int, ...]] = (13306,)
    packages: ClassVar[str] = (
        "Debian packages mariadb-server-core and mariadb-client (MariaDB 10.6 or later)"
    )
    user: ClassVar[str | None] = "nobody"
    limit: ClassVar[float] = 30.0

    def available(self) -> bool:
        """Return whether the server and its install script are here."""
        programs = ("mariadbd", "mariadb-install-db", "my_print_defaults")
        return all(map(_install.find, programs))

    def install(self) -> None:
        """Install the server without its service."""
        _install.apt("mariadb-server-core", "mariadb-client")

    def prepare(self, folder: Path, ports: tuple[int, ...]) -> Launch:
        """Make the system tables when there are none, and return the command."""
        data, init = folder / "data", folder / "init.sql"
        if not (data / "mysql").exists():
            init.write_text(_INIT)
            init.chmod(0o644)
            script = _install.find("mariadb-install-db") or Path("mariadb-install-db")
            options = [f"--datadir={data}", "--auth-root-authentication-method=normal"]
            command: list[str | Path] = [script, "--no-defaults", "--skip-test-db", *options]
            _process.run(command, folder, user=self.user)
        program = _install.find("mariadbd") or Path("mariadbd")
        where = [f"--datadir={data}", f"--port={ports[0]}", f"--socket={folder / 'socket'}"]
        return Launch([program, "--no-defaults", f"--init-file={init}", *where, *_OPTIONS], {})

    def urls(self, ports: tuple[int, ...]) -> dict[str, str]:
        """Return the address, without a database."""
        return {"INFINITIC_MARIADB_URL": f"mysql://infinitic:infinitic@127.0.0.1:{ports[0]}"}

    def ready(self, ports: tuple[int, ...]) -> bool:
        """Return whether it greets; it reads its init file before it listens."""
        with socket.create_connection(("127.0.0.1", ports[0]), timeout=1) as connection:
            greeting = connection.recv(5)
            return len(greeting) > 4 and greeting[4] == _PROTOCOL  # noqa: PLR2004 - after the length and number
