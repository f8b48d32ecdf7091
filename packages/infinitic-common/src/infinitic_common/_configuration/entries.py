"""What a worker hosts for one service or one workflow."""

from collections.abc import Iterable
from typing import Annotated, Self

from attrs import frozen

from infinitic_common._configuration.checks import NotBlank
from infinitic_common._configuration.engines import (
    ServiceTagEngineConfiguration,
    WorkflowStateEngineConfiguration,
    WorkflowTagEngineConfiguration,
)
from infinitic_common._configuration.executors import (
    ServiceExecutorConfiguration,
    WorkflowExecutorConfiguration,
)
from infinitic_common._configuration.nodes import Node
from infinitic_common._configuration.problems import Problem
from infinitic_common._configuration.reading import At
from infinitic_common._configuration.seed_form import read_with_inner
from infinitic_common._configuration.settings import Settings, keys_of


@frozen(kw_only=True)
class ServiceConfiguration(Settings):
    """What a worker hosts for a service.

    Attributes:
        name: Name of the service.
        executor: How its tasks run; None if they do not run here.
        tag_engine: How its tags are kept; None if not here.
    """

    MORE_KEYS = keys_of(ServiceExecutorConfiguration)

    name: Annotated[str, NotBlank()]
    executor: ServiceExecutorConfiguration | None = None
    tag_engine: ServiceTagEngineConfiguration | None = None

    def conflicts(self) -> Iterable[Problem]:
        """See ``Settings``."""
        if self.executor is None and self.tag_engine is None:
            yield Problem(
                "", f"nothing is hosted for '{self.name}'", "add `class:` or `tagEngine:`"
            )

    @classmethod
    def from_node(cls, node: Node, at: At) -> Self:
        """See ``Readable``."""
        return read_with_inner(cls, ServiceExecutorConfiguration, node, at)


@frozen(kw_only=True)
class WorkflowConfiguration(Settings):
    """What a worker hosts for a workflow.

    Attributes:
        name: Name of the workflow.
        executor: How its code runs; None if it does not run here.
        state_engine: How its instances are kept and advanced; None if not here.
        tag_engine: How their tags are kept; None if not here.
    """

    MORE_KEYS = keys_of(WorkflowExecutorConfiguration)
    MOVED_KEYS = {"workflowEngine": "`stateEngine:`"}  # noqa: RUF012 - read-only by declaration

    name: Annotated[str, NotBlank()]
    executor: WorkflowExecutorConfiguration | None = None
    state_engine: WorkflowStateEngineConfiguration | None = None
    tag_engine: WorkflowTagEngineConfiguration | None = None

    def conflicts(self) -> Iterable[Problem]:
        """See ``Settings``."""
        if self.executor is None and self.state_engine is None and self.tag_engine is None:
            remedy = "add `class:`, `stateEngine:` or `tagEngine:`"
            yield Problem("", f"nothing is hosted for '{self.name}'", remedy)

    @classmethod
    def from_node(cls, node: Node, at: At) -> Self:
        """See ``Readable``."""
        return read_with_inner(cls, WorkflowExecutorConfiguration, node, at)
