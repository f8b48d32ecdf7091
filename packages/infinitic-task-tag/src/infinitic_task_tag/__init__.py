"""The tag engine for the tasks of Infinitic for Python."""

from infinitic_task_tag.component import ServiceTagEngine

__all__ = ["ServiceTagEngine"]
