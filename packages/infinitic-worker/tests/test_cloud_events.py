"""From records of events to CloudEvents: types, envelopes and data, one by one."""

from datetime import UTC, datetime

import attrs
import pytest
from cloudevents.core.formats.json import JSONFormat
from cloudevents.core.v1.event import CloudEvent

from infinitic_common.codec import encode
from infinitic_common.events import (
    Event,
    EventBatch,
    EventType,
    TaskEvent,
    WorkflowEvent,
)
from infinitic_common.failures import (
    ExceptionDetail,
    TaskFailedError,
    TaskFailure,
    TaskTimedOutError,
    WorkflowCanceledError,
    WorkflowFailedError,
    WorkflowTimedOutError,
    WorkflowUnknownError,
)
from infinitic_common.messages import (
    CommandByTag,
    DispatchMethod,
    ExecuteTask,
    RemoteMethodFailed,
    SendSignal,
    TaskFailed,
)
from infinitic_common.requesters import ClientRequester, WorkflowRequester
from infinitic_common.serialization import encode_untyped
from infinitic_common.transport import Topic, TopicKind
from infinitic_worker._events.envelopes import cloud_events, iso_duration

REQUESTER = WorkflowRequester("Order", "w1", "process", "m1", 2, 3)
STOCK = Topic(TopicKind.SERVICE_EXECUTOR_EVENT, "Stock/é")
CODE = Topic(TopicKind.WORKFLOW_EXECUTOR_EVENT, "Order")
ORDER = Topic(TopicKind.WORKFLOW_STATE_EVENT, "Order")
TASK = TaskEvent(
    EventType.TASK_STARTED, "e1", 1_500, "t1", "Stock/é", "count", 1, 2, REQUESTER, frozenset("ba")
)
FAILURE = TaskFailure(
    "other", 0, 0, 1.5, "trace", ExceptionDetail("ValueError", "no", {"code": encode_untyped(7)})
)
HAPPENED = WorkflowEvent("", "e2", 1_500, "w1", b"", "m1", "process", 3)


def read(event: Event, topic: Topic) -> CloudEvent:
    batch = EventBatch("worker", "0.1.0", (event,))
    (told,) = cloud_events(batch, topic, "inMemory")
    return told


def data(event: Event, topic: Topic = ORDER) -> dict[str, object]:
    found = read(event, topic).get_data()
    assert isinstance(found, dict)
    return found


def test_events_01_the_envelope_of_an_event_of_a_task() -> None:
    event = read(TASK, STOCK)
    assert event.get_attributes() == {
        "specversion": "1.0",
        "id": "e1",
        "source": "inMemory/services/executor/Stock%2F%C3%A9",
        "type": "task.started",
        "subject": "t1",
        "time": datetime(1970, 1, 1, 0, 0, 1, 500_000, tzinfo=UTC),
        "datacontenttype": "application/json",
    }
    assert event.get_data() == {
        "serviceName": "Stock/é",
        "taskName": "count",
        "retrySequence": 1,
        "retryIndex": 2,
        "taskTags": ["a", "b"],
        "taskMeta": {},
        "requester": {
            "workflowName": "Order",
            "workflowId": "w1",
            "workflowVersion": 3,
            "methodName": "process",
            "methodId": "m1",
        },
        "infiniticVersion": "0.1.0",
        "workerName": "worker",
    }


@pytest.mark.parametrize(
    "event_type",
    ["task.started", "task.completed", "task.failed", "task.retryScheduled"],
)
def test_events_02_every_type_of_an_attempt_has_the_same_envelope(event_type: str) -> None:
    event = read(attrs.evolve(TASK, type=event_type), STOCK)
    assert event.get_type() == event_type
    assert event.get_subject() == "t1"
    assert event.get_data()["workerName"] == "worker"  # type: ignore[index, call-overload]  # it is a mapping


def test_a_dispatched_task_tells_its_arguments_and_no_worker() -> None:
    asked = ExecuteTask("e1", "S", "t1", "m", (encode_untyped(1),), frozenset(), {}, REQUESTER)
    told = data(attrs.evolve(TASK, type=EventType.TASK_DISPATCH, body=encode(asked)), STOCK)
    assert told["taskArgs"] == [1]
    assert "workerName" not in told


def test_a_scheduled_retry_tells_seconds() -> None:
    again = ExecuteTask("e", "S", "t", "m", (), frozenset(), {}, REQUESTER, last_failure=FAILURE)
    told = data(attrs.evolve(TASK, type=EventType.TASK_RETRY_SCHEDULED, body=encode(again)), STOCK)
    assert told["secondsBeforeRetry"] == 1.5
    assert told["failure"] == {
        "workerName": "other",
        "retrySequence": 0,
        "retryIndex": 0,
        "secondsBeforeRetry": 1.5,
        "error": {
            "name": "ValueError",
            "message": "no",
            "customProperties": {"code": 7},
            "cause": None,
        },
        "stackTrace": "trace",
        "previousFailure": None,
    }


def test_events_04_workflow_tasks_have_the_source_of_their_executor() -> None:
    assert read(TASK, CODE).get_source() == "inMemory/workflows/executor/Order"


def test_events_05_a_command_tells_who_asked_and_no_worker() -> None:
    signal = SendSignal(
        "e2", "Order", "w1", "approvals", "s1", encode_untyped("yes"), (), ClientRequester("c"), 1
    )
    told = data(attrs.evolve(HAPPENED, type=EventType.SIGNAL, body=encode(signal)))
    assert told == {
        "workflowName": "Order",
        "infiniticVersion": "0.1.0",
        "requester": {"clientName": "c"},
        "signal": {"channel": "approvals", "signalId": "s1", "signalData": "yes"},
    }


