"""Environments and files of workers; see ``deployments``."""

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from deployments.environments import ALL_WHEELS, Environment, environment_with

Configure = Callable[[str, str], Path]


@pytest.fixture
def everything(tmp_path: Path) -> Environment:
    """An environment with all wheels."""
    return environment_with(ALL_WHEELS, tmp_path / "everything")


@pytest.fixture
def configure(tmp_path: Path) -> Configure:
    """Write a configuration by its name."""

    def written(name: str, text: str) -> Path:
        path = tmp_path / f"{name}.yml"
        path.write_text(text, encoding="utf-8")
        return path

    return written
