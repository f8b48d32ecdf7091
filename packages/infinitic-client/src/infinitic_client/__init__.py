"""The client of Infinitic for Python: start, follow, signal and cancel workflows."""

from infinitic_client._async_client import AsyncInfiniticClient
from infinitic_client._blocking_client import InfiniticClient
from infinitic_client._deferreds import AsyncDeferred, Deferred

__all__ = ["AsyncDeferred", "AsyncInfiniticClient", "Deferred", "InfiniticClient"]
