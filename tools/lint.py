"""Run every check that reads code without running it: python tools/lint.py [check ...].

All checks run even when one fails, so that one run shows everything there is to mend.
"""

import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TOOLS = ROOT / "tools"
PACKAGES = sorted(folder.parent for folder in ROOT.glob("packages/*/pyproject.toml"))


def main() -> int:
    """Run the checks named by the arguments (all without); the status is 1 when one failed."""
    if unknown := set(sys.argv[1:]) - set(CHECKS):
        sys.exit(f"tools/lint.py: no check {', '.join(unknown)}: there are {', '.join(CHECKS)}")
    failed = [name for name in sys.argv[1:] or CHECKS if not passes(name)]
    print(f"\nfailed: {', '.join(failed)}" if failed else "\nall checks passed")
    return bool(failed)


def passes(name: str) -> bool:
    """Run one check under its headline."""
    print(f"\n--- {name}", flush=True)
    start = time.monotonic()
    good = CHECKS[name]()
    print(f"{'passed' if good else 'FAILED'} in {time.monotonic() - start:.1f} s", flush=True)
    return good


def style() -> bool:
    """Lint."""
    return run("ruff", "check", "--output-format=concise", ROOT)


def layout() -> bool:
    """Compare with what the formatter would write."""
    return run("ruff", "format", "--check", ROOT)


def types_mypy() -> bool:
    """Check the types of packages and tools, then of each folder of tests in its own."""
    mypy: list[str | Path] = ["mypy", "--config-file", TOOLS / "mypy.ini"]
    sources = [source for package in PACKAGES for source in package.glob("src/*")]
    results = [run(*mypy, *sources), run(*mypy, *TOOLS.glob("*.py"), TOOLS / "service_control")]
    # Two packages may have a test module of the same name, so each folder is a world of its own.
    tests = [*(package / "tests" for package in PACKAGES), ROOT / "tests-integration"]
    for folder in filter(has_python, tests):
        path = os.pathsep.join([str(folder), str(TOOLS)])
        results.append(run(*mypy, "--explicit-package-bases", folder, MYPYPATH=path))
    return all(results)


def types_pyright() -> bool:
    """Check the types again, by other rules; the program comes with its package."""
    config = TOOLS / "pyrightconfig.json"
    examples = ROOT.glob("packages/*/tests/type_checks/*.py")
    python = ["--pythonpath", sys.executable]
    return all([run("pyright", "--project", config, *python), run("pyright", *python, *examples)])


def boundaries() -> bool:
    """Check that no wheel imports a sibling."""
    cache = TOOLS / ".cache" / "importlinter"
    config = TOOLS / "importlinter.toml"
    return run("lint-imports", "--config", config, "--no-logo", "--cache-dir", cache)


def declared() -> bool:
    """Check that what a package imports is what it declares."""
    results = [run("deptry", "src", folder=package) for package in PACKAGES]
    return all(results)


def has_python(folder: Path) -> bool:
    """Return whether there is anything to check in a folder."""
    return next(folder.rglob("*.py"), None) is not None


def run(*words: str | Path, folder: Path = ROOT, **variables: str) -> bool:
    """Run a program, its output on ours, and return whether it succeeded."""
    done = subprocess.run(words, cwd=folder, env={**os.environ, **variables}, check=False)
    return done.returncode == 0


CHECKS: dict[str, Callable[[], bool]] = {
    "style": style,
    "layout": layout,
    "mypy": types_mypy,
    "pyright": types_pyright,
    "boundaries": boundaries,
    "declared": declared,
}

if __name__ == "__main__":
    sys.exit(main())
