"""Servers of one's own, which may be killed without disturbing other tests."""

import os
import subprocess
import sys
import tempfile
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from pathlib import Path

import attrs
from service_control import VARIABLES

_SETTINGS = "pulsar.settings"
_COMMAND = (sys.executable, str(Path(__file__).parents[2] / "tools" / "services"))


@attrs.frozen
class PrivateServers:
    """Servers with their data in a folder."""

    folder: Path
    urls: dict[str, str]

    def restart(self, name: str, *, kill: bool) -> None:
        """End a server, by SIGKILL if wanted, and start it again with its data."""
        _run(self.folder, "restart", name, *(["--kill"] if kill else []))


@contextmanager
def private_servers(
    *names: str, pulsar: Mapping[str, str] | None = None
) -> Generator[PrivateServers]:
    """Run servers during the block.

    Args:
        names: As ``tools/services`` knows them.
        pulsar: Settings of the broker beside the usual ones.
    """
    # Not below the folder of the tests: servers that drop root's rights could not enter it.
    with tempfile.TemporaryDirectory(prefix="infinitic-private-") as name:
        folder = Path(name)
        lines = [f"{setting}={value}\n" for setting, value in (pulsar or {}).items()]
        (folder / _SETTINGS).write_text("".join(lines))
        try:
            printed = _run(folder, "start", *names)
            urls = dict(line.split("=", 1) for line in printed.splitlines() if "=" in line)
            yield PrivateServers(folder, urls)
        finally:
            _run(folder, "stop", *names)


def _run(folder: Path, *words: str) -> str:
    ours = {variable for variables in VARIABLES.values() for variable in variables}
    environment = {name: value for name, value in os.environ.items() if name not in ours}
    done = subprocess.run(  # noqa: S603 - our own command
        [*_COMMAND, *words],
        env={
            **environment,
            "INFINITIC_SERVICES_RUN": str(folder),
            "INFINITIC_SERVICES_PULSAR_SETTINGS": str(folder / _SETTINGS),
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout
