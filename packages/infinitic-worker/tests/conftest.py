import sys
import sysconfig
from pathlib import Path

import pytest

# Doubles shared by the test modules of this package; import-mode importlib adds no folder itself.
sys.path.insert(0, str(Path(__file__).parent))

# Found by the line above.
from telemetry_doubles import Measured
from worker_sites import WHEELS, announce

from infinitic_worker._metrics.instruments import Instruments


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
