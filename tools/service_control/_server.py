"""What one kind of server tells the rest: its programs, its command, its address."""

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Protocol


@dataclass(frozen=True)
class Launch:
    """A server about to run."""

    command: list[str | Path]
    env: dict[str, str]


class Server(Protocol):
    """One kind of server on the loopback interface, with data that may be thrown away."""

    name: ClassVar[str]
    ports: ClassVar[tuple[int, ...]]  # preferred ones
    packages: ClassVar[str]  # what to install by hand, for an error message
    user: ClassVar[str | None]  # who runs it when we are root
    limit: ClassVar[float]  # seconds until it must be ready

    def available(self) -> bool:
        """Return whether its programs are on this machine."""
        ...

    def install(self) -> None:
        """Install its programs (root and apt are there)."""
        ...

    def prepare(self, folder: Path, ports: tuple[int, ...]) -> Launch:
        """Make data and settings in the folder unless they are there, and return the command."""
        ...

    def urls(self, ports: tuple[int, ...]) -> dict[str, str]:
        """Return its addresses by environment variable."""
        ...

    def ready(self, ports: tuple[int, ...]) -> bool:
        """Return whether it serves; an `OSError` means not yet."""
        ...
