"""The workflow state engine of Infinitic for Python."""

from infinitic_workflow_engine._storage.logged import LoggedWorkflowStateStorage
from infinitic_workflow_engine._storage.states import (
    KeyValueWorkflowStateStorage,
    Retention,
    WorkflowStateStorage,
)
from infinitic_workflow_engine.component import StateEngineOptions, WorkflowStateEngine

__all__ = [
    "KeyValueWorkflowStateStorage",
    "LoggedWorkflowStateStorage",
    "Retention",
    "StateEngineOptions",
    "WorkflowStateEngine",
    "WorkflowStateStorage",
]
