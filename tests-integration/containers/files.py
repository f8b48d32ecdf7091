"""The configurations that containers are given, by the path they have there."""

from collections.abc import Mapping
from typing import cast

from containers.documents import DOCKER, Document, at, documents_of, of_kind

Files = Mapping[str, str]


def stack() -> Document:
    """The compose file of the whole."""
    (stack,) = documents_of(DOCKER / "stack.yaml")
    return stack


def compose_files() -> Files:
    """What compose puts where in the worker's container."""
    texts = cast("dict[str, Document]", at(stack(), "configs"))
    mounted = cast("list[dict[str, str]]", at(stack(), "services", "worker", "configs"))
    # Compose reads `$$` as `$`.
    return {
        each["target"]: str(texts[each["source"]]["content"]).replace("$$", "$") for each in mounted
    }


def kubernetes_files() -> Files:
    """What Kubernetes puts where in every worker's container."""
    (files,) = of_kind("ConfigMap")
    return {f"/config/{name}": text for name, text in cast("Files", files["data"]).items()}
