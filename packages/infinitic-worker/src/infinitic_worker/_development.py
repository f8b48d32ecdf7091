"""``infinitic-worker dev``: a worker for development, and a call with its client."""

import logging
import signal
import threading
from collections.abc import Callable

import click

from infinitic_worker._signals import SIGNALS
from infinitic_worker.worker import InfiniticWorker

_LOGGER = logging.getLogger(__name__)
_LOOK_SECONDS = 1.0


def develop(worker: InfiniticWorker, function: Callable[[object], object] | None) -> None:
    """Run a worker until SIGTERM or SIGINT; once it is ready, call a function with its client.

    What the function gives is printed, what it raises logged.
    """
    stopping = threading.Event()
    for number in SIGNALS:
        signal.signal(number, lambda _number, _frame: stopping.set())
    with worker:
        if function is not None:
            try:
                result = function(worker.client)
            except Exception:
                _LOGGER.exception("the call failed; change the code, and it is made again")
            else:
                click.echo(result)
        while not stopping.wait(_LOOK_SECONDS):
            pass  # a signal that comes just before the wait does not end it, but is seen after it
