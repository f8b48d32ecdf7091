"""The component that runs the tasks of a service."""

from collections.abc import Callable
from typing import Self, TypeVar

from infinitic_common.arguments import demand_counts, demand_flags, demand_kinds
from infinitic_common.component import ComponentHost
from infinitic_common.configuration import (
    UNSET,
    BatchConfiguration,
    ConfigurationError,
    ExponentialBackoff,
    Problem,
    ServiceConfiguration,
    Unset,
    load_class,
)
from infinitic_common.contracts import contract_of
from infinitic_common.implementation import service_implementation
from infinitic_common.policies import (
    RetryFunction,
    RetryPolicy,
    TimeoutPolicy,
)
from infinitic_common.transport import Consumption, Counts, Subscription, Topic, TopicKind
from infinitic_task_executor._retries import retry_setting
from infinitic_task_executor._service.plans import Settings, plans_of
from infinitic_task_executor._service.runner import TaskRunner

T = TypeVar("T")

Source = type | Callable[[], object]
"""A class, or a function without parameters that makes its instances."""

_TOPICS = (TopicKind.SERVICE_EXECUTOR, TopicKind.SERVICE_EXECUTOR_RETRY)
_MAX_BATCH = 2
"""The messages of a batch are acknowledged together: a slow task keeps the others of its batch in
flight. With ``_MAX_BATCH`` times as many messages in flight as tasks at once there is always one to
run for each free place, even when every batch has a slow task."""

_MIN_IN_FLIGHT = 4


class ServiceExecutor:
    """Runs the tasks of a service, plain methods on threads and coroutines on the event loop.

    A component of a worker. Each task gets an instance of its own. A task is acknowledged when the
    broker has its result; after a crash it runs again.
    """

    def __init__(  # noqa: PLR0913 - what a service can be told
        self,
        contract: type | str,
        implementation: Source,
        *,
        concurrency: int = 1,
        timeout_seconds: float | TimeoutPolicy | Unset | None = UNSET,
        retry: RetryPolicy | RetryFunction | Unset | None = UNSET,
        batch: BatchConfiguration | None = None,
        events: bool = True,
    ) -> None:
        """Register the implementation of a service.

        Args:
            contract: The contract, or the name of the service.
            implementation: A class, or a function without parameters that makes its instances.
            concurrency: Tasks at once; batches at once with ``batch``.
            timeout_seconds: The longest time of one attempt; None for no limit. When it is not
                given, ``@timeout`` on the method or the class decides, else the class if it is a
                ``TimeoutPolicy``, else there is no limit.
            retry: When a failed attempt is made again; None for never. When it is not given,
                ``@retry`` on the method or the class decides, else the class if it is a
                ``RetryPolicy``, else there is no other attempt.
            batch: How batch methods are fed; None to run their tasks one by one.
            events: Tell listeners of its tasks.

        Raises:
            InvalidImplementation: The class cannot implement the service.
            InvalidTypeHint: A parameter or result has no type, or one that cannot be sent.
            InvalidSetting: ``concurrency`` is no number or less than 1, ``batch`` or ``events`` is
                something else.
            UsageError: The limit is not positive, or a policy is none.
        """
        demand_counts(concurrency=concurrency, otherwise="leave the executor out")
        demand_kinds(BatchConfiguration, batch=batch)
        demand_flags(events=events)
        name = contract if isinstance(contract, str) else contract_of(contract).name
        self._implementation = service_implementation(
            implementation, name, contract=None if isinstance(contract, str) else contract
        )
        setting = retry_setting(retry, f"retry of the executor of {name}")
        self._settings = Settings(timeout_seconds, setting)
        self._plans = plans_of(self._implementation, self._settings)
        self._concurrency = concurrency
        self._events = events
        # Without a batch method nothing is worth waiting for.
        self._batch = batch if any(plan.batch for plan in self._plans.values()) else None
        self._runner: TaskRunner | None = None
        self._consumption: Consumption | None = None

    @classmethod
    def from_configuration(cls, configuration: ServiceConfiguration) -> Self:
        """Make the executor that a configuration asks for.

        Raises:
            ConfigurationError: Its class, or an ignored exception, cannot be loaded.
            InvalidImplementation: Its class cannot implement the service.
        """
        executor = configuration.executor
        place = f"services.{configuration.name}"
        if executor is None or executor.class_name is None:
            raise ConfigurationError([Problem(place, "no executor", "add `class:`")])
        if isinstance(executor.retry, ExponentialBackoff):
            executor.retry.ignored_classes(place=f"{place}.retry")
        loaded = load_class(executor.class_name, place=f"{place}.class")
        return cls(
            configuration.name,
            loaded,
            concurrency=executor.concurrency,
            timeout_seconds=executor.timeout_seconds,
            retry=executor.retry,
            events=executor.events is not False,
            batch=executor.batch,
        )

    @property
    def service_name(self) -> str:
        """The service whose tasks it runs."""
        return self._implementation.name

    def __str__(self) -> str:
        """Tell what runs, and how."""
        told = [f"concurrency {self._concurrency}"]
        told += [f"timeout {_seconds(one)}" for one in _given(self._settings.timeout)]
        told += [f"retry {one or 'never'}" for one in _given(self._settings.retry)]
        if self._batch is not None:
            batch = self._batch
            told.append(f"batches of {batch.max_messages} within {batch.max_seconds:g} s")
        cls = self._implementation.cls.__name__
        return f"{self.label} {self.service_name} by {cls} ({', '.join(told)})"

    @property
    def label(self) -> str:
        """See ``Component``."""
        return "TaskExecutor"

    @property
    def counts(self) -> Counts:
        """See ``Component``."""
        return self._consumption.counts if self._consumption is not None else Counts()

    @property
    def _max_batch(self) -> int:
        return _MAX_BATCH if self._batch is None else self._batch.max_messages

    @property
    def _max_in_flight(self) -> int:
        # A batch is gathered while others run.
        batches = self._concurrency if self._batch is None else self._concurrency + 1
        return max(self._max_batch * batches, _MIN_IN_FLIGHT)

    async def start(self, host: ComponentHost) -> None:
        """See ``Component``."""
        self._runner = TaskRunner(
            self._implementation,
            self._plans,
            self._concurrency,
            self._batch,
            host,
            events=self._events,
        )
        subscription = Subscription(
            topics=tuple(Topic(kind, self.service_name) for kind in _TOPICS),
            name="service-executor",
            max_batch_messages=self._max_batch,
            max_in_flight_messages=self._max_in_flight,
            on_dead_letter=self._runner.bury,
        )
        self._consumption = await host.transport.consume(subscription, self._runner.handle)

    async def stop(self, grace_seconds: float) -> None:
        """See ``Component``."""
        if self._runner is not None:
            self._runner.hurry()
        if self._consumption is not None:
            await self._consumption.stop(grace_seconds)
        if self._runner is not None:
            self._runner.close()


def _given(setting: T | Unset) -> tuple[T, ...]:
    return () if isinstance(setting, Unset) else (setting,)


def _seconds(timeout: float | TimeoutPolicy | None) -> str:
    if timeout is None:
        return "none"
    return f"{timeout:g} s" if isinstance(timeout, int | float) else str(timeout)
