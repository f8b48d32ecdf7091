"""The worker of Infinitic for Python: hosts services, workflows and engines."""

from infinitic_worker._errors import WorkerError
from infinitic_worker._events.contract import CloudEventListener, SingleCloudEventListener
from infinitic_worker._events.listener import EventListener
from infinitic_worker._logs import ContextFilter, JsonFormatter, configure_logs
from infinitic_worker.process import prepare_process
from infinitic_worker.worker import InfiniticWorker

__all__ = [
    "CloudEventListener",
    "ContextFilter",
    "EventListener",
    "InfiniticWorker",
    "JsonFormatter",
    "SingleCloudEventListener",
    "WorkerError",
    "configure_logs",
    "prepare_process",
]
