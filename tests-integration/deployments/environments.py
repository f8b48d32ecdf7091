"""Environments that hold some of the wheels only, made of what is installed here.

A folder of links to all that is installed but our own wheels, the folders of the wheels asked for,
and an interpreter that looks nowhere else: nothing has to be installed again.
"""

import os
import sys
import sysconfig
from collections.abc import Iterable
from pathlib import Path

import attrs

ROOT = Path(__file__).resolve().parent.parent.parent
ALL_WHEELS = frozenset(path.name for path in (ROOT / "packages").glob("infinitic-*"))


@attrs.frozen
class Environment:
    """What runs Python with some wheels.

    Attributes:
        path: Where modules are looked for.
    """

    path: tuple[Path, ...]

    @property
    def python(self) -> tuple[str, ...]:
        """The words that run it; without ``site`` it sees no other installed package."""
        return (sys.executable, "-S")

    @property
    def variables(self) -> dict[str, str]:
        """The environment variables it needs."""
        return {**os.environ, "PYTHONPATH": os.pathsep.join(map(str, self.path))}


def environment_with(wheels: Iterable[str], folder: Path) -> Environment:
    """An environment with those of our wheels.

    Args:
        wheels: Names of distributions.
        folder: A new folder, for links.
    """
    folder.mkdir()
    wanted = {wheel.replace("-", "_") for wheel in wheels}
    for installed in Path(sysconfig.get_path("purelib")).iterdir():
        name = installed.name.partition("-")[0]
        if name in wanted or "infinitic" not in name:
            (folder / installed.name).symlink_to(installed)
    sources = [ROOT / "packages" / wheel / "src" for wheel in sorted(wheels)]
    return Environment((folder, *sources, Path(__file__).resolve().parent.parent))
