"""The tag engine for the workflows of Infinitic for Python."""

from infinitic_workflow_tag.component import WorkflowTagEngine

__all__ = ["WorkflowTagEngine"]
