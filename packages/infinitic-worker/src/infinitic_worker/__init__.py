"""The worker of Infinitic for Python: hosts services, workflows and engines."""

from infinitic_worker.worker import InfiniticWorker, WorkerError

__all__ = ["InfiniticWorker", "WorkerError"]
