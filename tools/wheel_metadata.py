"""What a built wheel says about itself, and whether it keeps the rules of this repository."""

import zipfile
from email.message import Message
from email.parser import Parser
from pathlib import Path

from packaging.requirements import Requirement

COMMON = "infinitic-common"
# Import a distribution's package and load its entry points. Run in the wheel's environment.
IMPORT = """
import importlib, importlib.metadata, sys
name = sys.argv[1]
importlib.import_module(name.replace("-", "_"))
for point in importlib.metadata.distribution(name).entry_points:
    point.load()
"""


def problems(wheel: Path) -> list[str]:
    """Return what is wrong with a wheel, in words."""
    with zipfile.ZipFile(wheel) as file:
        names = file.namelist()
        metadata = _metadata(file)
    package = str(metadata["Name"]).replace("-", "_")
    found = _content(names, package)
    found += [f"metadata lack {field}" for field in _missing(metadata)]
    siblings = {need.name for need in _needs(metadata) if _sibling(need) and not _optional(need)}
    expected: set[str] = set() if metadata["Name"] == COMMON else {COMMON}
    if siblings != expected:
        found.append(f"depends on {sorted(siblings)}, should on {sorted(expected)}")
    return found


def third_party_extras(wheel: Path) -> list[str]:
    """Return the extras of a wheel which pull in no sibling."""
    with zipfile.ZipFile(wheel) as file:
        metadata = _metadata(file)
    needs = _needs(metadata)
    return [
        extra
        for extra in metadata.get_all("Provides-Extra", [])
        if not any(_sibling(need) and _in_extra(need, extra) for need in needs)
    ]


def _content(names: list[str], package: str) -> list[str]:
    found = [
        f"does not contain {file}"
        for file in (f"{package}/__init__.py", f"{package}/py.typed")
        if file not in names
    ]
    if not any(name.endswith("licenses/LICENSE") for name in names):
        found.append("does not contain its licence")
    strangers = {name.split("/")[0] for name in names if ".dist-info/" not in name} - {package}
    return found + [f"contains {stranger}, which is not its folder" for stranger in strangers]


def _missing(metadata: Message) -> list[str]:
    wanted = ("Summary", "License-Expression", "Requires-Python", "Description-Content-Type")
    missing = [field for field in wanted if not metadata[field]]
    return missing if str(metadata.get_payload()).strip() else [*missing, "a description"]


def _metadata(file: zipfile.ZipFile) -> Message:
    (name,) = (name for name in file.namelist() if name.endswith(".dist-info/METADATA"))
    return Parser().parsestr(file.read(name).decode())


def _needs(metadata: Message) -> list[Requirement]:
    return [Requirement(line) for line in metadata.get_all("Requires-Dist", [])]


def _sibling(need: Requirement) -> bool:
    return need.name.startswith("infinitic-")


def _optional(need: Requirement) -> bool:
    return need.marker is not None and not need.marker.evaluate({"extra": ""})


def _in_extra(need: Requirement, extra: str) -> bool:
    return need.marker is not None and need.marker.evaluate({"extra": extra})
