"""Workers that are watched."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent.parent))

from observability.measured import Measured


@pytest.fixture
def measured() -> Measured:
    """A meter provider that can be looked into."""
    return Measured()
