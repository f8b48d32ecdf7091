"""What an executor of tasks is made of, and what it tells of itself."""

from typing import Protocol

import pytest
from host_doubles import Host
from service_doubles import started

from infinitic_common import batch, name
from infinitic_common.configuration import (
    BatchConfiguration,
    ConfigurationError,
    ExponentialBackoff,
    ServiceConfiguration,
    ServiceExecutorConfiguration,
    ServiceTagEngineConfiguration,
)
from infinitic_common.exceptions import InvalidImplementation, InvalidSetting
from infinitic_task_executor import ServiceExecutor

BACKOFF = ExponentialBackoff(maximum_retries=2)


class Util(Protocol):
    def product(self, a: int, b: int) -> int: ...


class UtilImpl(Util):
    def product(self, a: int, b: int) -> int:
        return a * b


class Batched:
    def pay(self, amount: int) -> int:
        return amount

    @batch
    @name("pay")
    def _pay_all(self, amounts: dict[str, int]) -> dict[str, int]:
        return amounts


async def test_it_consumes_its_topics_without_holding_more_than_it_can_use() -> None:
    async with started(ServiceExecutor(Util, UtilImpl, concurrency=2)) as host:
        subscription = host.transport.subscription

    assert subscription is not None
    assert [str(topic) for topic in subscription.topics] == [
        "service-executor:Util",
        "service-executor-retry:Util",
    ]
    assert not subscription.ordered
    assert (subscription.max_batch_messages, subscription.max_in_flight_messages) == (2, 4)


async def test_it_tells_what_it_is_and_stops_its_consumption() -> None:
    host = Host()
    executor = ServiceExecutor("Util", UtilImpl)
    assert executor.counts.received == 0
    await executor.start(host)
    await executor.stop(2.5)

    assert (executor.label, executor.service_name) == ("TaskExecutor", "Util")
    assert executor.counts == host.transport.consumption.counts
    assert host.transport.consumption.stopped_within == [2.5]


async def test_a_configuration_makes_it() -> None:
    settings = ServiceExecutorConfiguration(
        class_name="executor_samples.PaymentsImpl", concurrency=3
    )
    executor = ServiceExecutor.from_configuration(
        ServiceConfiguration(name="Payments", executor=settings)
    )
    host = Host()
    await executor.start(host)
    await executor.stop(0)

    assert executor.service_name == "Payments"
    assert host.transport.subscription is not None
    assert host.transport.subscription.max_in_flight_messages == 6


def test_a_configuration_without_executor_is_refused() -> None:
    configuration = ServiceConfiguration(
        name="Payments", tag_engine=ServiceTagEngineConfiguration()
    )
    with pytest.raises(ConfigurationError, match=r"services\.Payments"):
        ServiceExecutor.from_configuration(configuration)


def test_a_class_of_another_service_and_no_concurrency_are_refused() -> None:
    with pytest.raises(InvalidImplementation, match="Other"):
        ServiceExecutor("Other", UtilImpl)
    with pytest.raises(ValueError, match="concurrency=0"):
        ServiceExecutor(Util, UtilImpl, concurrency=0)


@pytest.mark.parametrize("wrong", [{"concurrency": "2"}, {"batch": 5}, {"events": "no"}])
def test_settings_that_are_none_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(InvalidSetting, match=next(iter(wrong))):
        ServiceExecutor(Util, UtilImpl, **wrong)  # type: ignore[arg-type]  # what is refused


@pytest.mark.parametrize(
    ("executor", "text"),
    [
        (ServiceExecutor(Util, UtilImpl), "TaskExecutor Util by UtilImpl (concurrency 1)"),
        (
            ServiceExecutor(Util, UtilImpl, concurrency=3, timeout_seconds=None, retry=None),
            "TaskExecutor Util by UtilImpl (concurrency 3, timeout none, retry never)",
        ),
        (
            ServiceExecutor(Util, UtilImpl, timeout_seconds=1.5, retry=BACKOFF),
            f"TaskExecutor Util by UtilImpl (concurrency 1, timeout 1.5 s, retry {BACKOFF})",
        ),
        (
            ServiceExecutor(
                "Payments", Batched, batch=BatchConfiguration(max_messages=20, max_seconds=0.5)
            ),
            "TaskExecutor Payments by Batched (concurrency 1, batches of 20 within 0.5 s)",
        ),
    ],
    ids=["plain", "none", "limits", "batch"],
)
def test_it_tells_its_settings_in_one_line(executor: ServiceExecutor, text: str) -> None:
    assert str(executor) == text


def test_executor_05_a_class_that_is_not_found_is_refused() -> None:
    settings = ServiceExecutorConfiguration(class_name="executor_samples.Missing")
    with pytest.raises(ConfigurationError, match=r"class 'executor_samples\.Missing' not found"):
        ServiceExecutor.from_configuration(ServiceConfiguration(name="S", executor=settings))
