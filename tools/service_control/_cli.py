"""The command ``tools/services``."""

import argparse
import shlex
import sys

import service_control as services

_HELP = """\
start    start what is not running, wait until it serves, print the URLs
stop     stop what was started here and drop its data
restart  stop and start again with the same data and ports
status   a line per service
urls     print the URLs of what is there now as NAME=value
env      the same as shell exports: eval "$(tools/services env)"
"""


def main() -> int:
    """Run one command; the exit status is 0 when it was done."""
    parser = argparse.ArgumentParser(
        "tools/services", epilog=_HELP, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    commands = ["start", "stop", "restart", "status", "urls", "env"]
    parser.add_argument("command", choices=commands)
    parser.add_argument("names", nargs="*", metavar="service", help=", ".join(services.NAMES))
    parser.add_argument("--kill", action="store_true", help="restart after SIGKILL, like a crash")
    words = parser.parse_args()
    try:
        _run(words.command, words.names, kill=words.kill)
    except services.ServiceError as error:
        print(f"tools/services: {error}", file=sys.stderr)
        return 1
    return 0


def _run(command: str, names: list[str], *, kill: bool) -> None:
    match command:
        case "start":
            _print(services.ensure(*names))
        case "stop":
            for name, ran in services.stop(*names).items():
                print(f"{name}: {'stopped' if ran else 'was not running'}")
        case "restart":
            for name in names or services.NAMES:
                _print(services.restart(name, kill=kill))
        case "status":
            for name, line in services.status(*names).items():
                print(f"{name}: {line}")
        case "urls":
            _print(services.urls(*names))
        case _:
            for name, url in services.urls(*names).items():
                print(f"export {name}={shlex.quote(url)}")


def _print(urls: dict[str, str]) -> None:
    for name, url in urls.items():
        print(f"{name}={url}")
