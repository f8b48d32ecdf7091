"""What authors write on classes and methods: names, policies, modes; and how it is read.

A marker counts on the class or method itself and on the same one of any of its parents, contracts
included, the nearest first.
"""

from collections.abc import Callable
from datetime import timedelta
from enum import StrEnum
from typing import Final, Literal, TypeVar, cast

from infinitic_common._configuration.executors import VERSION_MARK
from infinitic_common.exceptions import InvalidSetting, UsageError
from infinitic_common.policies import (
    FixedTimeout,
    RetryFunction,
    RetryPolicy,
    TimeoutPolicy,
    as_retry_policy,
)

Target = TypeVar("Target", bound=Callable[..., object])
"""A class or a method."""

_NAME: Final = "__infinitic_name__"
_RETRY: Final = "__infinitic_retry__"
_TIMEOUT: Final = "__infinitic_timeout__"
_DELEGATED: Final = "__infinitic_delegated__"
_BATCH: Final = "__infinitic_batch__"
_CHECK_MODE: Final = "__infinitic_check_mode__"


class CheckMode(StrEnum):
    """How strictly the code of a workflow is compared with its history.

    ``NONE`` compares nothing, ``SIMPLE`` the kind of command and the names of service or workflow
    and method, ``STRICT`` also the arguments.
    """

    NONE = "none"
    SIMPLE = "simple"
    STRICT = "strict"


def as_check_mode(given: object, place: str) -> CheckMode:
    """The mode that an author names.

    Args:
        given: What is written.
        place: Where, for the message.

    Raises:
        InvalidSetting: It is no mode.
    """
    for mode in CheckMode:
        if given == mode:
            return mode
    msg = f"{place}: {given!r} is no check mode: give 'none', 'simple' or 'strict'"
    raise InvalidSetting(msg)


class Ignore:
    """In ``Annotated[T, Ignore]``: this attribute of a workflow is not part of its state."""


# --- on classes and methods ----------------------------------------------------------------------


def name(value: str) -> Callable[[Target], Target]:
    """Name a contract, or one of its methods, for all other processes.

    Without it the name is that of the class or method in Python.

    Raises:
        UsageError: It is no text, is empty, or holds a colon or a character below the space.
    """
    _refuse_no_text(value)
    if not value.strip() or ":" in value or any(ord(character) < ord(" ") for character in value):
        msg = f"@name({value!r}): a name is not empty and holds neither ':' nor control characters"
        raise UsageError(msg)
    return _marking(_NAME, value)


def _refuse_no_text(given: object) -> None:
    if not isinstance(given, str):  # the class, where the parentheses are forgotten
        msg = f"@name({given!r}): give the name, as @name('Payments')"
        raise UsageError(msg)


def retry(
    policy: RetryPolicy | type[RetryPolicy] | RetryFunction,
) -> Callable[[Target], Target]:
    """Retry failed attempts by a policy, an instance of a class of policies, or a function.

    On the implementation of a service, or on its methods; on the implementation of a workflow it
    is about the running of its code.
    """
    return _marking(_RETRY, policy)


def timeout(
    limit: timedelta | TimeoutPolicy | type[TimeoutPolicy],
    *,
    grace_period: timedelta = timedelta(0),
) -> Callable[[Target], Target]:
    """Limit how long something may last.

    On a contract, or its methods: the time from the call to the result, all retries included; the
    caller then gets ``TaskTimedOut`` or ``WorkflowTimedOut`` while the work goes on. On the
    implementation of a service: the time of one attempt.

    Args:
        limit: The limit, or a policy that tells it.
        grace_period: Time an attempt has, after ``limit``, to finish by itself.

    Raises:
        UsageError: The limit is not positive, or neither a duration nor a policy; or the grace
            period is negative.
    """
    if not isinstance(limit, timedelta):
        if not hasattr(limit, "timeout_seconds"):
            msg = (
                f"@timeout({limit!r}): give a duration, as @timeout(timedelta(seconds=5)), or a "
                "policy with timeout_seconds()"
            )
            raise UsageError(msg)
        return _marking(_TIMEOUT, limit)
    if limit <= timedelta(0) or grace_period < timedelta(0):
        msg = f"@timeout({limit}, grace_period={grace_period}): the limit must be positive"
        raise UsageError(msg)
    return _marking(_TIMEOUT, FixedTimeout(limit, grace_period))


