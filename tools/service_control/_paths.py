"""Where the services keep what they download and what they run on."""

import hashlib
import os
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
DOCKER = ROOT / "docker"


def cache_dir() -> Path:
    """Return the folder of downloads, shared by every checkout of this user."""
    default = Path.home() / ".cache" / "infinitic-services"
    path = Path(os.environ.get("INFINITIC_SERVICES_CACHE", default))
    path.mkdir(parents=True, exist_ok=True)
    return path


def run_dir() -> Path:
    """Return the folder of data, logs and state, one per checkout.

    It is below the temporary folder because servers that refuse root must be able to enter it.
    """
    name = f"infinitic-services-{os.getuid()}-{checkout_id()}"
    default = Path(tempfile.gettempdir(), name)
    path = Path(os.environ.get("INFINITIC_SERVICES_RUN", default))
    path.mkdir(parents=True, exist_ok=True)
    path.chmod(0o711)
    return path


def checkout_id() -> str:
    """Return a short name of this checkout."""
    return hashlib.sha256(str(ROOT).encode()).hexdigest()[:8]
