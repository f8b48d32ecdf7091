"""Find a server's programs; install what is missing when this machine allows it."""

import contextlib
import fcntl
import os
import shutil
import subprocess
import sys
from collections.abc import Generator
from pathlib import Path

from service_control._errors import ServiceError
from service_control._paths import cache_dir

# Keeps package scripts from starting the distribution's own instance, where init obeys it.
_QUIET = {"DEBIAN_FRONTEND": "noninteractive", "RUNLEVEL": "1"}


def find(program: str, folders: tuple[str, ...] = ()) -> Path | None:
    """Return a program's path: from PATH, else from the newest of the folders (globs)."""
    places = [found for glob in folders for found in sorted(Path("/").glob(glob), reverse=True)]
    path = os.pathsep.join([os.environ.get("PATH", os.defpath), "/usr/sbin", *map(str, places)])
    found = shutil.which(program, path=path)
    return Path(found) if found else None


def can_install() -> bool:
    """Return whether Debian packages may be installed here."""
    return os.getuid() == 0 and shutil.which("apt-get") is not None


def apt(*packages: str) -> None:
    """Install Debian packages.

    Raises:
        ServiceError: apt failed.
    """
    print(f"installing {' '.join(packages)}", file=sys.stderr)
    command = ["apt-get", "install", "-y", "-q", "--no-install-recommends", *packages]
    command[1:1] = ["-o", "DPkg::Lock::Timeout=300"]
    with only_one("apt"):
        if _quietly(command)[0]:
            _quietly(["apt-get", "update", "-q"])
            status, output = _quietly(command)
            if status:
                message = f"apt-get could not install {' '.join(packages)}:\n{output[-2000:]}"
                raise ServiceError(message)


def _quietly(command: list[str]) -> tuple[int, str]:
    done = subprocess.run(
        command,
        env={**os.environ, **_QUIET},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout


@contextlib.contextmanager
def only_one(name: str) -> Generator[None, None, None]:
    """Let one process of this user at a time do what is inside."""
    with (cache_dir() / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
