"""The guides' code compiles and runs, their YAML is understood, and their links lead somewhere."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from containers.documents import ROOT
from ruamel.yaml import YAML

from infinitic_common.configuration import (
    ServiceConfiguration,
    WorkerConfiguration,
    load_configuration,
    string_source,
)

GUIDES = ROOT / "packages" / "infinitic-worker" / "guides"
PAGES = sorted(GUIDES.glob("*.md"))
EXPECTED = {"comparison", "concepts", "guarantees", "migration", "operations", "sizing"}

_BLOCK = re.compile(r"^```(?P<language>\w+)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"\]\((?!https?:)(?P<target>[^)]+)\)")
_HEADING = re.compile(r"^#+ (?P<text>.+)$", re.MULTILINE)


def _blocks(language: str) -> Iterator[tuple[str, str]]:
    """Every block of a language, with a name for tests."""
    for page in PAGES:
        text = page.read_text(encoding="utf-8")
        for match in _BLOCK.finditer(text):
            if match["language"] == language:
                line = text.count("\n", 0, match.start()) + 1
                yield f"{page.stem}-{line}", match["text"]


PYTHON, YAMLS = dict(_blocks("python")), dict(_blocks("yaml"))


def _anchors(page: Path) -> set[str]:
    headings = _HEADING.finditer(page.read_text(encoding="utf-8"))
    kept = (re.sub(r"[^\w\- ]", "", match["text"].lower()) for match in headings)
    return {text.replace(" ", "-") for text in kept}


def test_there_is_a_page_for_each_concern() -> None:
    assert {page.stem for page in PAGES} == EXPECTED
    assert PYTHON
    assert YAMLS


@pytest.mark.parametrize("name", PYTHON)
def test_python_of_a_guide_runs(name: str) -> None:
    namespace = {"__name__": f"guide_{name.replace('-', '_')}"}
    exec(compile(PYTHON[name], name, "exec"), namespace)  # noqa: S102 - our own text


@pytest.mark.parametrize("name", YAMLS)
def test_yaml_of_a_guide_is_understood(name: str) -> None:
    text = YAMLS[name]
    keys = set(YAML(typ="safe").load(text))
    rest = "" if "transport" in keys else "transport: inMemory\n"
    rest += "" if "storage" in keys else "storage: inMemory\n"
    configuration = load_configuration(WorkerConfiguration, string_source(rest + text))
    assert all(isinstance(service, ServiceConfiguration) for service in configuration.services)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_links_of_a_guide_lead_somewhere(page: Path) -> None:
    for match in _LINK.finditer(page.read_text(encoding="utf-8")):
        path, _, anchor = match["target"].partition("#")
        target = (page.parent / path).resolve() if path else page
        assert target.exists(), match["target"]
        assert not anchor or anchor in _anchors(target), match["target"]


def test_the_readme_names_every_page() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    missing = [page.name for page in PAGES if f"guides/{page.name}" not in text]
    assert not missing
