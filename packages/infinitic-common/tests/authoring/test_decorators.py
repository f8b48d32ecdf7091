from datetime import timedelta
from typing import Protocol

import pytest

from infinitic_common import (
    CheckMode,
    UsageError,
    batch,
    check_mode,
    delegated,
    name,
    retry,
    timeout,
)
from infinitic_common.decorators import (
    check_mode_of,
    is_batch,
    is_delegated,
    name_of_class,
    name_of_method,
    retry_of,
    timeout_of,
)


class Once:
    def seconds_before_retry(self, attempt: int, exception: Exception) -> float | None:
        return None if attempt or isinstance(exception, KeyError) else 0.5


class Patient:
    def timeout_seconds(self) -> float | None:
        return 60.0

    def grace_seconds(self) -> float:
        return 1.0


class Interface(Protocol):
    @name("on_interface")
    def one(self) -> None: ...

    @timeout(timedelta(seconds=3), grace_period=timedelta(seconds=1))
    def two(self) -> None: ...


@name("parent_interface")
class ParentInterface(Protocol):
    @name("on_parent_interface")
    def three(self) -> None: ...


@retry(Once)
@check_mode("strict")
class Base(ParentInterface):
    @name("on_parent")
    def four(self) -> None: ...

    def three(self) -> None: ...


class Child(Base, Interface):
    @name("on_itself")
    def five(self) -> None: ...

    def one(self) -> None: ...

    @check_mode(CheckMode.NONE)
    def two(self) -> None: ...

    @retry(Once())
    @timeout(Patient)
    @delegated
    @batch
    def six(self) -> None: ...


@pytest.mark.parametrize(
    ("method", "expected"),
    [
        ("one", "on_interface"),
        ("three", "on_parent_interface"),
        ("four", "on_parent"),
        ("five", "on_itself"),
        ("six", "six"),
    ],
)
def test_a_name_is_found_on_the_method_and_on_all_its_parents(method: str, expected: str) -> None:
    assert name_of_method(Child, method) == expected


def test_the_name_of_a_class_is_found_on_its_parents() -> None:
    assert name_of_class(Child) == "parent_interface"
    assert name_of_class(Interface) == "Interface"


def test_a_policy_is_found_on_the_method_then_on_the_class() -> None:
    assert isinstance(retry_of(Child, "six"), Once)
    assert isinstance(retry_of(Child, "five"), Once)
    assert retry_of(Interface, "one") is None


def test_a_timeout_is_a_policy() -> None:
    fixed = timeout_of(Child, "two")
    assert fixed is not None
    assert (fixed.timeout_seconds(), fixed.grace_seconds()) == (3.0, 1.0)
    assert isinstance(timeout_of(Child, "six"), Patient)
    assert timeout_of(Child, "one") is None


def test_a_check_mode_is_found_on_the_method_then_on_the_class() -> None:
    assert check_mode_of(Child, "two") is CheckMode.NONE
    assert check_mode_of(Child, "five") is CheckMode.STRICT
    assert check_mode_of(Interface, "one") is None


def test_delegated_and_batch_methods_are_known() -> None:
    assert is_delegated(Child, "six")
    assert is_batch(Child, "six")
    assert not is_delegated(Child, "five")
    assert not is_batch(Child, "absent")


@pytest.mark.parametrize("bad", ["", "  ", "a:b", "a\nb"])
def test_a_name_that_cannot_travel_is_refused(bad: str) -> None:
    with pytest.raises(UsageError, match="@name"):
        name(bad)


def test_a_name_that_is_forgotten_is_refused() -> None:
    with pytest.raises(UsageError, match="as @name"):
        name(Child)  # type: ignore[arg-type]  # the mistake itself


def test_a_limit_that_is_none_is_refused() -> None:
    with pytest.raises(UsageError, match="positive"):
        timeout(timedelta(0))


@pytest.mark.parametrize("bad", [5, 2.5, "a text", None, lambda: 5, Child])
def test_a_limit_that_is_neither_a_duration_nor_a_policy_is_refused(bad: object) -> None:
    with pytest.raises(UsageError, match=r"@timeout\(.*timedelta\(seconds=5\)"):
        timeout(bad)  # type: ignore[arg-type]  # the mistake itself
