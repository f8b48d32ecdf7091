"""Arguments that a component cannot work with are refused by name, value and remedy."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from infinitic_common.arguments import demand_counts, demand_flags, demand_kinds, demand_spans
from infinitic_common.decorators import check_mode
from infinitic_common.exceptions import InvalidSetting, UsageError


def counts(value: object) -> None:
    demand_counts(concurrency=value, otherwise="leave it out")


def spans(value: object) -> None:
    demand_spans(timeout=value)


@pytest.mark.parametrize(
    ("demand", "value", "message"),
    [
        (counts, "5", "concurrency='5': give a whole number, 1 or more"),
        (counts, 2.5, "concurrency=2.5: give a whole number, 1 or more"),
        (counts, True, "concurrency=True: give a whole number, 1 or more"),
        (counts, 0, "concurrency=0: give 1 or more, or leave it out"),
        (lambda value: demand_flags(events=value), "no", "events='no': give True or False"),
        (spans, 60, "timeout=60: give a timedelta, as timedelta(seconds=60)"),
        (spans, timedelta(0), "timeout=datetime.timedelta(0): give more than 0"),
        (lambda value: demand_kinds(bytes, body=value), "x", "body='x': give bytes(…), or None"),
        (check_mode, "lax", "@check_mode: 'lax' is no check mode: give 'none', 'simple' or"),
    ],
)
def test_what_cannot_be_worked_with_is_refused(
    demand: Callable[[object], None], value: object, message: str
) -> None:
    with pytest.raises(InvalidSetting) as refused:
        demand(value)
    assert str(refused.value).startswith(message)


def test_a_refusal_is_caught_as_wrong_use_and_as_a_wrong_value() -> None:
    assert issubclass(InvalidSetting, UsageError)
    assert issubclass(InvalidSetting, ValueError)


def test_what_can_be_worked_with_is_not() -> None:
    demand_counts(concurrency=1)
    demand_counts(kept=0, least=0)
    demand_flags(events=False)
    demand_spans(timeout=timedelta(seconds=1))
    demand_spans(retention=timedelta(0), positive=False)
    demand_kinds(bytes, body=None)
    demand_kinds(bytes, body=b"")
