"""Port to whoever watches a worker: what components tell beside what they send and store.

Components find it with ``telemetry_of(host)``. Nothing here decides anything: a worker that nobody
watches gives ``NO_TELEMETRY``, whose methods do nothing.
"""

from collections.abc import Callable
from contextvars import ContextVar
from typing import Protocol, runtime_checkable

import attrs

from infinitic_common._messages.executions import ExecuteTask
from infinitic_common.failures import DeferredError
from infinitic_common.requesters import Requester
from infinitic_common.trace_context import Meta
from infinitic_common.transport import ReceivedMessage


@attrs.frozen
class RunReport:
    """How a method run of a workflow ended, or why it stalls.

    Attributes:
        method_id: Its id; the main run has the id of the workflow.
        meta: The meta of the workflow.
        requester: Who started the run; None when that is not known any more.
        started_at: Milliseconds since the epoch; None when it is not known.
        ended_at: The same.
        error: Why it has no value; None when it has one.
        stalled: Whether its code failed and it waits for somebody to retry something; else it ended.
    """

    workflow_name: str
    workflow_id: str
    method_id: str
    method_name: str
    meta: Meta
    requester: Requester | None
    started_at: int | None
    ended_at: int
    error: DeferredError | None = None
    stalled: bool = False


class AttemptWatch(Protocol):
    """Watches one attempt of a task; may be used from several threads."""

    def begin(self) -> None:
        """The attempt begins now; the second time nothing happens."""
        ...

    def enter(self) -> None:
        """As ``begin``; and what the calling context runs from here on is the code of the task."""
        ...

    def ended(self, outcome: str, error: BaseException | None = None) -> None:
        """The attempt is over.

        Args:
            outcome: ``completed``, ``delegated``, ``retried`` (it failed, and is made again) or
                ``failed``.
            error: Why it failed.
        """
        ...


class Telemetry(Protocol):
    """Is told what happens in the components of a worker. Never raises, never waits."""

    @property
    def is_on(self) -> bool:
        """Whether it is worth while to find out what to tell."""
        ...

    def attempt(self, task: ExecuteTask) -> AttemptWatch:
        """What watches an attempt of a task that has arrived."""
        ...

    def run_reported(self, report: RunReport) -> None:
        """A method run ended, or stalls; told once that is stored."""
        ...

    def states_read(self, cached: int, stored: int) -> None:
        """So many states of workflows were found in memory, so many asked from the storage."""
        ...


@runtime_checkable
class WatchedHost(Protocol):
    """A ``ComponentHost`` that is watched."""

    @property
    def telemetry(self) -> Telemetry:
        """Whom to tell."""
        ...


class _NoWatch:
    __slots__ = ()

    def begin(self) -> None:
        """Nothing."""

    def enter(self) -> None:
        """Nothing."""

    def ended(self, outcome: str, error: BaseException | None = None) -> None:
        """Nothing."""


class _NoTelemetry:
    __slots__ = ()

    is_on = False

    def attempt(self, task: ExecuteTask) -> AttemptWatch:  # noqa: ARG002 - the port's signature
        """Nobody."""
        return NO_WATCH

    def run_reported(self, report: RunReport) -> None:
        """Nothing."""

    def states_read(self, cached: int, stored: int) -> None:
        """Nothing."""


NO_WATCH: AttemptWatch = _NoWatch()
"""Watches nothing."""

NO_TELEMETRY: Telemetry = _NoTelemetry()
"""Is told everything, and does nothing."""


def telemetry_of(host: object) -> Telemetry:
    """Whom the components of a host tell."""
    return host.telemetry if isinstance(host, WatchedHost) else NO_TELEMETRY


Decoder = Callable[[ReceivedMessage], object]
"""Decodes the body of a message."""

watched_decoder: ContextVar[Decoder | None] = ContextVar("infinitic_decoder", default=None)
"""What decodes messages in the calling context instead of the codec, to watch it; usually nothing."""
