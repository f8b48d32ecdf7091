"""Waiting for results of method runs, and how they stand."""

import asyncio
import logging
import time
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import cast

from infinitic_client._core import ClientCore
from infinitic_client._questions import state_of
from infinitic_client._reminding import Reminder
from infinitic_client._responses import run_key
from infinitic_client._sending import Handle, Sending
from infinitic_common.deferred import DeferredStatus, status_of
from infinitic_common.exceptions import (
    DeferredException,
    DeferredTimeout,
    TransportError,
    TransportUnavailable,
    UsageError,
    WorkflowTimedOut,
)
from infinitic_common.ids import new_id
from infinitic_common.messages import ClientMessage, MethodCompleted, MethodFailed, WaitWorkflow
from infinitic_common.outcomes import to_exception
from infinitic_common.stub_options import checked_seconds

_LOGGER = logging.getLogger(__name__)

_AGAIN_SECONDS = 1.0

_KNOWN_OUTCOME = timedelta(seconds=5)
"""The longest wait for an outcome that the engine was about to tell."""


async def call(core: ClientCore, sending: Sending) -> object:
    """Send a call and wait for its result.

    Raises:
        DeferredException: There is no result.
        NotForTags: It is a call by tag; nothing was sent.
    """
    handle = sending.handle
    handle.refuse_by_tag("the result")
    if handle.method is None:
        await core.send(sending)
        return None
    async with _limited(handle, None):
        if sending.custom_id is not None:
            await core.send(sending)
            return _decoded(handle, _value_of(handle, await _outcome(core, handle)))
        core.check_open()
        await core.responses.start()
        with core.responses.expect(run_key(handle.workflow_id, handle.id)) as answer:
            await core.send(sending, client_waiting=True)
            with Reminder(lambda: core.outbox.post(_wait_for(core, handle))):
                message = await answer
    return _decoded(handle, _value_of(handle, message))


async def result(core: ClientCore, handle: Handle, limit: timedelta | None) -> object:
    """Wait for the result of what was sent.

    Raises:
        DeferredException: There is none.
        NotForTags: It was a call by tag.
    """
    handle.refuse_by_tag("the result")
    if handle.method is None:
        return None
    return _decoded(handle, await encoded_result(core, handle, limit))


async def encoded_result(core: ClientCore, handle: Handle, limit: timedelta | None) -> bytes:
    """Wait for the result of a method run, and leave it as it came.

    Raises:
        DeferredException: There is none.
    """
    if handle.value is not None:
        return handle.value
    async with _limited(handle, limit):
        message = await _outcome(core, handle)
    return _value_of(handle, message)


async def status(core: ClientCore, handle: Handle) -> DeferredStatus:
    """How a method run stands.

    Raises:
        UsageError: It is a signal.
        NotForTags: It was a call by tag.
    """
    handle.refuse_by_tag("the status")
    if handle.method is None:
        msg = f"status: signal {handle.id} was sent, it has no status"
        raise UsageError(msg)
    if handle.value is not None:
        return DeferredStatus.COMPLETED
    state = await state_of(core, handle.workflow_name, handle.workflow_id)
    if _is_ongoing(state, handle.id):
        return DeferredStatus.ONGOING
    return await _known_status(core, handle)


def _is_ongoing(state: Mapping[str, object] | None, method_id: str) -> bool:
    runs = cast("list[dict[str, object]]", (state or {}).get("methods", []))
    return any(run["method_id"] == method_id and run["stalled"] is None for run in runs)


async def _known_status(core: ClientCore, handle: Handle) -> DeferredStatus:
    """The status of a run that does not go on: a wait for it is answered at once."""
    try:
        async with asyncio.timeout(_KNOWN_OUTCOME.total_seconds()):
            message = await _outcome(core, handle)
    except TimeoutError:
        return DeferredStatus.ONGOING  # it was retried since
    match message:
        case MethodFailed(error=error):
            return status_of(error)
        case MethodCompleted(value=value):
            handle.value = value
            return DeferredStatus.COMPLETED
        case _:
            raise _no_answer(handle, message)


async def _outcome(core: ClientCore, handle: Handle) -> ClientMessage:
    def wait() -> WaitWorkflow:
        return _wait_for(core, handle)

    while True:
        try:
            return await core.answer(run_key(handle.workflow_id, handle.id), wait, wait)
        except TransportUnavailable as error:
            # Whoever waits for a workflow waits for the broker too: asking again harms nothing.
            _LOGGER.warning("still waiting for %s: %s", handle.id, error)
            await asyncio.sleep(_AGAIN_SECONDS)


def _wait_for(core: ClientCore, handle: Handle) -> WaitWorkflow:
    return WaitWorkflow(
        message_id=new_id(),
        workflow_name=handle.workflow_name,
        workflow_id=handle.workflow_id,
        method_id=handle.id,
        requester=core.requester,
        emitted_at=core.transport.now(),
    )


def _value_of(handle: Handle, message: ClientMessage) -> bytes:
    match message:
        case MethodCompleted(value=value):
            handle.value = value
            return value
        case MethodFailed(error=error):
            raise to_exception(error)
        case _:
            raise _no_answer(handle, message)


def _decoded(handle: Handle, value: bytes) -> object:
    return None if handle.method is None else handle.method.result.decode(value)


def _no_answer(handle: Handle, message: ClientMessage) -> TransportError:
    return TransportError(f"{type(message).__name__} is no answer about {handle.workflow_id}")


@asynccontextmanager
async def _limited(handle: Handle, longest: timedelta | None) -> AsyncGenerator[None]:
    """Limit a wait by what its contract declares, counted from the call, and by its own limit."""
    own = checked_seconds(longest, f"result of workflow {handle.workflow_name} ({handle.id})")
    declared = _seconds_left(handle)
    limits = [limit for limit in (own, declared) if limit is not None]
    limit = asyncio.timeout(min(limits) if limits else None)
    try:
        async with limit:
            yield
    except TimeoutError:
        if not limit.expired():
            raise
        raise _timed_out(handle, own, declared) from None


def _timed_out(handle: Handle, own: float | None, declared: float | None) -> DeferredException:
    if own is not None and (declared is None or own < declared):
        return DeferredTimeout(own, f"workflow {handle.workflow_name} ({handle.id})")
    method = "" if handle.method is None else handle.method.name
    return WorkflowTimedOut(handle.workflow_name, handle.workflow_id, method, handle.id)


def _seconds_left(handle: Handle) -> float | None:
    limit = None if handle.method is None else handle.method.timeout_ms()
    return None if limit is None else limit / 1000 - (time.monotonic() - handle.created_at)
