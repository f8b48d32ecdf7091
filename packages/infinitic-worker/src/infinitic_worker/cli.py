"""The command ``infinitic-worker``."""

import asyncio
import contextlib
import json
import logging
import os
import sys
from collections.abc import Generator, Sequence
from pathlib import Path

import attrs
import click

from infinitic_common.configuration import (
    ConfigurationError,
    Problem,
    WorkerConfiguration,
    json_schema,
    load_configuration,
)
from infinitic_common.exceptions import InfiniticError
from infinitic_worker._assembly import components_of
from infinitic_worker._development import develop
from infinitic_worker._logs import configure_logs
from infinitic_worker._module import function_at, hosting
from infinitic_worker._processes import Copies, die_with
from infinitic_worker._reloading import Reloading
from infinitic_worker._signals import serve
from infinitic_worker.process import prepare_process
from infinitic_worker.worker import InfiniticWorker

_LOGGER = logging.getLogger(__name__)
_LEVELS = ("debug", "info", "warning", "error")
_DEFAULT_FILE = "infinitic.yml"


@attrs.frozen
class Copy:
    """Which one of several copies this process is.

    Attributes:
        number: From 1.
        parent: Process id of the one that started it.
    """

    number: int
    parent: int


@click.group()
def main() -> None:
    """Host services, workflows and engines of Infinitic."""


@main.command()
@click.argument("files", nargs=-1)
@click.option(
    "--processes",
    default=1,
    show_default=True,
    type=click.IntRange(min=1),
    help="Copies of the process; one that dies is started again.",
)
@click.option(
    "--log-level",
    type=click.Choice(_LEVELS),
    help="Least level of all logs; by default warnings, and the life of the worker.",
)
@click.option("--copy", nargs=2, type=int, hidden=True)
def run(
    files: tuple[str, ...], processes: int, log_level: str | None, copy: tuple[int, int] | None
) -> None:
    """Run a worker from YAML FILES until SIGTERM or SIGINT.

    Of a key given twice the first file's value holds. Without FILES, those that the variable
    INFINITIC_CONFIG lists, else infinitic.yml. Classes are also looked for in the working
    directory.
    """
    configure_logs(log_level)
    sys.path.insert(0, str(Path.cwd()))
    files = _chosen(files)
    with _telling_errors():
        configuration = load_configuration(WorkerConfiguration, *files)
        configure_logs(log_level or configuration.logs.level, configuration.logs.format)
        if processes > 1 and copy is None:
            sys.exit(_run_copies(configuration, files, processes, log_level))
        _run_here(configuration, None if copy is None else Copy(*copy))


@main.command()
@click.argument("files", nargs=-1)
def check(files: tuple[str, ...]) -> None:
    """Check YAML FILES as `run` reads them, without connecting to anything.

    Classes are imported and read. Prints what would be hosted; every problem otherwise, status 1.
    """
    sys.path.insert(0, str(Path.cwd()))
    with _telling_errors():
        configuration = load_configuration(WorkerConfiguration, *_chosen(files))
        click.echo(f"transport: {configuration.transport}")
        click.echo(f"storage: {configuration.storage or 'none'}")
        for each in components_of(configuration):
            click.echo(f"hosts {each}")


@main.command()
def schema() -> None:
    """Print the JSON Schema of the YAML files, for editors."""
    click.echo(json.dumps(json_schema(), indent=2))


