"""Stubs that a client makes, the same for both colours."""

from collections.abc import Callable, Mapping
from collections.abc import Set as AbstractSet
from typing import TypeVar, cast

from infinitic_common.contracts import contract_of
from infinitic_common.stub_options import checked_meta, checked_tags, checked_text
from infinitic_common.stubs import (
    Caller,
    NewWorkflow,
    Stub,
    WorkflowById,
    WorkflowByTag,
)

S = TypeVar("S")


class StubMaker:
    """Makes stubs whose calls a client carries out."""

    def __init__(self, caller: Caller) -> None:
        self._caller = caller

    def new_workflow(
        self,
        contract: Callable[..., S],
        *,
        tags: AbstractSet[str] = frozenset(),
        meta: Mapping[str, bytes] | None = None,
    ) -> S:
        """Make a stub whose calls start workflows, each call one more.

        Args:
            contract: The ``Protocol`` or ABC that describes the workflow.
            tags: Tags of the workflows; a workflow tag engine must run to find them again.
            meta: What the workflows find in their context.

        Raises:
            InvalidContract: The class is no contract.
            InvalidTypeHint: A parameter, result or channel has no type, or one that cannot be
                sent.
            MultipleCustomId: More than one tag starts with ``customId:``.
            UsageError: ``tags`` or ``meta`` is not what it must be.
        """
        read = contract_of(contract)
        what = f"new_workflow({read.cls.__name__})"
        target = NewWorkflow(read, checked_tags(tags, what), checked_meta(meta, what))
        return cast("S", Stub(target, self._caller))

    def get_workflow_by_id(self, contract: Callable[..., S], workflow_id: str) -> S:
        """Make a stub of a running workflow; nothing checks that it exists.

        Raises:
            InvalidContract: The class is no contract.
            InvalidStub: The id is empty.
        """
        checked = checked_text(workflow_id, "the id of a workflow")
        return cast("S", Stub(WorkflowById(contract_of(contract), checked), self._caller))

    def get_workflow_by_tag(self, contract: Callable[..., S], tag: str) -> S:
        """Make a stub of every running workflow that has a tag.

        Raises:
            InvalidContract: The class is no contract.
            InvalidStub: The tag is empty.
        """
        checked = checked_text(tag, "the tag of workflows")
        return cast("S", Stub(WorkflowByTag(contract_of(contract), checked), self._caller))
