"""Refuses what a component is given by hand and cannot work with, where it is written."""

from datetime import timedelta

from infinitic_common.exceptions import InvalidSetting


def demand_counts(*, least: int = 1, otherwise: str = "", **given: object) -> None:
    """See that each is a whole number, and not too small.

    Args:
        least: The smallest that makes sense.
        otherwise: What to do instead of a smaller number, for the message.
        given: The values, by the names of their parameters.

    Raises:
        InvalidSetting: One is not.
    """
    for setting, value in given.items():
        if type(value) is not int:
            _refuse(setting, value, f"give a whole number, {least} or more")
        elif value < least:
            _refuse(setting, value, f"give {least} or more{otherwise and f', or {otherwise}'}")


def demand_flags(**given: object) -> None:
    """See that each is True or False: a text as 'no' would be taken for True.

    Raises:
        InvalidSetting: One is not.
    """
    for setting, value in given.items():
        if not isinstance(value, bool):
            _refuse(setting, value, "give True or False")


def demand_spans(*, positive: bool = True, **given: object) -> None:
    """See that each is a ``timedelta``, and not negative.

    Args:
        positive: Whether it must be longer than nothing.
        given: The values, by the names of their parameters.

    Raises:
        InvalidSetting: One is not.
    """
    least = "more than 0" if positive else "0 or more"
    for setting, value in given.items():
        if not isinstance(value, timedelta):
            _refuse(setting, value, "give a timedelta, as timedelta(seconds=60)")
        elif value < timedelta(0) or (positive and not value):
            _refuse(setting, value, f"give {least}")


def demand_kinds(kind: type, **given: object) -> None:
    """See that each is an instance of a class, or None.

    Args:
        kind: The class.
        given: The values, by the names of their parameters.

    Raises:
        InvalidSetting: One is not.
    """
    for setting, value in given.items():
        if value is not None and not isinstance(value, kind):
            _refuse(setting, value, f"give {kind.__name__}(…), or None")


def _refuse(setting: str, value: object, remedy: str) -> None:
    msg = f"{setting}={value!r}: {remedy}"
    raise InvalidSetting(msg)
