"""Reports leave in bursts: what ended in one go of the event loop is published together."""

import asyncio
import logging
from collections import defaultdict
from collections.abc import Callable, Sequence

from infinitic_common.exceptions import Unavailable
from infinitic_common.transport import OutgoingMessage, Topic, Transport
from infinitic_task_executor._service.reports import Report

_LOGGER = logging.getLogger("infinitic.service_executor")
_FIRST_PAUSE = 0.1
_LONGEST_PAUSE = 5.0


class Pending:
    """Messages of one batch that are not reported yet."""

    def __init__(self, count: int) -> None:
        """Wait for that many reports."""
        self.finished: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._count = count
        self.less(0)

    def less(self, count: int = 1) -> None:
        """So many are reported, or need no report."""
        self._count -= count
        if self._count <= 0 and not self.finished.done():
            self.finished.set_result(None)

    def more(self, count: int) -> None:
        """So many messages come with a report that is due."""
        self._count += count

    def fail(self, error: BaseException) -> None:
        """A report cannot be published."""
        if not self.finished.done():
            self.finished.set_exception(error)


class BurstPublisher:
    """Publishes reports, once per topic and burst; waits for a broker that cannot be reached.

    Waiting is here and not left to the subscription, which would run the tasks again.
    """

    def __init__(self, transport: Transport, before: Callable[[], None] | None = None) -> None:
        """Publish over a transport; ``before`` is called before each burst."""
        self._before = before
        self._transport = transport
        self._loop = asyncio.get_running_loop()
        self._waiting: list[tuple[Report, Pending]] = []
        self._publishing: set[asyncio.Task[None]] = set()

    def add(self, report: Report | None, pending: Pending) -> None:
        """Publish a report with the next burst; None when there is nothing to tell."""
        if report is None:
            pending.less()
            return
        if not self._waiting:
            self._loop.call_soon(self._flush)
        self._waiting.append((report, pending))
        if report.beside:
            pending.more(len(report.beside))
            self._waiting += [(beside, pending) for beside in report.beside]

    def close(self) -> None:
        """Give up what is not published yet: its tasks come again."""
        for publishing in self._publishing:
            publishing.cancel()

    def _flush(self) -> None:
        burst, self._waiting = self._waiting, []
        if self._before is not None:
            self._before()
        by_topic: defaultdict[Topic, list[tuple[Report, Pending]]] = defaultdict(list)
        for report, pending in burst:
            by_topic[report.topic].append((report, pending))
        for topic, reports in by_topic.items():
            task = self._loop.create_task(self._publish(topic, reports))
            self._publishing.add(task)
            task.add_done_callback(self._publishing.discard)

    async def _publish(self, topic: Topic, reports: Sequence[tuple[Report, Pending]]) -> None:
        try:
            await self._publish_surely(topic, [report.message for report, _ in reports])
        except Exception as error:  # noqa: BLE001 - whoever waits for it raises it
            for _, pending in reports:
                pending.fail(error)
        else:
            for _, pending in reports:
                pending.less()

    async def _publish_surely(self, topic: Topic, messages: Sequence[OutgoingMessage]) -> None:
        pause = _FIRST_PAUSE
        while True:
            try:
                return await self._transport.publish(topic, messages)
            except Unavailable as error:
                _LOGGER.warning("results for %s wait until the broker is back: %s", topic, error)
                await asyncio.sleep(pause)
                pause = min(2 * pause, _LONGEST_PAUSE)
