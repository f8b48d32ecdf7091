"""Print the packages to test after a change, as JSON: python tools/changed.py BASE.

A package is tested when a file of it, of common or of the tools changed; without a known base, all.
"""

import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
EVERYONE = ("packages/infinitic-common/", "tools/", "docker/", "hatch.toml", ".github/")


def main() -> None:
    """Print a list of names without their common prefix."""
    names = sorted(file.parent.name for file in ROOT.glob("packages/*/pyproject.toml"))
    files = changed(sys.argv[1])
    if files is not None and not any(file.startswith(EVERYONE) for file in files):
        names = [name for name in names if any(f"packages/{name}/" in file for file in files)]
    print(json.dumps([name.removeprefix("infinitic-") for name in names]))


def changed(base: str) -> list[str] | None:
    """Return the files that differ from the base, None when git does not know it."""
    command = ["git", "diff", "--name-only", f"{base}...HEAD", "--"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    return None if done.returncode else done.stdout.splitlines()


if __name__ == "__main__":
    main()
