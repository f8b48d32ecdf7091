"""The command ``infinitic-worker``."""

from __future__ import annotations

import logging
import sys
from pathlib import Path

import click
from infinitic_common.exceptions import InfiniticError
from rich.logging import RichHandler

from infinitic_worker._processes import run_copies
from infinitic_worker.worker import InfiniticWorker

_LEVELS = ("debug", "info", "warning", "error")


@click.group()
def main() -> None:
    """Host services, workflows and engines of Infinitic."""


@main.command()
@click.argument(
    "files", nargs=-1, required=True, type=click.Path(exists=True, dir_okay=False, path_type=Path)
)
@click.option("--processes", default=1, show_default=True, type=click.IntRange(min=1))
@click.option("--log-level", default="info", show_default=True, type=click.Choice(_LEVELS))
def run(files: tuple[Path, ...], processes: int, log_level: str) -> None:
    """Run a worker from YAML FILES until SIGTERM; of a key given twice the first one holds."""
    _configure_logs(log_level)
    if processes > 1:
        command = [sys.executable, "-m", "infinitic_worker", "run", *map(str, files)]
        sys.exit(run_copies([*command, "--log-level", log_level], processes))
    sys.path.insert(0, str(Path.cwd()))
    try:
        InfiniticWorker.from_yaml_file(*files).start()
    except InfiniticError as error:
        click.echo(f"infinitic-worker: {error}", err=True)
        sys.exit(1)


def _configure_logs(level: str) -> None:
    handler = RichHandler(show_path=False) if sys.stderr.isatty() else logging.StreamHandler()
    plain = "%(message)s" if sys.stderr.isatty() else "%(asctime)s %(levelname)s %(name)s %(message)s"
    logging.basicConfig(level=level.upper(), handlers=[handler], format=plain)
    logging.getLogger("httpx").setLevel(logging.WARNING)
