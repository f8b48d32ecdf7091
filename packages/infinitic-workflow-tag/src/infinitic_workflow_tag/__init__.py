"""The workflow tag engine of Infinitic for Python."""

from infinitic_workflow_tag.component import WorkflowTagEngine, set_key

__all__ = ["WorkflowTagEngine", "set_key"]
