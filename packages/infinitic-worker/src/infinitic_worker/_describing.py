"""Components and settings in one line, for logs."""

import attrs

from infinitic_common.component import Component
from infinitic_common.configuration import (
    ServiceConfiguration,
    ServiceExecutorConfiguration,
    ServiceTagEngineConfiguration,
    StorageConfiguration,
    WorkflowConfiguration,
    WorkflowExecutorConfiguration,
    WorkflowStateEngineConfiguration,
    WorkflowTagEngineConfiguration,
)

Part = (
    ServiceExecutorConfiguration
    | ServiceTagEngineConfiguration
    | WorkflowExecutorConfiguration
    | WorkflowStateEngineConfiguration
    | WorkflowTagEngineConfiguration
)


def described(component: Component) -> str:
    """What a component says of itself; its label when it says nothing."""
    says_nothing = type(component).__str__ is object.__str__
    return component.label if says_nothing else str(component)


def described_by(
    component: Component, entry: ServiceConfiguration | WorkflowConfiguration, part: Part
) -> str:
    """A component that was made from a configuration, with its effective settings."""
    settings = [f"{name}={_short(value)}" for name, value in _settings(part).items()]
    return f"{component.label} {entry.name}: {', '.join(settings)}"


def _settings(part: Part) -> dict[str, object]:
    return attrs.asdict(part, recurse=False)


def _short(value: object) -> str:
    return value.kind if isinstance(value, StorageConfiguration) else repr(value)
