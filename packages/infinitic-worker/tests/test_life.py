import asyncio
import logging
import threading

import attrs
import pytest
from worker_doubles import (
    RecordingComponent,
    RecordingHandler,
    RecordingStorage,
    RecordingTransport,
)

from infinitic_common.component import ComponentHost
from infinitic_common.transport import Counts
from infinitic_worker import InfiniticWorker, WorkerError


@pytest.fixture
def transport() -> RecordingTransport:
    return RecordingTransport()


def worker_of(
    transport: RecordingTransport, *components: RecordingComponent, grace_seconds: float = 30.0
) -> InfiniticWorker:
    for component in components:
        component.journal = transport.journal
    return InfiniticWorker(
        transport=transport, components=components, shutdown_grace_seconds=grace_seconds
    )


# --- starting and stopping ------------------------------------------------------------------------


async def test_worker_04_components_start_once_and_stop_before_the_transport_closes(
    transport: RecordingTransport,
) -> None:
    async with worker_of(transport, RecordingComponent("A"), RecordingComponent("B")):
        assert transport.journal == ["A starts", "B starts"]
    assert sorted(transport.journal[2:6]) == ["A stopped", "A stops", "B stopped", "B stops"]
    assert transport.journal[6:] == ["transport closed"]


async def test_what_runs_workflow_code_starts_before_engines_and_stops_after_them(
    transport: RecordingTransport,
) -> None:
    async with worker_of(transport, RecordingComponent("engine"), RecordingHandler("executor")):
        pass
    assert transport.journal[:2] == ["executor starts", "engine starts"]
    assert transport.journal[2:6] == [
        "engine stops",
        "engine stopped",
        "executor stops",
        "executor stopped",
    ]


async def test_all_components_share_one_grace_period(transport: RecordingTransport) -> None:
    slow = RecordingComponent("slow", finishes=asyncio.Event())
    last = RecordingHandler("last")
    async with worker_of(transport, slow, last, grace_seconds=0.05):
        pass
    assert slow.grace_seconds == [pytest.approx(0.05, abs=0.02)]
    assert last.grace_seconds == [pytest.approx(0.0, abs=0.01)]


async def test_components_of_one_kind_stop_receiving_together(
    transport: RecordingTransport,
) -> None:
    finishes = asyncio.Event()
    first, second = RecordingComponent("A", finishes=finishes), RecordingComponent("B")
    worker = worker_of(transport, first, second)
    await worker.open()
    closing = asyncio.create_task(worker.aclose())
    await first.stopping.wait()
    await second.stopping.wait()
    assert not closing.done()
    finishes.set()
    await closing


async def test_a_component_that_cannot_be_stopped_keeps_nothing_open(
    transport: RecordingTransport, caplog: pytest.LogCaptureFixture
) -> None:
    broken = RecordingComponent("broken", stop_failure=ValueError("no"))
    async with worker_of(transport, broken, RecordingComponent("other")):
        pass
    assert "other stopped" in transport.journal
    assert transport.journal[-1] == "transport closed"
    assert "broken could not be stopped" in caplog.text


async def test_a_transport_that_cannot_be_closed_keeps_no_storage_open(
    transport: RecordingTransport, caplog: pytest.LogCaptureFixture
) -> None:
    transport.refusal = OSError("gone")
    storage = RecordingStorage(journal=transport.journal)
    async with InfiniticWorker(transport=transport, components=[], storage=storage):
        pass
    assert transport.journal == ["transport closed", "storage closed"]
    assert "transport could not be closed" in caplog.text


async def test_what_others_use_is_left_open(transport: RecordingTransport) -> None:
    storage = RecordingStorage(journal=transport.journal)
    worker = InfiniticWorker(
        transport=transport,
        components=[],
        storage=storage,
        close_transport=False,
        close_storage=False,
    )
    async with worker:
        pass
    assert transport.journal == []


async def test_a_failed_start_stops_what_was_started_and_names_the_component(
    transport: RecordingTransport,
) -> None:
    failing = RecordingComponent("failing", failure=OSError("no route"))
    worker = worker_of(transport, RecordingComponent("A"), failing, RecordingComponent("late"))
    with pytest.raises(OSError, match="no route") as caught:
        await worker.open()
    assert caught.value.__notes__ == ["while starting failing"]
    assert {"A stopped", "failing stopped"} < set(transport.journal)
    assert "late starts" not in transport.journal
    assert transport.journal[-1] == "transport closed"


async def test_a_worker_starts_once(transport: RecordingTransport) -> None:
    worker = worker_of(transport)
    async with worker:
        with pytest.raises(WorkerError, match="was started before"):
            await worker.open()
    with pytest.raises(WorkerError, match="was started before"):
        await worker.open()


# --- closing --------------------------------------------------------------------------------------


async def test_shutdown_01_run_returns_when_another_task_closes_the_worker(
    transport: RecordingTransport,
) -> None:
    component = RecordingComponent("A")
    worker = worker_of(transport, component)
    running = asyncio.create_task(worker.run())
    await component.starting.wait()
    await worker.aclose()
    await running
    assert transport.journal[-1] == "transport closed"


