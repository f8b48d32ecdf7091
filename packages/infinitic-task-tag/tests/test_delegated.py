"""Delegated tasks: registered and done, in either order, and done once."""

import logging

import attrs
import pytest

from infinitic_common.codec import encode
from infinitic_common.exceptions import StorageError, StorageUnavailable, TransportUnavailable
from infinitic_common.failures import ExceptionDetail, TaskFailure
from infinitic_common.messages import (
    AddTagToTask,
    CompleteDelegatedTask,
    FailDelegatedTask,
    RegisterDelegatedTask,
    RemoveTagFromTask,
    TaskCompleted,
    TaskFailed,
)
from infinitic_common.requesters import ClientRequester, WorkflowRequester
from infinitic_common.storage import VersionedValue, Write
from infinitic_common.testing.tag_engine import TagEngineHost
from infinitic_task_tag import ServiceTagEngine

KEY = "taskId:task|delegatedTaskData"
PARENT = WorkflowRequester("Parent", "parent", "run", "parent-run", 3)
HOUR, WEEK = 3_600_000, 7 * 24 * 3_600_000

REGISTRATION = RegisterDelegatedTask(
    "registration", "Name", "task", "charge", PARENT, {"note": b"1"}, 50, 2, 1
)
COMPLETION = CompleteDelegatedTask("completion", "Name", "task", b"value", 60)
REASON = ExceptionDetail("DelegatedTaskFailed", "refused", {"code": b"1"})
FAILURE = FailDelegatedTask(
    "failure", "Name", "task", TaskFailure("client", 0, 0, None, "trace", REASON), 60
)


@pytest.fixture
async def host() -> TagEngineHost:
    host = TagEngineHost()
    await ServiceTagEngine("Name").start(host)
    return host


def stored(host: TagEngineHost) -> Write:
    return host.records.writes[KEY]


def values(host: TagEngineHost) -> list[bytes]:
    return [told.value for told in host.messages if isinstance(told, TaskCompleted)]


# --- in either order ------------------------------------------------------------------------------


async def test_delegated_05_a_registration_is_stored_under_the_id_of_its_task(
    host: TagEngineHost,
) -> None:
    assert await host.deliver(REGISTRATION) == []
    assert host.lines == [f"get {KEY}", f"put {KEY}"]
    assert stored(host).expires_at is None
    assert host.messages == []


async def test_delegated_04_a_completion_goes_to_who_asked_and_is_stored_no_more(
    host: TagEngineHost,
) -> None:
    await host.deliver(REGISTRATION)
    registered = stored(host)
    host.clear()
    await host.deliver(COMPLETION)
    assert host.lines == [f"get {KEY}", "publish workflow-state-engine:Parent", f"put {KEY}"]
    [told] = host.messages
    assert isinstance(told, TaskCompleted)
    assert (told.workflow_name, told.workflow_id) == ("Parent", "parent")
    assert (told.method_id, told.position, told.task_id) == ("parent-run", 3, "task")
    assert (told.value, told.meta, told.emitted_at) == (b"value", {"note": b"1"}, 60)
    left = stored(host)
    assert left.expires_at == host.transport.time + HOUR
    assert len(left.value or b"") < len(registered.value or b"")


async def test_a_failure_goes_to_who_asked_as_one_of_the_attempt_that_registered(
    host: TagEngineHost,
) -> None:
    await host.deliver(REGISTRATION)
    await host.deliver(FAILURE)
    [told] = host.messages
    assert isinstance(told, TaskFailed)
    assert (told.workflow_id, told.position, told.task_id) == ("parent", 3, "task")
    assert (told.service_name, told.method_name) == ("Name", "charge")
    assert told.failure == attrs.evolve(FAILURE.failure, retry_sequence=2, retry_index=1)


@pytest.mark.parametrize("outcome", [COMPLETION, FAILURE])
async def test_an_outcome_that_comes_first_waits_seven_days_for_the_registration(
    host: TagEngineHost, outcome: CompleteDelegatedTask | FailDelegatedTask
) -> None:
    await host.deliver(outcome)
    assert host.messages == []
    assert stored(host).expires_at == host.transport.time + WEEK
    await host.deliver(REGISTRATION)
    [told] = host.messages
    assert isinstance(told, TaskCompleted | TaskFailed)
    assert (told.workflow_id, told.emitted_at) == ("parent", 60)


