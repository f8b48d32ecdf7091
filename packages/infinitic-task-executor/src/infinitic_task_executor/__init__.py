"""The executors of Infinitic for Python, which run services and workflows."""

from infinitic_task_executor.service_executor import ServiceExecutor
from infinitic_task_executor.workflow_executor import WorkflowExecutor

__all__ = ["ServiceExecutor", "WorkflowExecutor"]
