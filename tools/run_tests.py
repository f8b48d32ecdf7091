"""Run the tests beside real servers: python tools/run_tests.py [pytest's options and paths].

Servers whose URL the environment gives are used as they are; the others are started, and stay up
for the next run (tools/services stop ends them).
"""

import os
import sys
from pathlib import Path

import service_control

ROOT = Path(__file__).resolve().parent.parent


def main() -> None:
    """Provide the servers, then become pytest."""
    try:
        urls = service_control.ensure()
    except service_control.ServiceError as error:
        sys.exit(f"tools/run_tests.py: {error}")
    os.environ.update(urls)
    config = ["-c", str(ROOT / "tools" / "pytest.toml"), "--rootdir", str(ROOT)]
    # A test that waits for ever must not take the whole run with it.
    words = [sys.executable, "-m", "pytest", *config, "--timeout=300", *sys.argv[1:]]
    os.execv(sys.executable, words)


if __name__ == "__main__":
    main()