async def test_an_outcome_that_comes_first_is_remarked(
    host: TagEngineHost, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    await host.deliver(COMPLETION)
    [line] = caplog.records
    assert line.levelno == logging.INFO
    assert "comes before its registration" in line.message


@pytest.mark.parametrize("batch", [(REGISTRATION, COMPLETION), (COMPLETION, REGISTRATION)])
async def test_both_in_one_batch_are_one_read_one_write_and_one_outcome(
    host: TagEngineHost, batch: tuple[RegisterDelegatedTask | CompleteDelegatedTask, ...]
) -> None:
    await host.deliver(*batch)
    assert host.lines == [f"get {KEY}", "publish workflow-state-engine:Parent", f"put {KEY}"]
    assert values(host) == [b"value"]


async def test_tasks_of_a_batch_are_read_and_written_in_bulk(host: TagEngineHost) -> None:
    ids = [f"task{number}" for number in range(4)]
    for message in (REGISTRATION, COMPLETION):
        host.clear()
        await host.deliver(
            *(attrs.evolve(message, message_id=f"{message.message_id} {i}", task_id=i) for i in ids)
        )
        assert len([line for line in host.lines if line.startswith("get ")]) == 1
        assert len([line for line in host.lines if line.startswith("put ")]) == 1
    assert [told.task_id for told in host.messages if isinstance(told, TaskCompleted)] == ids


# --- once -----------------------------------------------------------------------------------------


async def test_a_second_completion_is_a_warning_and_nothing_else(
    host: TagEngineHost, caplog: pytest.LogCaptureFixture
) -> None:
    await host.deliver(REGISTRATION, COMPLETION)
    host.clear()
    second = attrs.evolve(COMPLETION, message_id="second", value=b"other")
    assert await host.deliver(second) == []
    assert host.messages == []
    [line] = caplog.records
    assert line.levelno == logging.WARNING
    assert "delegated task Name task is done already" in line.message


async def test_of_two_completions_before_the_registration_the_first_counts(
    host: TagEngineHost, caplog: pytest.LogCaptureFixture
) -> None:
    second = attrs.evolve(COMPLETION, message_id="second", value=b"other")
    await host.deliver(COMPLETION, second)
    await host.deliver(REGISTRATION)
    assert values(host) == [b"value"]
    assert "is done already" in caplog.text


@pytest.mark.parametrize("again", [REGISTRATION, COMPLETION])
async def test_what_had_its_effect_has_none_when_delivered_again(
    host: TagEngineHost,
    again: RegisterDelegatedTask | CompleteDelegatedTask,
    caplog: pytest.LogCaptureFixture,
) -> None:
    await host.deliver(REGISTRATION, COMPLETION)
    host.clear()
    await host.deliver(again)
    assert host.lines == [f"get {KEY}"]
    assert caplog.text == ""


@pytest.mark.parametrize("message", [REGISTRATION, COMPLETION])
async def test_what_waits_is_not_written_again_when_delivered_again(
    host: TagEngineHost, message: RegisterDelegatedTask | CompleteDelegatedTask
) -> None:
    await host.deliver(message)
    host.clear()
    await host.deliver(message)
    assert host.lines == [f"get {KEY}"]


# --- retried --------------------------------------------------------------------------------------


async def test_a_task_that_is_run_again_while_it_waits_is_told_with_its_latest_meta(
    host: TagEngineHost,
) -> None:
    await host.deliver(REGISTRATION)
    await host.deliver(attrs.evolve(REGISTRATION, message_id="again", meta={"note": b"2"}))
    await host.deliver(REGISTRATION, COMPLETION)
    [told] = host.messages
    assert isinstance(told, TaskCompleted)
    assert told.meta == {"note": b"2"}


async def test_a_task_that_failed_and_is_retried_is_told_again_by_another_message(
    host: TagEngineHost,
) -> None:
    await host.deliver(REGISTRATION, FAILURE)
    await host.deliver(attrs.evolve(REGISTRATION, message_id="retry", retry_sequence=3))
    await host.deliver(COMPLETION)
    failed, completed = host.messages
    assert isinstance(failed, TaskFailed)
    assert isinstance(completed, TaskCompleted)
    assert failed.message_id != completed.message_id


async def test_an_outcome_of_a_retry_may_come_before_its_registration_too(
    host: TagEngineHost,
) -> None:
    await host.deliver(REGISTRATION, FAILURE)
    await host.deliver(COMPLETION)
    assert values(host) == []
    await host.deliver(REGISTRATION)
    assert values(host) == []
    await host.deliver(attrs.evolve(REGISTRATION, message_id="retry", retry_sequence=3))
    assert values(host) == [b"value"]


# --- interrupted ----------------------------------------------------------------------------------


@pytest.mark.parametrize("step", ["get", "put", "publish"])
async def test_an_interrupted_completion_is_told_when_delivered_again(
    host: TagEngineHost, step: str
) -> None:
    await host.deliver(REGISTRATION)
    interruption = TransportUnavailable if step == "publish" else StorageUnavailable
    host.journal.failures[step] = interruption("away")
    with pytest.raises(interruption):
        await host.deliver(COMPLETION)
    await host.deliver(COMPLETION)
    told = {one.message_id for one in host.messages if isinstance(one, TaskCompleted)}
    assert len(told) == 1
    assert stored(host).expires_at == host.transport.time + HOUR


@pytest.mark.parametrize(
    ("mine", "other"), [(REGISTRATION, COMPLETION), (COMPLETION, REGISTRATION)]
)
async def test_a_record_that_somebody_else_wrote_meanwhile_is_read_again(
    host: TagEngineHost,
    mine: RegisterDelegatedTask | CompleteDelegatedTask,
    other: RegisterDelegatedTask | CompleteDelegatedTask,
) -> None:
    await host.deliver(other)
    theirs = host.records.values.pop(KEY)

    def somebody() -> None:
        host.records.values[KEY] = theirs

    host.clear()
    host.journal.before["put"] = somebody
    await host.deliver(mine)
    assert host.lines == [
        f"get {KEY}",
        f"put {KEY}",
        f"get {KEY}",
        "publish workflow-state-engine:Parent",
        f"put {KEY}",
    ]
    assert values(host) == [b"value"]


async def test_a_completion_is_not_dropped_for_a_record_that_only_a_cache_still_has(
    host: TagEngineHost, caplog: pytest.LogCaptureFixture
) -> None:
    retried = attrs.evolve(REGISTRATION, message_id="retry")
    await host.deliver(retried)
    theirs = attrs.evolve(host.records.values.pop(KEY), version=3)
    await host.deliver(REGISTRATION, COMPLETION)

    def somebody() -> None:
        host.records.values[KEY] = theirs

    host.clear()
    host.journal.before["put"] = somebody
    await host.deliver(attrs.evolve(COMPLETION, message_id="second", value=b"other"))
    assert values(host) == [b"other"]
    assert caplog.text == ""


async def test_a_record_of_something_else_is_not_overwritten(host: TagEngineHost) -> None:
    theirs = VersionedValue(encode(PARENT), 1)
    host.records.values[KEY] = theirs
    with pytest.raises(StorageError, match=r"taskId:task\|delegatedTaskData is no delegated task"):
        await host.deliver(REGISTRATION)
    assert host.records.values[KEY] == theirs


# --- what is told ---------------------------------------------------------------------------------


async def test_a_value_larger_than_a_message_is_a_failure_that_says_so(
    host: TagEngineHost,
) -> None:
    large = attrs.evolve(COMPLETION, value=b"x" * host.transport.max_message_bytes)
    await host.deliver(REGISTRATION, large)
    [told] = host.messages
    assert isinstance(told, TaskFailed)
    assert told.failure.exception.name.endswith("PayloadTooLarge")
    assert "the result of delegated task Name.charge (task) takes" in told.failure.exception.message
    assert told.failure.worker_name == "process"


async def test_a_failure_larger_than_a_message_is_told_without_its_details(
    host: TagEngineHost,
) -> None:
    exception = attrs.evolve(REASON, properties={"code": b"x" * host.transport.max_message_bytes})
    failure = attrs.evolve(FAILURE.failure, exception=exception)
    await host.deliver(REGISTRATION, attrs.evolve(FAILURE, failure=failure))
    [told] = host.messages
    assert isinstance(told, TaskFailed)
    assert told.failure.exception == attrs.evolve(REASON, properties={})


async def test_the_tags_of_a_task_end_with_its_outcome(host: TagEngineHost) -> None:
    await host.deliver(attrs.evolve(REGISTRATION, tags=frozenset({"foo", "bar"})))
    assert host.messages == []
    await host.deliver(COMPLETION)
    removals = [one for one in host.messages if isinstance(one, RemoveTagFromTask)]
    assert [(one.task_id, one.tag) for one in removals] == [("task", "bar"), ("task", "foo")]


async def test_what_no_workflow_asked_for_is_dropped_with_a_warning(
    host: TagEngineHost, caplog: pytest.LogCaptureFixture
) -> None:
    await host.deliver(attrs.evolve(REGISTRATION, requester=ClientRequester("client")), COMPLETION)
    assert host.messages == []
    assert "clients cannot ask for tasks" in caplog.text


async def test_tags_and_delegated_tasks_share_a_batch(host: TagEngineHost) -> None:
    await host.deliver(AddTagToTask("add", "Name", "task", "foo"), REGISTRATION)
    assert host.lines == ["update", f"get {KEY}", f"put {KEY}"]


async def test_an_id_that_no_key_can_hold_is_kept_by_its_digest(host: TagEngineHost) -> None:
    registration = attrs.evolve(REGISTRATION, task_id="long" * 100)
    await host.deliver(registration, attrs.evolve(COMPLETION, task_id="long" * 100))
    [key] = host.records.values
    assert len(key) < 255
    assert values(host) == [b"value"]
