"""The service tag engine of Infinitic for Python."""

from infinitic_task_tag.component import ServiceTagEngine, set_key

__all__ = ["ServiceTagEngine", "set_key"]
