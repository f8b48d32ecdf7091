"""Which batch methods belong to which single ones, and which are refused."""

# ruff: noqa: ARG002 - only the signatures count

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple, NoReturn, TypedDict

import attrs
import pytest

from infinitic_common import batch, name
from infinitic_common.exceptions import InvalidImplementation
from infinitic_task_executor import ServiceExecutor


@dataclass(frozen=True)
class Pair:
    text: str
    number: int


@attrs.frozen
class AttrsPair:
    text: str
    number: int = attrs.field(kw_only=True)


class NamedPair(NamedTuple):
    text: str
    number: int


class DictPair(TypedDict):
    text: str
    number: int


class SmallPair(Pair):
    pass


class One:
    def single(self, number: int) -> str:
        return ""

    @batch
    @name("single")
    def many(self, tasks: dict[str, int]) -> dict[str, str]:
        return {}


class Two:
    def single(self, text: str, number: int) -> str:
        return ""

    @name("single")
    @batch
    def _many(self, tasks: Mapping[str, Pair]) -> Mapping[str, str] | None:
        return {}


class TwoOfAttrs(Two):
    @name("single")
    @batch
    def _many(self, tasks: dict[str, AttrsPair]) -> dict[str, str]:  # type: ignore[override]  # for all kinds of pairs
        return {}


class TwoNamed(Two):
    @name("single")
    @batch
    def _many(self, tasks: dict[str, NamedPair]) -> dict[str, str]:  # type: ignore[override]  # for all kinds of pairs
        return {}


class TwoInDict(Two):
    @name("single")
    @batch
    def _many(self, tasks: dict[str, DictPair]) -> dict[str, str]:  # type: ignore[override]  # for all kinds of pairs
        return {}


class TwoInTuple(Two):
    @name("single")
    @batch
    def _many(self, tasks: dict[str, tuple[str, int]]) -> dict[str, str]:  # type: ignore[override]  # for all kinds of pairs
        return {}


class Collection:
    def single(self, numbers: set[int]) -> str:
        return ""

    @batch
    @name("single")
    async def many(self, tasks: dict[str, set[int]]) -> dict[str, str]:
        return {}


class Nothing:
    def single(self, number: int) -> None: ...

    @batch
    @name("single")
    def many(self, tasks: dict[str, int]) -> None: ...


class Nothings:
    def single(self, number: int) -> None: ...

    @batch
    @name("single")
    def many(self, tasks: dict[str, int]) -> dict[str, None]:
        return {}


class Generic:
    def single(self, pairs: dict[str, list[Pair]]) -> list[Pair]:
        return []

    @batch
    @name("single")
    def many(self, tasks: dict[str, dict[str, list[Pair]]]) -> dict[str, list[Pair]]:
        return {}


class Subtype:
    def single(self, text: str) -> SmallPair:
        raise NotImplementedError

    @batch
    @name("single")
    def many(self, tasks: dict[str, str]) -> dict[str, Pair]:
        return {}


class Parent:
    def single(self, text: str) -> int:
        raise NotImplementedError

    @batch
    @name("single")
    def many(self, tasks: dict[str, str]) -> dict[str, int]:
        return {}


class Never(Parent):
    def single(self, text: str) -> NoReturn:
        raise NotImplementedError


class OnlyNever:
    def single(self, text: str) -> NoReturn:
        raise NotImplementedError

    @batch
    @name("single")
    def many(self, tasks: dict[str, str]) -> dict[str, int]:
        return {}


@pytest.mark.parametrize(
    "cls",
    [
        *(One, Two, TwoOfAttrs, TwoNamed, TwoInDict, TwoInTuple, Collection, Nothing, Nothings),
        *(Generic, Subtype, Never, OnlyNever),
    ],
)
def test_batch_13_a_batch_method_finds_its_single_one(cls: type) -> None:
    assert ServiceExecutor("S", cls).service_name == "S"


class Variadic(One):
    @batch
    @name("single")
    def many(self, *tasks: dict[str, int]) -> dict[str, str]:
        return {}


class TwoParameters(One):
    @batch
    @name("single")
    def many(self, tasks: dict[str, int], more: int = 0) -> dict[str, str]:
        return {}


class NoSingle(One):
    @batch
    @name("other")
    def many(self, tasks: dict[str, int]) -> dict[str, str]:
        return {}


class NoName(One):
    @batch
    def lots(self, tasks: dict[str, int]) -> dict[str, str]:
        return {}


class OtherParameter(One):
    @batch
    @name("single")
    def many(self, tasks: dict[str, float]) -> dict[str, str]:  # type: ignore[override]  # what is refused
        return {}


class OtherResult(One):
    @batch
    @name("single")
    def many(self, tasks: dict[str, int]) -> dict[str, int]:  # type: ignore[override]  # what is refused
        return {}


class NoMapOfResults(One):
    @batch
    @name("single")
    def many(self, tasks: dict[str, int]) -> list[str]:  # type: ignore[override]  # what is refused
        return []


class NoResults(One):
    @batch
    @name("single")
    def many(self, tasks: dict[str, int]) -> None: ...  # type: ignore[override]  # what is refused


class OtherKeys(One):
    @batch
    @name("single")
    def many(self, tasks: dict[int, int]) -> dict[str, str]:  # type: ignore[override]  # what is refused
        return {}


class NoMap(One):
    @batch
    @name("single")
    def many(self, tasks: list[int]) -> dict[str, str]:  # type: ignore[override]  # what is refused
        return {}


class Twice(One):
    @batch
    @name("single")
    def again(self, tasks: dict[str, int]) -> dict[str, str]:
        return {}


@pytest.mark.parametrize(
    ("cls", "complaint"),
    [
        (Variadic, "exactly one parameter"),
        (TwoParameters, "exactly one parameter"),
        (NoSingle, "no single method named 'other'"),
        (NoName, "no single method named 'lots'"),
        (OtherParameter, "no single method 'single' that takes float"),
        (OtherResult, "return type dict"),
        (NoMapOfResults, "return type list"),
        (NoResults, "return type None"),
        (OtherKeys, "map of strings"),
        (NoMap, "map of strings"),
        (Twice, "are both batch methods of 'single'"),
    ],
)
def test_batch_14_a_batch_method_that_does_not_fit_is_refused(cls: type, complaint: str) -> None:
    with pytest.raises(InvalidImplementation, match=complaint):
        ServiceExecutor("S", cls)
