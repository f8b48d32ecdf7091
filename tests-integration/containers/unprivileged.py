"""Who is nobody on this machine, and which Python they can run."""

import os
import pwd
import subprocess
import sys
import tempfile
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from pathlib import Path

import attrs
from service_control._install import apt, can_install

_PATIENCE_SECONDS = 900.0


@attrs.frozen
class Unprivileged:
    """A user who is not root, with a folder of their own.

    Attributes:
        home: The folder.
        user: Their id; None when the tests do not run as root: then it is whoever runs them.
    """

    home: Path
    user: int | None

    @property
    def variables(self) -> Mapping[str, str]:
        """The environment of their programs: without the checkout's packages."""
        hidden = {"PYTHONPATH", "VIRTUAL_ENV", "UV_CONSTRAINT"}
        kept = {key: value for key, value in os.environ.items() if key not in hidden}
        return {**kept, "HOME": str(self.home), "TMPDIR": str(self.home)}

    def start(self, *words: str | Path, log: Path, **variables: str) -> subprocess.Popen[bytes]:
        """Start a program whose output goes to a file."""
        with log.open("wb") as output:
            return subprocess.Popen(  # noqa: S603 - our own commands
                words,
                cwd=self.home,
                env={**self.variables, **variables},
                stdout=output,
                stderr=output,
                user=self.user,
                group=self.user,
                extra_groups=None if self.user is None else [],
            )

    def run(self, *words: str | Path, **variables: str) -> tuple[int, str]:
        """Run a program; returns its status and its output."""
        log = self.home / "run.log"
        status = self.start(*words, log=log, **variables).wait(_PATIENCE_SECONDS)
        return status, log.read_text(encoding="utf-8")

    def own(self, folder: Path) -> None:
        """Give them a folder with all that is in it."""
        if self.user is not None:
            for path in (folder, *folder.rglob("*")):
                os.chown(path, self.user, self.user, follow_symlinks=False)

    def python(self) -> Path:
        """A Python that they can run, with what ``docker/install.sh`` needs."""
        found = self._python_that_runs()
        if found is None and can_install():
            apt("python3-venv")
            found = self._python_that_runs()
        if found is None:
            msg = "no Python 3.11 with venv that others than root can run: install python3-venv"
            raise AssertionError(msg)
        return found

    def _python_that_runs(self) -> Path | None:
        base = Path(sys.base_prefix, "bin", f"python3.{sys.version_info.minor}")
        tried = [base, Path("/usr/local/bin/python3"), Path("/usr/bin/python3")]
        code = "import ensurepip, sys, venv; sys.exit(sys.version_info < (3, 11))"
        for path in tried:
            try:
                if self.run(path, "-I", "-c", code)[0] == 0:
                    return path
            except OSError:
                continue
        return None


@contextmanager
def unprivileged() -> Generator[Unprivileged]:
    """Somebody for the block, whose folder goes with it."""
    with tempfile.TemporaryDirectory(prefix="infinitic-nobody-") as name:
        home = Path(name).resolve()
        user = pwd.getpwnam("nobody").pw_uid if os.getuid() == 0 else None
        somebody = Unprivileged(home, user)
        somebody.own(home)
        yield somebody
