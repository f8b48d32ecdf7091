"""Stubs that a client makes, the same in both colours."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from collections.abc import Set as AbstractSet
from typing import Protocol, TypeVar

S = TypeVar("S")


class WorkflowStubs(Protocol):
    """Stubs that a client makes; the same in both colours."""

    def new_workflow(
        self,
        contract: Callable[..., S],
        *,
        tags: AbstractSet[str] = frozenset(),
        meta: Mapping[str, bytes] | None = None,
    ) -> S:
        """A stub that starts instances."""
        ...

    def get_workflow_by_id(self, contract: Callable[..., S], workflow_id: str) -> S:
        """A stub of a running instance."""
        ...

    def get_workflow_by_tag(self, contract: Callable[..., S], tag: str) -> S:
        """A stub of every running instance that has a tag."""
        ...
