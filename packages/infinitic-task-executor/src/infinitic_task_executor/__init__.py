"""The executors of Infinitic for Python, which run services and workflows."""

from infinitic_task_executor.workflow_executor import WorkflowExecutor

__all__ = ["WorkflowExecutor"]
