"""What the files below docker/ say."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import cast

from ruamel.yaml import YAML

ROOT = Path(__file__).resolve().parent.parent.parent
DOCKER = ROOT / "docker"
KUBERNETES = DOCKER / "kubernetes"
SHOP = DOCKER / "shop"

Document = Mapping[str, object]

NO_MANIFESTS = {"kustomization.yaml", "prometheus-adapter.yaml"}


def documents_of(path: Path) -> list[Document]:
    """All documents of a YAML file."""
    with path.open(encoding="utf-8") as file:
        return [cast("Document", each) for each in YAML(typ="safe").load_all(file)]


def at(document: Document, *keys: str | int) -> object:
    """What is below keys and indexes; KeyError when something is missing."""
    node: object = document
    for key in keys:
        node = cast("Mapping[str | int, object]", node)[key]
    return node


def manifests() -> Iterator[tuple[str, Document]]:
    """All Kubernetes objects, each with a name for tests."""
    for path in sorted(KUBERNETES.glob("*.yaml")):
        if path.name not in NO_MANIFESTS:
            for document in documents_of(path):
                yield f"{path.stem}-{document['kind']}-{at(document, 'metadata', 'name')}", document


def of_kind(kind: str) -> list[Document]:
    """All Kubernetes objects of a kind."""
    return [document for _, document in manifests() if document["kind"] == kind]