def test_worker_03_start_returns_when_another_thread_closes_the_worker(
    transport: RecordingTransport,
) -> None:
    component = AnnouncedComponent("A")
    worker = worker_of(transport, component)

    def close_when_started() -> None:
        component.announced.wait()
        worker.close()

    closing = threading.Thread(target=close_when_started)
    closing.start()
    worker.start()
    closing.join()
    assert transport.journal[-1] == "transport closed"


@attrs.define(eq=False)
class AnnouncedComponent(RecordingComponent):
    announced: threading.Event = attrs.field(factory=threading.Event)

    async def start(self, host: ComponentHost) -> None:
        await super().start(host)
        self.announced.set()


async def test_cancelling_run_closes_the_worker_gracefully(transport: RecordingTransport) -> None:
    component = RecordingComponent("A")
    running = asyncio.create_task(worker_of(transport, component).run())
    await component.starting.wait()
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert transport.journal[-2:] == ["A stopped", "transport closed"]


async def test_a_start_that_hangs_ends_when_the_worker_is_closed(
    transport: RecordingTransport,
) -> None:
    component = RecordingComponent("A", opens=asyncio.Event())
    worker = worker_of(transport, component)
    running = asyncio.create_task(worker.run())
    await component.starting.wait()
    await worker.aclose()
    await running
    assert transport.journal == ["A starts", "A stops", "A stopped", "transport closed"]


async def test_a_request_to_close_at_once_gives_up_what_is_in_flight(
    transport: RecordingTransport,
) -> None:
    component = RecordingComponent("A", finishes=asyncio.Event())
    worker = worker_of(transport, component)
    running = asyncio.create_task(worker.run())
    await component.starting.wait()
    worker.request_close()
    await component.stopping.wait()
    worker.request_close(at_once=True)
    await running
    assert transport.journal == ["A starts", "A stops", "transport closed"]


async def test_closing_before_the_start_only_warns(
    transport: RecordingTransport, caplog: pytest.LogCaptureFixture
) -> None:
    worker = worker_of(transport, RecordingComponent("A"))
    worker.close()
    await worker.aclose()
    assert caplog.messages == ["worker process is not started: there is nothing to close"] * 2
    async with worker:
        assert transport.journal == ["A starts"]


async def test_closing_again_only_warns(
    transport: RecordingTransport, caplog: pytest.LogCaptureFixture
) -> None:
    worker = worker_of(transport)
    async with worker:
        await worker.aclose()
    worker.close()
    assert caplog.messages == ["worker process is closed already"]


async def test_two_tasks_that_close_at_once_both_wait_for_the_end(
    transport: RecordingTransport,
) -> None:
    worker = worker_of(transport, RecordingComponent("A"))
    await worker.open()
    await asyncio.gather(worker.aclose(), worker.aclose())
    assert transport.journal.count("transport closed") == 1


async def test_the_blocking_close_is_refused_on_the_event_loop_of_the_worker(
    transport: RecordingTransport,
) -> None:
    async with worker_of(transport) as worker:
        with pytest.raises(WorkerError, match=r"await worker\.aclose"):
            worker.close()


# --- in a thread ----------------------------------------------------------------------------------


def test_worker_02_a_with_block_runs_while_the_worker_does(transport: RecordingTransport) -> None:
    with worker_of(transport, RecordingComponent("A")):
        assert transport.journal == ["A starts"]
    assert transport.journal[-1] == "transport closed"


def test_a_with_block_raises_what_hinders_the_start(transport: RecordingTransport) -> None:
    worker = worker_of(transport, RecordingComponent("A", failure=OSError("no route")))
    with pytest.raises(OSError, match="no route"), worker:
        pass
    assert transport.journal[-1] == "transport closed"


def test_a_with_block_may_close_the_worker_itself(
    transport: RecordingTransport, caplog: pytest.LogCaptureFixture
) -> None:
    with worker_of(transport) as worker:
        worker.close()
        assert transport.journal == ["transport closed"]
    assert caplog.messages == []


# --- logs -----------------------------------------------------------------------------------------


async def test_messages_in_flight_are_told_by_kind_of_component(
    transport: RecordingTransport, caplog: pytest.LogCaptureFixture
) -> None:
    components = (
        RecordingComponent("TaskExecutor", counts=Counts(400, 2)),
        RecordingComponent("TaskExecutor", counts=Counts(600, 3)),
        RecordingComponent("WorkflowStateEngine", counts=Counts(7, 0)),
    )
    async with worker_of(transport, *components):
        pass
    [record] = caplog.records
    assert record.levelno == logging.WARNING
    assert record.getMessage() == (
        "In Flight Messages:\n"
        "* TaskExecutor: 5 remaining (1000 received)\n"
        "* WorkflowStateEngine: 0 remaining (7 received)"
    )


async def test_each_component_is_told_and_then_that_the_worker_is_ready(
    transport: RecordingTransport, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    async with worker_of(transport, RecordingComponent("A"), RecordingComponent("B")):
        assert caplog.messages == ["A", "B", "worker process ready"]
        assert [vars(r).get("component") for r in caplog.records] == ["A", "B", None]
