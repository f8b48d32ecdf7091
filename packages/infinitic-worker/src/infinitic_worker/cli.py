"""The command ``infinitic-worker``."""

import asyncio
import logging
import os
import sys
from collections.abc import Sequence
from pathlib import Path

import attrs
import click

from infinitic_common.configuration import (
    ConfigurationError,
    Problem,
    WorkerConfiguration,
    load_configuration,
)
from infinitic_common.exceptions import InfiniticError
from infinitic_worker._logs import configure_logs
from infinitic_worker._processes import Copies, die_with
from infinitic_worker._signals import serve
from infinitic_worker.process import prepare_process
from infinitic_worker.worker import InfiniticWorker

_LOGGER = logging.getLogger(__name__)
_LEVELS = ("debug", "info", "warning", "error")


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
    INFINITIC_CONFIG lists. Classes are also looked for in the working directory.
    """
    configure_logs(log_level)
    sys.path.insert(0, str(Path.cwd()))
    try:
        if copy is not None:
            _run_copy(files, Copy(*copy))
        elif processes > 1:
            sys.exit(_run_copies(files, processes, log_level))
        else:
            worker = InfiniticWorker.from_yaml_file(*files)
            prepare_process()
            worker.start()
    except Exception as error:  # noqa: BLE001 - whatever hinders the worker is told in one place
        _tell(error)
        sys.exit(1)


def _run_copies(files: Sequence[str], processes: int, log_level: str | None) -> int:
    configuration = load_configuration(WorkerConfiguration, *files)
    if configuration.transport.kind == "inMemory":
        what = f"it reaches nobody outside one process, and {processes} are asked for"
        remedy = "use one process, or another transport"
        raise ConfigurationError([Problem("transport.inMemory", what, remedy)])
    level = ["--log-level", log_level] if log_level else []
    command = [sys.executable, "-m", "infinitic_worker", "run", *files, *level]
    return asyncio.run(_keep_copies(command, processes))


async def _keep_copies(command: Sequence[str], processes: int) -> int:
    parent = str(os.getpid())
    return await Copies(lambda copy: [*command, "--copy", str(copy), parent]).run(processes)


def _run_copy(files: Sequence[str], copy: Copy) -> None:
    die_with(copy.parent)
    configuration = load_configuration(WorkerConfiguration, *files)
    if configuration.name is not None:
        name = f"{configuration.name}-{copy.number}"
        configuration = attrs.evolve(configuration, name=name)
    worker = InfiniticWorker.from_configuration(configuration)
    # The parent passes the signal on to one that may have had it already, as from systemd.
    asyncio.run(serve(worker, patient=True))


def _tell(error: Exception) -> None:
    text = str(error) if isinstance(error, InfiniticError) else f"{type(error).__name__}: {error}"
    notes: list[str] = getattr(error, "__notes__", [])
    click.echo(f"infinitic-worker: {'; '.join([*notes, text])}", err=True)
    _LOGGER.debug("the worker ended because of it", exc_info=error)
