"""CPU seconds of servers on this machine, by the port they listen on (Linux: ``/proc``)."""

import os
from collections.abc import Iterator
from pathlib import Path

_PROC = Path("/proc")
_LISTENING = "0A"
_TICKS = os.sysconf("SC_CLK_TCK")
_PARENT, _OWN, _WAITED_FOR = 1, slice(11, 13), slice(13, 15)
"""Fields of ``/proc/PID/stat`` behind the name, as proc(5) orders them."""


def server_of(port: int) -> int | None:
    """The process that listens on a port; None when it is on another machine, or not ours to see.

    Of several that share the socket, it is their common parent.
    """
    sockets = set(_listening(port))
    owners = [process for process in _processes() if sockets & set(_sockets_of(process))]
    return min(owners, default=None)


def cpu_seconds(server: int) -> float:
    """What a server and its children have used, those that have ended included."""
    ticks = 0
    for process in _processes():
        fields = _fields(process)
        if fields and process == server:
            ticks += sum(map(int, fields[_OWN])) + sum(map(int, fields[_WAITED_FOR]))
        elif fields and int(fields[_PARENT]) == server:
            ticks += sum(map(int, fields[_OWN]))
    return ticks / _TICKS


def _listening(port: int) -> Iterator[str]:
    for table in ("tcp", "tcp6"):
        for line in (_PROC / "net" / table).read_text().splitlines()[1:]:
            columns = line.split()
            if columns[3] == _LISTENING and int(columns[1].rpartition(":")[2], 16) == port:
                yield f"socket:[{columns[9]}]"


def _processes() -> list[int]:
    return [int(entry.name) for entry in _PROC.iterdir() if entry.name.isdigit()]


def _sockets_of(process: int) -> Iterator[str]:
    try:
        for descriptor in (_PROC / str(process) / "fd").iterdir():
            yield str(descriptor.readlink())
    except OSError:
        return  # It has ended, or belongs to somebody else.


def _fields(process: int) -> list[str]:
    try:
        return (_PROC / str(process) / "stat").read_text().rpartition(")")[2].split()
    except OSError:
        return []
