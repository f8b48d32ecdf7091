"""Build every wheel, check it, and test it alone: python tools/wheels.py [--only NAME ...].

Per wheel: a new virtual environment with that wheel, common and what they declare; import it and
its entry points; then add its third-party extras and run the package's tests against it. At the
end one environment holds what a program needs that only starts workflows on Pulsar.
"""

import argparse
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import service_control
import wheel_metadata

ROOT = Path(__file__).resolve().parent.parent
TOOLS = ROOT / "tools"
WORK = TOOLS / ".cache" / "wheels"
DIST = WORK / "dist"
NAMES = sorted(file.parent.name for file in ROOT.glob("packages/*/pyproject.toml"))
TESTERS = ["pytest", "pytest-asyncio", "hypothesis"]
CLIENT_ONLY = ["infinitic-common", "infinitic-client", "infinitic-transport-pulsar"]
NO_TESTS = 5  # pytest's status when it finds none
# Packages whose own tests talk to real servers.
SERVERS = {
    "infinitic-storage": ["postgres", "redis", "mariadb"],
    "infinitic-transport-pulsar": ["pulsar"],
}


class StepError(Exception):
    """A step, named in the message, did not succeed; its output is above."""


def main() -> int:
    """Build all, test those that are asked for, sum up; the status is 1 when one failed."""
    parser = argparse.ArgumentParser("tools/hatch run wheels")
    parser.add_argument("--only", nargs="+", metavar="NAME", help="such as client, or common")
    only = parser.parse_args().only
    names = [f"infinitic-{name.removeprefix('infinitic-')}" for name in only] if only else NAMES
    if unknown := set(names) - set(NAMES):
        sys.exit(f"tools/wheels.py: no package {', '.join(unknown)} in {ROOT / 'packages'}")
    try:
        build()
    except StepError as failure:
        sys.exit(f"tools/wheels.py: failed to {failure}")
    results = {name: outcome(name) for name in names}
    if not only:
        results["client beside no worker"] = client_only()
    print("\n" + "\n".join(f"{result:>10}  {name}" for name, result in results.items()))
    return "FAILED" in results.values()


def build() -> None:
    """Build each sdist, and each wheel from its sdist, and check both."""
    shutil.rmtree(WORK, ignore_errors=True)
    for name in NAMES:
        package = ROOT / "packages" / name
        run("uv", "build", "-q", "--out-dir", DIST, package, step=f"build {name}")
    wheels = sorted(DIST.glob("*.whl"))
    run(
        "twine", "check", "--strict", *wheels, *sorted(DIST.glob("*.tar.gz")), step="check metadata"
    )
    run("check-wheel-contents", *wheels, step="check the contents")
    for wheel in wheels:
        if problems := wheel_metadata.problems(wheel):
            sys.exit("\n".join(f"{wheel.name}: {problem}" for problem in problems))


def outcome(name: str) -> str:
    """Test one wheel and tell what came of it."""
    print(f"\n--- {name}", flush=True)
    start = time.monotonic()
    try:
        tested = check(name)
    except StepError as failure:
        print(f"{name}: failed to {failure}", file=sys.stderr)
        return "FAILED"
    print(f"{time.monotonic() - start:.1f} s")
    return "passed" if tested else "no tests"


def check(name: str) -> bool:
    """Install, import and test one wheel; return whether it has tests."""
    python = environment(name)
    install(python, *requirements(name))
    run(python, "-c", wheel_metadata.IMPORT, name, step="import it")
    extras = wheel_metadata.third_party_extras(wheel_of(name))
    install(python, *requirements(name, extras), *TESTERS)
    variables = service_control.ensure(*SERVERS[name]) if name in SERVERS else {}
    config = ["-c", str(TOOLS / "pytest.toml"), "--rootdir", str(ROOT), "-q"]
    tests = ROOT / "packages" / name / "tests"
    status = run(
        python, "-m", "pytest", *config, tests, step="pass its tests", allow=NO_TESTS, **variables
    )
    return status != NO_TESTS


def client_only() -> str:
    """Check that a program which only starts workflows needs three wheels."""
    print("\n--- client beside no worker", flush=True)
    python = environment("client-only")
    try:
        install(python, *(line for name in CLIENT_ONLY for line in requirements(name)))
        for name in CLIENT_ONLY:
            run(python, "-c", wheel_metadata.IMPORT, name, step="import the client's wheels")
    except StepError as failure:
        print(f"client-only: failed to {failure}", file=sys.stderr)
        return "FAILED"
    return "passed"


def environment(name: str) -> Path:
    """Make an empty virtual environment and return its Python."""
    folder = WORK / "environments" / name
    run("uv", "venv", "-q", "--python", sys.executable, folder)
    return folder / "bin" / "python"


def install(python: Path, *requirements: str) -> None:
    """Install requirements into an environment."""
    run("uv", "pip", "install", "-q", "--python", python, *requirements, step="install it")


def requirements(name: str, extras: list[str] | None = None) -> list[str]:
    """Return a wheel and common as requirements that only the built files satisfy."""
    chosen = f"[{','.join(extras)}]" if extras else ""
    lines = [f"{name}{chosen} @ {wheel_of(name).as_uri()}"]
    if name != "infinitic-common":
        lines.append(f"infinitic-common @ {wheel_of('infinitic-common').as_uri()}")
    return lines


def wheel_of(name: str) -> Path:
    """Return the file that was built for a package."""
    (wheel,) = DIST.glob(f"{name.replace('-', '_')}-[0-9]*.whl")
    return wheel


def run(*words: str | Path, step: str = "run", allow: int = 0, **variables: str) -> int:
    """Run a program and return its status.

    Raises:
        StepError: the status is neither 0 nor the allowed one.
    """
    # An environment of its own: neither the checkout's packages nor the caller's come along.
    hidden = {"PYTHONPATH", "VIRTUAL_ENV"}
    kept = {key: value for key, value in os.environ.items() if key not in hidden}
    status = subprocess.run(words, cwd=ROOT, env=kept | variables, check=False).returncode
    if status not in {0, allow}:
        raise StepError(step)
    return status


if __name__ == "__main__":
    sys.exit(main())
