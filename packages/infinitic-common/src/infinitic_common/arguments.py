"""Refuses what a component is given by hand and cannot work with, where it is written."""

from datetime import timedelta
from typing import NoReturn

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
            refuse_setting(setting, value, f"give a whole number, {least} or more")
        elif value < least:
            instead = otherwise and f", or {otherwise}"
            refuse_setting(setting, value, f"give {least} or more{instead}")


def demand_flags(**given: object) -> None:
    """See that each is True or False: a text as 'no' would be taken for True.

    Raises:
        InvalidSetting: One is not.
    """
    for setting, value in given.items():
        if not isinstance(value, bool):
            refuse_setting(setting, value, "give True or False")


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
            refuse_setting(setting, value, "give a timedelta, as timedelta(seconds=60)")
        elif value < timedelta(0) or (positive and not value):
            refuse_setting(setting, value, f"give {least}")


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
            refuse_setting(setting, value, f"give {kind.__name__}(…), or None")


def refuse_setting(setting: str, value: object, remedy: str) -> NoReturn:
    """Refuse one that cannot be worked with.

    Args:
        setting: The name of its parameter.
        value: What is given.
        remedy: What to give instead.

    Raises:
        InvalidSetting: Always.
    """
    msg = f"{setting}={value!r}: {remedy}"
    raise InvalidSetting(msg)
