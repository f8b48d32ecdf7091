"""``infinitic-worker dev`` starts anew whenever a source changes."""

import asyncio
import contextlib
import logging
import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from infinitic_worker._signals import on_signals

_LOGGER = logging.getLogger(__name__)

_LOOK_SECONDS = 0.5
_STOP_SECONDS = 5.0
_IGNORED_FOLDERS = frozenset({"__pycache__", "node_modules", "site-packages"})


class Reloading:
    """A process of one command, started anew whenever a source below a folder changes.

    Args:
        command: The command.
        folder: Where sources (``.py``, ``.yml``, ``.yaml``) are looked for.
    """

    def __init__(self, command: Sequence[str], folder: Path) -> None:
        self._command = command
        self._folder = folder
        self._stopping = asyncio.Event()

    async def run(self) -> int:
        """Until SIGTERM or SIGINT; gives 0."""
        with on_signals(self._stopping.set):
            while not self._stopping.is_set():
                seen = _sources(self._folder)
                process = await asyncio.create_subprocess_exec(
                    *self._command, start_new_session=True
                )
                changed = await self._until_changed(seen)
                await _end(process)
                if changed:
                    _LOGGER.warning("%s has changed: starting again", changed)
        return 0

    async def _until_changed(self, seen: Mapping[Path, float]) -> str:
        while not self._stopping.is_set():
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._stopping.wait(), _LOOK_SECONDS)
            now = await asyncio.to_thread(_sources, self._folder)
            for path in now.keys() | seen.keys():
                if now.get(path) != seen.get(path):
                    return str(path.relative_to(self._folder))
        return ""


async def _end(process: asyncio.subprocess.Process) -> None:
    with contextlib.suppress(ProcessLookupError):
        process.terminate()
    try:
        await asyncio.wait_for(process.wait(), _STOP_SECONDS)
    except TimeoutError:
        process.kill()
        await process.wait()


def _sources(folder: Path) -> dict[Path, float]:
    found: dict[Path, float] = {}
    for parent, folders, files in os.walk(folder):
        folders[:] = [
            name for name in folders if name not in _IGNORED_FOLDERS and not name.startswith(".")
        ]
        for name in files:
            if name.endswith((".py", ".yml", ".yaml")):
                path = Path(parent, name)
                with contextlib.suppress(OSError):
                    found[path] = path.stat().st_mtime
    return found
