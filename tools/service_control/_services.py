"""Which service comes from where: the environment, a process of ours, or a container."""

import os
from concurrent.futures import ThreadPoolExecutor

from service_control import _docker, _native
from service_control._errors import ServiceError
from service_control._install import can_install
from service_control._mariadb import MariaDb
from service_control._postgres import Postgres
from service_control._pulsar import Pulsar
from service_control._redis import Redis
from service_control._server import Server

_SERVERS: dict[str, Server] = {
    server.name: server for server in (Pulsar(), Postgres(), Redis(), MariaDb())
}
NAMES = tuple(_SERVERS)
VARIABLES = {name: tuple(server.urls(server.ports)) for name, server in _SERVERS.items()}


def ensure(*names: str) -> dict[str, str]:
    """Make services available and return their URLs by environment variable.

    A service whose variables are set is taken as it is. Others are started with empty data
    unless they run already; they stay up until `stop`. Any number of processes may call this.

    Args:
        names: of `NAMES`; all of them when none is given.

    Raises:
        ServiceError: a service cannot be had here; the message says what to do.
    """
    wanted = [_server(name) for name in names or NAMES]
    with ThreadPoolExecutor(len(wanted)) as pool:
        found = list(pool.map(_ensure, wanted))
    return {variable: url for each in found for variable, url in each.items()}


def stop(*names: str) -> dict[str, bool]:
    """Stop services that were started here, drop their data, and return which ones ran."""
    stopped: dict[str, bool] = {}
    for server in [_server(name) for name in names or NAMES]:
        stopped[server.name] = _native.stop(server) or _docker.stop(server)
    return stopped


def restart(name: str, *, kill: bool = False) -> dict[str, str]:
    """Stop (or crash) a service started here and start it again with its data and ports.

    Args:
        name: of `NAMES`.
        kill: end it by SIGKILL, as a crash would.

    Raises:
        ServiceError: it was not started here, or did not come up again.
    """
    return _native.restart(_server(name), kill=kill)


def urls(*names: str) -> dict[str, str]:
    """Return the URLs of those services that are there now, by environment variable."""
    found: dict[str, str] = {}
    for server in map(_server, names or NAMES):
        found.update(_given(server) or _native.running(server) or _docker.running(server) or {})
    return found


def status(*names: str) -> dict[str, str]:
    """Return a line per service."""
    return {server.name: _status(server) for server in map(_server, names or NAMES)}


def _status(server: Server) -> str:
    if given := _given(server):
        return f"from the environment, {' '.join(given.values())}"
    if found := _native.running(server):
        return f"running, {' '.join(found.values())}, log {_native.log(server)}"
    if found := _docker.running(server):
        return f"running in a container, {' '.join(found.values())}"
    return "stopped"


def _ensure(server: Server) -> dict[str, str]:
    if given := _given(server):
        return given
    if found := _docker.running(server):
        return found
    if server.available() or can_install() or not _docker.usable():
        return _native.start(server)
    return _docker.start(server)


def _given(server: Server) -> dict[str, str] | None:
    values = {name: os.environ.get(name, "") for name in VARIABLES[server.name]}
    if not any(values.values()):
        return None
    if missing := [name for name, value in values.items() if not value]:
        message = f"{server.name} needs {' and '.join(values)}: {' and '.join(missing)} is not set"
        raise ServiceError(message)
    return values


def _server(name: str) -> Server:
    try:
        return _SERVERS[name]
    except KeyError:
        message = f"unknown service {name!r}: there are {', '.join(NAMES)}"
        raise ServiceError(message) from None
