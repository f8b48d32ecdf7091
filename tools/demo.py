"""An order workflow before your eyes: python tools/demo.py [--pulsar] [--kill].

The shop is in tools/demo_shop: contracts, services and the workflow.
"""

import argparse
import asyncio
import os
import signal
import sys
import tempfile
from datetime import timedelta
from pathlib import Path

from demo_shop.journal import FILE_VARIABLE, WORK_VARIABLE
from demo_stage.places import OneProcess, Place, WorkerProcess
from demo_stage.play import Play
from demo_stage.script import plans
from demo_stage.view import mistakes, progress, verdict
from rich.console import Console
from rich.live import Live
from service_control import ServiceError

WORK_SECONDS = 0.4
LIMIT_SECONDS = 150
LOG_LINES = 20


def main() -> int:
    """Run what the arguments say; the status is 1 when an order went wrong."""
    parser = argparse.ArgumentParser(prog="demo", description="An order workflow, live.")
    parser.add_argument("--pulsar", action="store_true", help="over real Pulsar and Postgres")
    parser.add_argument(
        "--kill", action="store_true", help="kill the worker in each step (implies --pulsar)"
    )
    options = parser.parse_args()
    console = Console()
    with tempfile.TemporaryDirectory(prefix="infinitic-demo-") as name:
        try:
            return asyncio.run(show(Path(name), console, options))
        except (KeyboardInterrupt, asyncio.CancelledError):
            return 130
        except ServiceError as error:
            console.print(f"demo: {error}", style="red", markup=False)
            return 1


async def show(folder: Path, console: Console, options: argparse.Namespace) -> int:
    """Play the orders, and judge."""
    journal = folder / "journal"
    journal.touch()
    os.environ[FILE_VARIABLE] = str(journal)
    os.environ[WORK_VARIABLE] = str(WORK_SECONDS)
    _end_orderly_when_terminated()
    if options.pulsar or options.kill:
        console.print("on Pulsar and Postgres, which are started unless they run")
    place = WorkerProcess(folder) if options.pulsar or options.kill else OneProcess()
    cast = plans(timedelta(seconds=4 if options.kill else 1))
    play = Play(place, journal, options.kill)
    live = Live(
        get_renderable=lambda: progress(cast, play.seen, place),
        console=console,
        refresh_per_second=10,
    )
    problems: list[str] = []
    try:
        with live:
            await place.start()
            async with asyncio.timeout(LIMIT_SECONDS):
                await play.run(cast)
    except (TimeoutError, ChildProcessError) as error:
        problems.append(f"{error}" or f"not finished after {LIMIT_SECONDS} s")
    finally:
        await place.close()
    console.print()
    console.print(verdict(cast, play.seen))
    problems += mistakes(cast, play.seen)
    return judge(console, problems, place)


def _end_orderly_when_terminated() -> None:
    """Have SIGTERM end this coroutine, so that no worker is left behind."""
    if (task := asyncio.current_task()) is not None:
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)


def judge(console: Console, problems: list[str], place: Place) -> int:
    """Tell what went wrong, with the end of the worker's log."""
    for problem in problems:
        console.print(f"demo: {problem}", style="red", markup=False)
    if problems and isinstance(place, WorkerProcess):
        lines = place.log.read_text().splitlines()[-LOG_LINES:]
        console.print("\n".join(["the worker's last words:", *lines]), markup=False)
    if not problems:
        console.print("every order ended as it should", style="green")
    return bool(problems)


if __name__ == "__main__":
    sys.exit(main())
