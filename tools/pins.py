"""Renew tools/constraints.txt: python tools/pins.py.

Installs all packages with all extras and every tool of hatch.toml in the newest versions that fit
together, and writes down what that gave.
"""

import os
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PINS = ROOT / "tools" / "constraints.txt"
HEADER = "# Written by tools/hatch run pins: one set of versions in which everything passes.\n"


def main() -> None:
    """Resolve afresh and write the pins."""
    environment = {key: value for key, value in os.environ.items() if key != "UV_CONSTRAINT"}
    with tempfile.TemporaryDirectory() as folder:
        python = Path(folder, "bin", "python")
        subprocess.run(["uv", "venv", "-q", "--python", sys.executable, folder], check=True)
        pip: list[str | Path] = ["uv", "pip", "install", "-q", "--upgrade", "--python", python]
        subprocess.run([*pip, *packages(), *tools()], env=environment, check=True)
        freeze: list[str | Path] = ["uv", "pip", "freeze", "--exclude-editable", "--python", python]
        done = subprocess.run(freeze, check=True, capture_output=True, text=True)
    PINS.write_text(HEADER + done.stdout)


def packages() -> list[str]:
    """Return every package of the checkout, editable, with its third-party extras."""
    words: list[str] = []
    for file in sorted(ROOT.glob("packages/*/pyproject.toml")):
        extras: dict[str, list[str]] = project(file).get("optional-dependencies", {})
        own = [name for name, needs in extras.items() if "infinitic-" not in " ".join(needs)]
        words += ["-e", f"{file.parent}[{','.join(own)}]" if own else str(file.parent)]
    return words


def project(file: Path) -> dict[str, dict[str, list[str]]]:
    """Return the table ``project`` of a pyproject.toml."""
    table: dict[str, dict[str, list[str]]] = tomllib.loads(file.read_text())["project"]
    return table


def tools() -> list[str]:
    """Return what the environments of hatch.toml name."""
    environments: dict[str, dict[str, list[str]]] = tomllib.loads(
        (ROOT / "hatch.toml").read_text()
    )["envs"]
    keys = ("dependencies", "extra-dependencies")
    return [need for env in environments.values() for key in keys for need in env.get(key, [])]


if __name__ == "__main__":
    main()
