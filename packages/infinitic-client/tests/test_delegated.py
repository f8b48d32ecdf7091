"""Outcomes of delegated tasks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import pytest

from infinitic_common import delegated, name
from infinitic_common.exceptions import InvalidStub, MethodNotFound, UsageError
from infinitic_common.messages import CompleteDelegatedTask, FailDelegatedTask
from infinitic_common.serialization import SerializationError, decode_untyped, value_codec
from infinitic_common.transport import Topic, TopicKind

if TYPE_CHECKING:
    from conftest import RecordingTransport

    from infinitic_client import AsyncInfiniticClient, InfiniticClient


@dataclass(frozen=True)
class Review:
    stars: int
    words: list[str]


REVIEW = Review(5, ["good"])


@name("reviews")
class ReviewService(Protocol):
    @delegated
    def review(self, order_id: str) -> Review: ...

    def count(self) -> int: ...


def completion(transport: RecordingTransport) -> CompleteDelegatedTask:
    [(topic, message)] = transport.published
    assert topic == Topic(TopicKind.SERVICE_TAG_ENGINE, "reviews")
    assert isinstance(message, CompleteDelegatedTask)
    assert message.task_id == "task-1"
    return message


def test_client_22_a_delegated_task_gets_a_value_of_its_declared_type(
    blocking: InfiniticClient, transport: RecordingTransport
) -> None:
    blocking.complete_delegated_task(ReviewService, "task-1", REVIEW)
    typed = value_codec(Review, place="a review")
    assert typed.decode(completion(transport).value) == REVIEW


async def test_client_22_a_value_for_a_service_known_by_name_describes_itself(
    client: AsyncInfiniticClient, transport: RecordingTransport
) -> None:
    await client.complete_delegated_task("reviews", "task-1", REVIEW)
    value = completion(transport).value
    assert decode_untyped(value) == REVIEW
    typed = value_codec(Review, place="a review")
    assert typed.decode(value) == REVIEW


async def test_the_method_of_a_delegated_task_can_be_named(
    client: AsyncInfiniticClient, transport: RecordingTransport
) -> None:
    await client.complete_delegated_task(ReviewService, "task-1", 3, method="count")
    assert decode_untyped(completion(transport).value) == 3
    with pytest.raises(MethodNotFound, match="review, count"):
        await client.complete_delegated_task(ReviewService, "task-1", 3, method="other")


async def test_a_value_of_another_type_is_refused(
    client: AsyncInfiniticClient, transport: RecordingTransport
) -> None:
    with pytest.raises(SerializationError):
        await client.complete_delegated_task(ReviewService, "task-1", "five")
    assert transport.messages == []


@pytest.mark.parametrize(("service", "task_id"), [("reviews", ""), ("", "task-1")])
async def test_a_delegated_task_needs_service_and_id(
    client: AsyncInfiniticClient, service: str, task_id: str
) -> None:
    with pytest.raises(InvalidStub):
        await client.complete_delegated_task(service, task_id, None)


def failure(transport: RecordingTransport) -> FailDelegatedTask:
    (message,) = transport.messages
    assert isinstance(message, FailDelegatedTask)
    assert (message.service_name, message.task_id) == ("reviews", "task-1")
    assert message.failure.worker_name == "client-1"
    return message


def test_a_delegated_task_fails_with_an_exception(
    blocking: InfiniticClient, transport: RecordingTransport
) -> None:
    blocking.fail_delegated_task(ReviewService, "task-1", ValueError("no reviewer"))
    detail = failure(transport).failure.exception
    assert (detail.name, detail.message) == ("ValueError", "no reviewer")


async def test_a_delegated_task_fails_with_a_text(
    client: AsyncInfiniticClient, transport: RecordingTransport
) -> None:
    await client.fail_delegated_task("reviews", "task-1", "no reviewer")
    assert failure(transport).failure.exception.message == "no reviewer"


@pytest.mark.parametrize("error", [None, ValueError, 5])
async def test_a_delegated_task_fails_with_nothing_else(
    client: AsyncInfiniticClient, transport: RecordingTransport, error: str
) -> None:
    with pytest.raises(UsageError, match="an exception, or a text"):
        await client.fail_delegated_task("reviews", "task-1", error)
    assert transport.messages == []
