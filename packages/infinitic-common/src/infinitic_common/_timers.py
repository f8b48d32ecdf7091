"""Commands of timers, and what their values are."""

from datetime import UTC, datetime, timedelta

from infinitic_common.exceptions import UsageError
from infinitic_common.history import TimerCommand
from infinitic_common.serialization import value_codec
from infinitic_common.workflow_run import WorkflowRun

INSTANT = value_codec(datetime, place="the value of a timer")
"""The codec of the value of a timer: the instant it was set to."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)
_LAST = (datetime.max.replace(tzinfo=UTC) - _EPOCH) // _MILLISECOND
"""Rounding must not lead out of the years that there are: such a timer could not be told of."""


def timer_command(run: WorkflowRun, delay: timedelta | datetime) -> TimerCommand:
    """The command of a timer, counted from the time of the run.

    Raises:
        UsageError: It is neither, as a number of seconds, the instant has no time zone, or it is
            beyond the years that there are.
    """
    moment = _checked(delay)
    if isinstance(moment, timedelta):
        duration_ms = round(moment / _MILLISECOND)
        return TimerCommand(_milliseconds(_after(run.now(), moment)), duration_ms)
    if moment.tzinfo is None:
        msg = f"timer({moment!r}): an instant has a time zone, as datetime.now(UTC) has"
        raise UsageError(msg)
    return TimerCommand(_milliseconds(moment), None)


def _after(now: datetime, delay: timedelta) -> datetime:
    try:
        return now + delay
    except OverflowError:
        msg = f"timer({delay!r}): that is beyond the year 9999 or before the year 1"
        raise UsageError(msg) from None


def _checked(delay: object) -> timedelta | datetime:
    if isinstance(delay, timedelta | datetime):
        return delay
    msg = f"timer({delay!r}): give a duration, as timedelta(seconds=1), or an instant"
    raise UsageError(msg)


def _milliseconds(instant: datetime) -> int:
    return min(_LAST, round((instant - _EPOCH) / _MILLISECOND))