@main.command()
@click.argument("module")
@click.option("--config", "files", multiple=True, help="YAML with transport, storage and more.")
@click.option("--call", "function", help="`module:function` or `function`, given the client.")
@click.option("--no-reload", is_flag=True, help="Stay with the code as it was at the start.")
@click.option("--log-level", type=click.Choice(_LEVELS), help="As of `run`.")
@click.option("--parent", type=int, hidden=True)
def dev(  # noqa: PLR0913, PLR0917 - the options of the command
    module: str,
    files: tuple[str, ...],
    function: str | None,
    no_reload: bool,  # noqa: FBT001 - a flag of the command
    log_level: str | None,
    parent: int | None,
) -> None:
    """Host every service and workflow of MODULE in this process, for development.

    In memory, unless `--config` says otherwise. When a source below the working directory changes
    everything starts anew; workflows in memory are lost then.
    """
    configure_logs(log_level)
    sys.path.insert(0, str(Path.cwd()))
    with _telling_errors():
        if not no_reload:
            command = [sys.executable, "-m", "infinitic_worker", *sys.argv[1:]]
            command += ["--no-reload", "--parent", str(os.getpid())]
            sys.exit(asyncio.run(Reloading(command, Path.cwd()).run()))
        if parent is not None:
            die_with(parent)
        base = load_configuration(WorkerConfiguration, *files) if files else None
        called = function_at(function, module) if function else None
        develop(InfiniticWorker.from_configuration(hosting(module, base)), called)


def _chosen(files: tuple[str, ...]) -> tuple[str, ...]:
    """The files given; without any the usual one, unless the environment names others."""
    if files or os.environ.get("INFINITIC_CONFIG") or not Path(_DEFAULT_FILE).exists():
        return files
    return (_DEFAULT_FILE,)


@contextlib.contextmanager
def _telling_errors() -> Generator[None]:
    try:
        yield
    except Exception as error:  # noqa: BLE001 - whatever hinders is told in one place
        _tell(error)
        sys.exit(1)


def _run_copies(
    configuration: WorkerConfiguration,
    files: Sequence[str],
    processes: int,
    log_level: str | None,
) -> int:
    if configuration.transport.kind == "inMemory":
        what = f"it reaches nobody outside one process, and {processes} are asked for"
        remedy = "use one process, or another transport"
        raise ConfigurationError([Problem("transport.inMemory", what, remedy)])
    level = ["--log-level", log_level] if log_level else []
    command = [sys.executable, "-m", "infinitic_worker", "run", *files, *level]
    return asyncio.run(_keep_copies(command, processes))


def of_copy(configuration: WorkerConfiguration, number: int) -> WorkerConfiguration:
    """The configuration of one of several copies, with a name and ports of its own.

    The first copy has the ports of the file, each further one the next ones.
    """
    name, metrics, health = configuration.name, configuration.metrics, configuration.health
    if metrics is not None and metrics.prometheus is not None:
        port = _next_port(metrics.prometheus.port, number)
        metrics = attrs.evolve(metrics, prometheus=attrs.evolve(metrics.prometheus, port=port))
    if health is not None:
        health = attrs.evolve(health, port=_next_port(health.port, number))
    if name is not None:
        name = f"{name}-{number}"
    return attrs.evolve(configuration, name=name, metrics=metrics, health=health)


def _next_port(port: int, number: int) -> int:
    return port + number - 1 if port else 0  # 0 is any free one


async def _keep_copies(command: Sequence[str], processes: int) -> int:
    parent = str(os.getpid())
    return await Copies(lambda copy: [*command, "--copy", str(copy), parent]).run(processes)


def _run_here(configuration: WorkerConfiguration, copy: Copy | None) -> None:
    if copy is not None:
        die_with(copy.parent)
        configuration = of_copy(configuration, copy.number)
    worker = InfiniticWorker.from_configuration(configuration)
    prepare_process()
    # The parent passes the signal on to a copy that may have had it already, as from systemd.
    asyncio.run(serve(worker, patient=copy is not None))


def _tell(error: Exception) -> None:
    text = str(error) if isinstance(error, InfiniticError) else f"{type(error).__name__}: {error}"
    notes: list[str] = getattr(error, "__notes__", [])
    click.echo(f"infinitic-worker: {'; '.join([*notes, text])}", err=True)
    _LOGGER.debug("the worker ended because of it", exc_info=error)
