"""Server processes that outlive the command which started them."""

import contextlib
import os
import pwd
import random
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TypedDict

from service_control._errors import ServiceError

LOG_TAIL = 15  # lines of a server's log that an error shows


def spawn(
    command: Sequence[str | Path],
    folder: Path,
    *,
    user: str | None = None,
    env: Mapping[str, str] | None = None,
) -> int:
    """Start a server in its own session, its output in ``folder/log``, and return its pid."""
    with (folder / "log").open("ab") as log:
        process = subprocess.Popen(
            command,
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            env={**os.environ, **(env or {})},
            **as_user(user),
        )
    # Not waited for: the server lives on. Without this, Python warns about a running child.
    process.returncode = 0
    return process.pid


def run(command: Sequence[str | Path], folder: Path, *, user: str | None = None) -> None:
    """Run a preparing command to its end.

    Raises:
        ServiceError: the command failed; its output is in the message.
    """
    done = subprocess.run(
        command,
        cwd=folder,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        **as_user(user),
    )
    if done.returncode:
        message = f"{command[0]} failed with status {done.returncode}:\n{done.stdout[-3000:]}"
        raise ServiceError(message)


class _Identity(TypedDict, total=False):
    user: int
    group: int
    extra_groups: list[int]


def as_user(user: str | None) -> _Identity:
    """Return the options of subprocess that drop root's rights (none when not root)."""
    if user is None or os.getuid() != 0:
        return {}
    entry = pwd.getpwnam(user)
    return {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": []}


def own(path: Path, user: str | None) -> None:
    """Give a folder to the user that a server runs as."""
    if user is not None and os.getuid() == 0:
        entry = pwd.getpwnam(user)
        os.chown(path, entry.pw_uid, entry.pw_gid)


def birth(pid: int) -> str | None:
    """Return the start time of a living process, None when it is gone or a zombie."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return None
    fields = stat.rpartition(")")[2].split()
    return None if fields[0] in {"Z", "X"} else fields[19]


def kill(pid: int, born: str, *, grace: float, first: signal.Signals = signal.SIGTERM) -> None:
    """End a process, its session and its children: asked first, forced after ``grace`` seconds."""
    children = {child: birth(child) for child in _children(pid)}
    for number, patience in ((first, grace), (signal.SIGKILL, 5.0)):
        if birth(pid) != born:
            break
        with contextlib.suppress(ProcessLookupError):
            os.killpg(pid, number)
        _wait_for_end({pid: born}, patience)
    # Those of Postgres have sessions of their own, and hold its memory until they notice.
    _wait_for_end(children, 5.0)


def _wait_for_end(processes: Mapping[int, str | None], patience: float) -> None:
    end = time.monotonic() + patience
    while time.monotonic() < end:
        if not any(born and birth(pid) == born for pid, born in processes.items()):
            return
        time.sleep(0.05)


def _children(pid: int) -> list[int]:
    found: list[int] = []
    for entry in Path("/proc").iterdir():
        with contextlib.suppress(OSError, ValueError, IndexError):
            stat = (entry / "stat").read_text() if entry.name.isdigit() else ""
            if stat and int(stat.rpartition(")")[2].split()[1]) == pid:
                found.append(int(entry.name))
    return found


def wait_ready(name: str, pid: int, folder: Path, probe: Callable[[], bool], limit: float) -> None:
    """Wait until the probe succeeds.

    Raises:
        ServiceError: the server died, or was not ready within ``limit`` seconds.
    """
    end = time.monotonic() + limit
    born = birth(pid)
    while True:
        with contextlib.suppress(OSError):
            if probe():
                return
        if born is None or birth(pid) != born:
            raise ServiceError(_complaint(name, "ended while starting", folder))
        if time.monotonic() > end:
            raise ServiceError(_complaint(name, f"was not ready within {limit:.0f} s", folder))
        time.sleep(0.1)


def _complaint(name: str, what: str, folder: Path) -> str:
    log = folder / "log"
    tail = log.read_text(errors="replace").splitlines()[-LOG_TAIL:]
    return "\n  ".join([f"{name} {what}; its log is {log}, which ends with:", *tail])


def free_port(preferred: int) -> int:
    """Return the preferred port of the loopback interface, another one when it is taken.

    None that the system gives to connections, which would take it before the server does.
    """
    for port in (preferred, *random.sample(range(20_000, 30_000), 20)):
        with socket.socket() as candidate:
            candidate.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            with contextlib.suppress(OSError):
                candidate.bind(("127.0.0.1", port))
                return int(candidate.getsockname()[1])
    message = "no free port on 127.0.0.1"
    raise ServiceError(message)
