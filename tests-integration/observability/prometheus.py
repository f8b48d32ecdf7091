"""A Prometheus of one's own: the Debian package, scraping and judging every second."""

import json
import subprocess
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TypedDict, TypeVar

import attrs
from service_control._install import apt, can_install, find
from service_control._process import free_port

ROOT = Path(__file__).resolve().parents[2]
RULES = ROOT / "docker" / "prometheus" / "rules" / "infinitic.yml"

PATIENCE_SECONDS = 90.0

T = TypeVar("T")


class OneSeries(TypedDict):
    """Labels of a series, and its value: an instant and a number."""

    metric: Mapping[str, str]
    value: tuple[float, str]


Series = Sequence[OneSeries]


def program(name: str) -> Path:
    """``prometheus`` or ``promtool``, installed if that is allowed here."""
    found = find(name)
    if found is None:
        assert can_install(), f"{name} is not on PATH: install the package prometheus"
        apt("prometheus")
        found = find(name)
    assert found is not None
    return found


def promtool(*words: str | Path) -> str:
    """Run ``promtool``; returns what it says."""
    done = subprocess.run(  # noqa: S603 - our own command
        [program("promtool"), *words], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def until(found: Callable[[], T | None], what: str) -> T:
    """Ask again until there is an answer."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not (answer := found()):
        assert time.monotonic() < deadline, f"{what}: not within {PATIENCE_SECONDS:g} s"
        time.sleep(0.25)
    return answer


@attrs.frozen
class Prometheus:
    """Where it answers."""

    url: str

    def query(self, expression: str) -> Series:
        """The series that an expression gives now."""
        words = urllib.parse.urlencode({"query": expression})
        with urllib.request.urlopen(f"{self.url}/api/v1/query?{words}") as answer:
            series: Series = json.load(answer)["data"]["result"]
            return series

    def value(self, expression: str) -> float:
        """The sum of what an expression gives now."""
        return sum(float(one["value"][1]) for one in self.query(expression))

    def firing(self) -> set[str]:
        """Names of the alerts that fire."""
        return {one["metric"]["alertname"] for one in self.query('ALERTS{alertstate="firing"}')}

    def is_ready(self) -> bool:
        """Whether it answers queries."""
        try:
            with urllib.request.urlopen(f"{self.url}/-/ready"):
                return True
        except (urllib.error.URLError, ConnectionError):
            return False


@contextmanager
def prometheus(folder: Path, worker_port: int) -> Generator[Prometheus]:
    """Run one during the block, which scrapes a worker.

    Args:
        folder: Gets its data and its log.
        worker_port: Where the metrics of the worker are.
    """
    configuration = folder / "prometheus.yml"
    configuration.write_text(
        json.dumps(  # which is YAML, too
            {
                "global": {"scrape_interval": "1s", "evaluation_interval": "1s"},
                "rule_files": [str(RULES)],
                "scrape_configs": [
                    {
                        "job_name": "infinitic-worker",
                        "static_configs": [{"targets": [f"127.0.0.1:{worker_port}"]}],
                    }
                ],
            }
        )
    )
    place = f"127.0.0.1:{free_port(9090)}"
    words = [
        str(program("prometheus")),
        f"--config.file={configuration}",
        f"--storage.tsdb.path={folder / 'data'}",
        f"--web.listen-address={place}",
    ]
    with (folder / "prometheus.log").open("wb") as log:
        process = subprocess.Popen(words, stdout=log, stderr=log)  # noqa: S603 - our own command
        try:
            server = Prometheus(f"http://{place}")
            until(server.is_ready, "Prometheus answers")
            yield server
        finally:
            process.terminate()
            process.wait(30)
