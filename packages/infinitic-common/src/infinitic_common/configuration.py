"""Configurations of workers and clients: their classes, and how to load them."""

from infinitic_common._configuration.classes import (
    instantiate,
    load_any_class,
    load_class,
    load_exceptions,
)
from infinitic_common._configuration.engines import (
    ServiceTagEngineConfiguration,
    WorkflowStateEngineConfiguration,
    WorkflowTagEngineConfiguration,
)
from infinitic_common._configuration.entries import ServiceConfiguration, WorkflowConfiguration
from infinitic_common._configuration.executors import (
    ServiceExecutorConfiguration,
    WorkflowExecutorConfiguration,
    version_of,
)
from infinitic_common._configuration.listener import (
    EventListenerConfiguration,
    ListenedConfiguration,
)
from infinitic_common._configuration.loading import (
    Source,
    file_source,
    load_configuration,
    resource_source,
    string_source,
)
from infinitic_common._configuration.observing import (
    HealthConfiguration,
    LogsConfiguration,
    MetricsConfiguration,
    PrometheusConfiguration,
)
from infinitic_common._configuration.policies import BatchConfiguration, ExponentialBackoff
from infinitic_common._configuration.problems import ConfigurationError, Mark, Problem
from infinitic_common._configuration.pulsar import (
    PulsarClientConfiguration,
    PulsarConfiguration,
    PulsarConsumerConfiguration,
    PulsarPolicies,
    PulsarProducerConfiguration,
)
from infinitic_common._configuration.pulsar_authentication import (
    AthenzAuthentication,
    BasicAuthentication,
    OAuth2Authentication,
    PulsarAuthentication,
    SaslAuthentication,
    TlsAuthentication,
    TokenAuthentication,
)
from infinitic_common._configuration.schema import json_schema
from infinitic_common._configuration.shapes import UNSET, Unset
from infinitic_common._configuration.storage import (
    CacheConfiguration,
    InMemoryStorageConfiguration,
    MySQLConfiguration,
    PostgresConfiguration,
    RedisConfiguration,
    RedisPoolConfiguration,
    StorageConfiguration,
    StorageOptions,
)
from infinitic_common._configuration.transport import (
    InMemoryTransportConfiguration,
    TransportConfiguration,
    TransportOptions,
)
from infinitic_common._configuration.worker import (
    ClientConfiguration,
    WorkerConfiguration,
)

__all__ = [
    "UNSET",
    "AthenzAuthentication",
    "BasicAuthentication",
    "BatchConfiguration",
    "CacheConfiguration",
    "ClientConfiguration",
    "ConfigurationError",
    "EventListenerConfiguration",
    "ExponentialBackoff",
    "HealthConfiguration",
    "InMemoryStorageConfiguration",
    "InMemoryTransportConfiguration",
    "ListenedConfiguration",
    "LogsConfiguration",
    "Mark",
    "MetricsConfiguration",
    "MySQLConfiguration",
    "OAuth2Authentication",
    "PostgresConfiguration",
    "Problem",
    "PrometheusConfiguration",
    "PulsarAuthentication",
    "PulsarClientConfiguration",
    "PulsarConfiguration",
    "PulsarConsumerConfiguration",
    "PulsarPolicies",
    "PulsarProducerConfiguration",
    "RedisConfiguration",
    "RedisPoolConfiguration",
    "SaslAuthentication",
    "ServiceConfiguration",
    "ServiceExecutorConfiguration",
    "ServiceTagEngineConfiguration",
    "Source",
    "StorageConfiguration",
    "StorageOptions",
    "TlsAuthentication",
    "TokenAuthentication",
    "TransportConfiguration",
    "TransportOptions",
    "Unset",
    "WorkerConfiguration",
    "WorkflowConfiguration",
    "WorkflowExecutorConfiguration",
    "WorkflowStateEngineConfiguration",
    "WorkflowTagEngineConfiguration",
    "file_source",
    "instantiate",
    "json_schema",
    "load_any_class",
    "load_class",
    "load_configuration",
    "load_exceptions",
    "resource_source",
    "string_source",
    "version_of",
]
