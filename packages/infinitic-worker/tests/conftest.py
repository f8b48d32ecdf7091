import sys
import sysconfig
from collections.abc import Iterator
from pathlib import Path

import pytest

# Doubles shared by the test modules of this package; import-mode importlib adds no folder itself.
sys.path.insert(0, str(Path(__file__).parent))

# Found by the line above.
from commands import Command, Start
from telemetry_doubles import Measured
from worker_sites import WHEELS, announce

from infinitic_worker._metrics.instruments import Instruments

SHOP = "class Pays: ...\nclass FailsToStart: ...\nclass NeverFinishes: ...\n"


@pytest.fixture
def empty_site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Hide what is really installed: whatever a test wants to be installed goes here."""
    site = tmp_path / "site"
    site.mkdir()
    monkeypatch.setattr(sys, "path", [str(site), sysconfig.get_path("stdlib")])
    return site


@pytest.fixture
def site(empty_site: Path) -> Path:
    """As if wheels of doubles were installed, and nothing else."""
    announce(empty_site, "probe", WHEELS)
    return empty_site


@pytest.fixture
def client_site(empty_site: Path) -> Path:
    """As if a wheel with a client were installed, and nothing else."""
    announce(
        empty_site, "probe-client", "[infinitic.clients]\nasync = worker_doubles:make_client\n"
    )
    return empty_site


@pytest.fixture
def measured() -> Measured:
    """A meter provider that can be looked into."""
    return Measured()


@pytest.fixture
def instruments(measured: Measured) -> Instruments:
    return Instruments(measured.provider.get_meter("test"), "w")


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Start the command in a folder with a module ``shop``, as if wheels of doubles were installed."""
    site = tmp_path / "site"
    site.mkdir()
    announce(site, "probe", WHEELS)
    (tmp_path / "shop.py").write_text(SHOP, encoding="utf-8")
    commands: list[Command] = []

    def started(*words: str) -> Command:
        commands.append(Command(tmp_path, *words))
        return commands[-1]

    yield started
    for command in commands:
        command.process.kill()
        command.end()
