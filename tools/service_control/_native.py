"""Servers as processes of this machine, remembered in a state file per service."""

import contextlib
import fcntl
import json
import shutil
import signal
from collections.abc import Generator
from pathlib import Path
from typing import TypedDict

from service_control import _install, _process
from service_control._errors import ServiceError
from service_control._paths import run_dir
from service_control._server import Server

_GRACE = 20.0  # seconds a server has to end by itself


class _State(TypedDict):
    pid: int
    born: str | None
    ports: list[int]


def start(server: Server) -> dict[str, str]:
    """Start a server with empty data unless it runs, wait until it serves, return its URLs.

    Raises:
        ServiceError: its programs are missing, or it did not come up.
    """
    with _locked(server) as folder:
        state = _running(folder)
        if state is None:
            _provide(server)
            shutil.rmtree(_home(folder), ignore_errors=True)
            ports = tuple(_process.free_port(port) for port in server.ports)
            _launch(server, folder, ports)
            return server.urls(ports)
        ports = tuple(state["ports"])
        _process.wait_ready(
            server.name, state["pid"], _home(folder), lambda: server.ready(ports), server.limit
        )
        return server.urls(ports)


def restart(server: Server, *, kill: bool = False) -> dict[str, str]:
    """Stop a running server and start it again with its data, on the same ports.

    Args:
        server: which one.
        kill: end it by SIGKILL, as a crash would.

    Raises:
        ServiceError: it does not run here, or did not come up again.
    """
    with _locked(server) as folder:
        state = _running(folder)
        if state is None:
            message = f"{server.name} was not started here: tools/services start {server.name}"
            raise ServiceError(message)
        _end(state, signal.SIGKILL if kill else _stop_signal(server))
        ports = tuple(state["ports"])
        _launch(server, folder, ports)
        if kill and server.name == "pulsar":
            _end_in_good_order(server, folder)
            _launch(server, folder, ports)
        return server.urls(ports)


def stop(server: Server) -> bool:
    """Stop a server and throw its data away; return whether it ran."""
    with _locked(server) as folder:
        state = _running(folder)
        if state is not None:
            _end(state, _stop_signal(server))
        (folder / "state.json").unlink(missing_ok=True)
        shutil.rmtree(_home(folder), ignore_errors=True)
        return state is not None


def running(server: Server) -> dict[str, str] | None:
    """Return the URLs of a running server, None when it does not run."""
    state = _running(run_dir() / server.name)
    return server.urls(tuple(state["ports"])) if state else None


def log(server: Server) -> Path:
    """Return where a server writes its log."""
    return _home(run_dir() / server.name) / "log"


def _home(folder: Path) -> Path:
    """Return the part of a service's folder that goes with its data; lock and state stay."""
    return folder / "home"


def _launch(server: Server, folder: Path, ports: tuple[int, ...]) -> None:
    home = _home(folder)
    home.mkdir(parents=True, exist_ok=True)
    _process.own(home, server.user)
    launch = server.prepare(home, ports)
    pid = _process.spawn(launch.command, home, user=server.user, env=launch.env)
    born = _process.birth(pid)
    state = {"pid": pid, "born": born, "ports": ports}
    (folder / "state.json").write_text(json.dumps(state))
    try:
        _process.wait_ready(server.name, pid, home, lambda: server.ready(ports), server.limit)
    except ServiceError:
        _process.kill(pid, born or "", grace=1)
        raise


def _end(state: _State, first: signal.Signals) -> None:
    _process.kill(state["pid"], state["born"] or "", grace=_GRACE, first=first)


def _end_in_good_order(server: Server, folder: Path) -> None:
    # A standalone broker that finds the registration of its killed bookie takes it away and
    # renews it without end, after about one kill of three, and may find no bookie for new topics
    # meanwhile. A stop takes the registration away for good.
    state = _running(folder)
    if state is not None:
        _end(state, _stop_signal(server))


def _provide(server: Server) -> None:
    if server.available():
        return
    if _install.can_install():
        server.install()
    if not server.available():
        message = f"{server.name} is not on this machine: install {server.packages}"
        raise ServiceError(message)


def _running(folder: Path) -> _State | None:
    with contextlib.suppress(FileNotFoundError, json.JSONDecodeError):
        state: _State = json.loads((folder / "state.json").read_text())
        if state["born"] is not None and _process.birth(state["pid"]) == state["born"]:
            return state
    return None


def _stop_signal(server: Server) -> signal.Signals:
    # Postgres reads SIGTERM as "when the last client has gone"; SIGINT is its fast stop.
    return signal.SIGINT if server.name == "postgres" else signal.SIGTERM


@contextlib.contextmanager
def _locked(server: Server) -> Generator[Path, None, None]:
    """Let one process of this user at a time change a service, and give the service's folder."""
    folder = run_dir() / server.name
    folder.mkdir(exist_ok=True)
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield folder