def delegated(method: Target) -> Target:
    """Mark a method of a service whose result is given later, by another system."""
    return _marking(_DELEGATED, value=True)(method)


def batch(method: Target) -> Target:
    """Mark a method of an implementation as the one that runs many tasks of its name at once."""
    return _marking(_BATCH, value=True)(method)


def check_mode(
    mode: CheckMode | Literal["none", "simple", "strict"],
) -> Callable[[Target], Target]:
    """Say how strictly the code of a workflow, or of one method, is compared with its history.

    Raises:
        InvalidSetting: It is no mode.
    """
    return _marking(_CHECK_MODE, as_check_mode(mode, "@check_mode"))


WorkflowClass = TypeVar("WorkflowClass", bound=type)


def version(number: int) -> Callable[[WorkflowClass], WorkflowClass]:
    """Number a class that implements a workflow, whatever its name ends with.

    Running workflows keep the version they began with: old classes stay registered until none of
    theirs is left. New workflows take the highest. Subclasses do not inherit the number.

    Raises:
        UsageError: It is no number, or negative.
    """
    if type(number) is not int or number < 0:
        msg = f"@version({number!r}): give a whole number, 0 or more"
        raise UsageError(msg)
    return _marking(VERSION_MARK, number)


def _marking(key: str, value: object) -> Callable[[Target], Target]:
    def mark(target: Target) -> Target:
        setattr(target, key, value)
        return target

    return mark


# --- readers -------------------------------------------------------------------------------------


Excluded = Callable[[type], bool]


def _no_parent(cls: type) -> bool:
    del cls
    return False


def _of_class(cls: type, key: str, but: Excluded = _no_parent) -> object:
    for parent in cls.__mro__:
        if key in vars(parent) and not but(parent):
            return cast("object", vars(parent)[key])
    return None


def _of_method(cls: type, method_name: str, key: str, but: Excluded = _no_parent) -> object:
    for parent in cls.__mro__:
        if but(parent):
            continue
        marked = cast("object", getattr(vars(parent).get(method_name), key, None))
        if marked is not None:
            return marked
    return None


def name_of_class(cls: type) -> str:
    """The name of a contract: as marked, else that of the class."""
    marked = _of_class(cls, _NAME)
    return cls.__name__ if marked is None else str(marked)


def name_of_method(cls: type, method_name: str) -> str:
    """The name of a method: as marked, else its own."""
    marked = _of_method(cls, method_name, _NAME)
    return method_name if marked is None else str(marked)


def retry_of(cls: type, method_name: str) -> RetryPolicy | None:
    """The policy marked on the method, else on the class; a class of policies is instantiated."""
    policy = _policy(cls, method_name, _RETRY)
    return None if policy is None else as_retry_policy(policy, f"@retry of {cls.__name__}")


def timeout_of(cls: type, method_name: str, *, but: Excluded = _no_parent) -> TimeoutPolicy | None:
    """The limit marked on the method, else on the class; a class of policies is instantiated.

    Args:
        cls: The class.
        method_name: The method in Python.
        but: Parents whose marks do not count.
    """
    return cast("TimeoutPolicy | None", _policy(cls, method_name, _TIMEOUT, but))


def _policy(cls: type, method_name: str, key: str, but: Excluded = _no_parent) -> object:
    marked = _of_method(cls, method_name, key, but)
    policy = _of_class(cls, key, but) if marked is None else marked
    return cast("Callable[[], object]", policy)() if isinstance(policy, type) else policy


def is_delegated(cls: type, method_name: str) -> bool:
    """Whether the result of the method is given later, by another system."""
    return _of_method(cls, method_name, _DELEGATED) is not None


def is_batch(cls: type, method_name: str) -> bool:
    """Whether the method runs many tasks at once."""
    return _of_method(cls, method_name, _BATCH) is not None


def version_of_class(cls: type) -> int | None:
    """The version marked on the class itself."""
    return cast("int | None", vars(cls).get(VERSION_MARK))


def check_mode_of(cls: type, method_name: str) -> CheckMode | None:
    """The mode marked on the method, else on the class."""
    marked = _of_method(cls, method_name, _CHECK_MODE)
    return cast("CheckMode | None", _of_class(cls, _CHECK_MODE) if marked is None else marked)
