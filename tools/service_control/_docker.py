"""Servers as containers of docker/compose.yaml, where nothing can be installed."""

import functools
import os
import shutil
import subprocess

from service_control._errors import ServiceError
from service_control._paths import DOCKER, checkout_id
from service_control._server import Server


@functools.cache
def usable() -> bool:
    """Return whether a docker engine with compose answers."""
    if shutil.which("docker") is None:
        return False
    return not any(
        subprocess.run(["docker", *words], capture_output=True, check=False).returncode
        for words in (["info"], ["compose", "version"])
    )


def start(server: Server) -> dict[str, str]:
    """Start a container unless it runs, wait until it is healthy, return its URLs.

    Raises:
        ServiceError: compose failed.
    """
    done = _compose("up", "--detach", "--wait", server.name)
    if done.returncode:
        message = (
            f"docker compose could not start {server.name}:\n{done.stderr[-2000:]}\n"
            f"look at: docker compose -p {_project()} logs {server.name}"
        )
        raise ServiceError(message)
    return server.urls(server.ports)


def stop(server: Server) -> bool:
    """Remove a container and its data; return whether it ran."""
    if running(server) is None:
        return False
    return not _compose("rm", "--stop", "--force", "--volumes", server.name).returncode


def running(server: Server) -> dict[str, str] | None:
    """Return the URLs of a running container, None when it does not run."""
    if not usable():
        return None
    done = _compose("ps", "--status", "running", "--quiet", server.name)
    return server.urls(server.ports) if done.stdout.strip() else None


def _project() -> str:
    return f"infinitic-{checkout_id()}"


def _compose(*words: str) -> subprocess.CompletedProcess[str]:
    file = str(DOCKER / "compose.yaml")
    command = ["docker", "compose", "-f", file, "-p", _project(), *words]
    return subprocess.run(command, env=os.environ, capture_output=True, text=True, check=False)