def test_an_event_of_a_run_names_it_and_the_worker() -> None:
    told = data(attrs.evolve(HAPPENED, type=EventType.METHOD_CANCELED))
    assert told["workerName"] == "worker"
    assert told["workflowVersion"] == 3
    assert (told["methodId"], told["methodName"]) == ("m1", "process")
    assert told["methodCanceled"] == {"methodId": "m1", "methodName": "process"}


def test_events_09_a_run_that_timed_out_can_be_told() -> None:
    told = data(attrs.evolve(HAPPENED, type=EventType.METHOD_TIMED_OUT))
    assert told["methodTimedOut"] == {"methodId": "m1", "methodName": "process"}


@pytest.mark.parametrize("event_type", [EventType.COMPLETED, EventType.CANCELED])
def test_the_end_of_a_workflow_has_nothing_of_its_own(event_type: str) -> None:
    event = attrs.evolve(HAPPENED, type=event_type, method_id=None, method_name=None)
    assert set(data(event)) == {
        "workflowName",
        "infiniticVersion",
        "workerName",
        "workflowVersion",
    }


@pytest.mark.parametrize(
    ("event_type", "error"),
    [
        (EventType.REMOTE_METHOD_CANCELED, WorkflowCanceledError("Child", "w2", "run", "m2")),
        (EventType.REMOTE_METHOD_TIMED_OUT, WorkflowTimedOutError("Child", "w2", "run", "m2")),
        (EventType.REMOTE_METHOD_UNKNOWN, WorkflowUnknownError("Child", "w2", "run", "m2")),
    ],
)
def test_events_08_how_a_remote_method_ended_names_the_remote(
    event_type: str,
    error: WorkflowCanceledError | WorkflowTimedOutError | WorkflowUnknownError,
) -> None:
    failed = RemoteMethodFailed("e2", "Order", "w1", "m1", 0, error, 1)
    event = attrs.evolve(HAPPENED, type=event_type, body=encode(failed))
    name = event_type.partition(".")[2]
    assert data(event)[name] == {
        "workflowName": "Child",
        "workflowId": "w2",
        "methodName": "run",
        "methodId": "m2",
    }


def test_a_failed_remote_method_tells_its_cause_inside() -> None:
    cause = TaskTimedOutError("Stock", "count", "t9")
    error = WorkflowFailedError("Child", "w2", "run", "m2", cause)
    failed = RemoteMethodFailed("e2", "Order", "w1", "m1", 0, error, 1)
    event = attrs.evolve(HAPPENED, type=EventType.REMOTE_METHOD_FAILED, body=encode(failed))
    told = data(event)["remoteMethodFailed"]
    assert isinstance(told, dict)
    assert told["methodName"] == "run"
    assert told["taskTimedOut"]["taskId"] == "t9"


def test_a_stalled_run_tells_its_cause() -> None:
    error = TaskFailedError("Stock", "count", "t9", FAILURE)
    told = data(attrs.evolve(HAPPENED, type=EventType.METHOD_FAILED, body=encode(error)))
    failed = told["methodFailed"]
    assert isinstance(failed, dict)
    assert failed["methodId"] == "m1"
    assert failed["taskFailed"]["failure"]["error"]["message"] == "no"


def test_what_is_asked_by_tag_tells_the_tag_and_no_arguments() -> None:
    method = DispatchMethod(
        "m",
        "Other",
        "",
        "m9",
        "run",
        (b"\x01",),
        REQUESTER,
        client_waiting=False,
        emitted_at=1,
    )
    by_tag = CommandByTag("m", "Other", "blue", encode(method), REQUESTER)
    event = attrs.evolve(HAPPENED, type=EventType.REMOTE_METHOD_DISPATCHED, body=encode(by_tag))
    assert data(event)["remoteMethodDispatched"] == {
        "workflowName": "Other",
        "workflowTag": "blue",
        "methodName": "run",
        "methodId": "m9",
    }


def test_a_failed_task_in_a_workflow_tells_the_failure() -> None:
    failed = TaskFailed("e", "Order", "w1", "m1", 0, "t1", "Stock", "count", FAILURE, 1)
    event = attrs.evolve(HAPPENED, type=EventType.WORKFLOW_TASK_FAILED, body=encode(failed))
    told = data(event)["taskFailed"]
    assert isinstance(told, dict)
    assert told["taskName"] == "count"


def test_a_body_that_is_too_large_or_too_new_leaves_the_rest() -> None:
    event = attrs.evolve(TASK, body=b"\x81\x19\xff\xff", names={"omittedBytes": 9})
    assert data(event, STOCK)["omittedBytes"] == 9


@pytest.mark.parametrize(
    ("milliseconds", "text"),
    [(0.0, "PT0S"), (0.25, "PT0.00025S"), (1_000.0, "PT1S"), (90_061_001.5, "PT90061.0015S")],
)
def test_a_duration_is_told_in_iso_8601(milliseconds: float, text: str) -> None:
    event = attrs.evolve(TASK, type=EventType.TASK_COMPLETED, duration_ms=milliseconds)
    assert iso_duration(milliseconds) == text
    assert read(event, STOCK).get_extension("duration") == text


def test_events_can_be_written_as_json() -> None:
    event = read(TASK, STOCK)
    assert JSONFormat().read(None, JSONFormat().write(event)).get_data() == event.get_data()
