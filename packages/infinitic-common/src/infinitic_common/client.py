"""Ports to the client, for parts that use one without importing the wheel: worker and tasks."""

from infinitic_common._client.awaited import AsyncClient, AsyncClientDeferred, AsyncClientFactory
from infinitic_common._client.blocking import Client, ClientDeferred
from infinitic_common._client.stubs import WorkflowStubs

__all__ = [
    "AsyncClient",
    "AsyncClientDeferred",
    "AsyncClientFactory",
    "Client",
    "ClientDeferred",
    "WorkflowStubs",
]
