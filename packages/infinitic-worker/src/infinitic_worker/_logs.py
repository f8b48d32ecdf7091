"""Readable logs of the command: colours on a terminal, one plain line elsewhere."""

import logging
import sys

from rich.console import Console
from rich.logging import RichHandler

FIELDS = ("component", "workflow_name", "workflow_id", "task_id", "tag")
"""What records carry beside their text; any handler can read them as attributes."""


class FieldFormatter(logging.Formatter):
    """Writes the fields of a record behind its text."""

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - the name of the base
        """See ``logging.Formatter``."""
        given = vars(record)
        fields = [f"{name}={given[name]}" for name in FIELDS if given.get(name) is not None]
        text = super().formatMessage(record)
        return f"{text} [{' '.join(fields)}]" if fields else text


def configure_logs(level: str | None) -> None:
    """Log to standard error.

    Args:
        level: Least level of all logs; None for warnings, and the life of the worker itself.
    """
    on_terminal = sys.stderr.isatty()
    handler = _terminal_handler() if on_terminal else logging.StreamHandler()
    text = "%(message)s"
    plain = f"%(asctime)s %(levelname)s %(process)d %(name)s: {text}"
    handler.setFormatter(FieldFormatter(text if on_terminal else plain))
    logging.basicConfig(level=level.upper() if level else logging.WARNING, handlers=[handler])
    if level is None:
        logging.getLogger("infinitic_worker").setLevel(logging.INFO)


def _terminal_handler() -> logging.Handler:
    return RichHandler(console=Console(stderr=True), show_path=False)
