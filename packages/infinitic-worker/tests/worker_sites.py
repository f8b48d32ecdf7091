"""Folders that look as if wheels were installed in them."""

# ruff: noqa: INP001 - read beside the tests

from pathlib import Path

WHEELS = """\
[infinitic.transports]
probe = worker_doubles:open_transport

[infinitic.storages]
probe = worker_doubles:open_storage

[infinitic.components]
serviceExecutor = worker_doubles:ServiceExecutor
serviceTagEngine = worker_doubles:ServiceTagEngine
workflowExecutor = worker_doubles:WorkflowExecutor
workflowTagEngine = worker_doubles:WorkflowTagEngine
workflowStateEngine = worker_doubles:WorkflowStateEngine
"""


def announce(site: Path, wheel: str, entry_points: str) -> None:
    """Announce the entry points of a wheel."""
    info = site / f"{wheel.replace('-', '_')}-1.0.dist-info"
    info.mkdir()
    metadata = f"Metadata-Version: 2.1\nName: {wheel}\nVersion: 1.0\n"
    (info / "METADATA").write_text(metadata, encoding="utf-8")
    (info / "entry_points.txt").write_text(entry_points, encoding="utf-8")
