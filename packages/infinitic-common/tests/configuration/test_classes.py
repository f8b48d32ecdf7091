from pathlib import Path

import pytest

from infinitic_common.configuration import (
    ConfigurationError,
    instantiate,
    load_any_class,
    load_class,
    load_exceptions,
)

SHOP = """
from abc import ABC, abstractmethod
from typing import Protocol

class Good:
    class Inner: pass

class Contract(Protocol):
    def charge(self) -> int: ...

class Abstract(ABC):
    @abstractmethod
    def charge(self) -> int: ...

class Needy:
    def __init__(self, url, *, key, timeout=1, **options): ...

class Failing:
    def __init__(self): raise RuntimeError("no database")

class NoMoney(Exception): ...

number = 3
"""


@pytest.fixture(autouse=True)
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = tmp_path / "probe_shop"
    package.mkdir()
    (package / "__init__.py").write_text(SHOP, encoding="utf-8")
    (package / "broken.py").write_text("import no_such_library", encoding="utf-8")
    (package / "raising.py").write_text("raise ValueError('boom')", encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)


@pytest.mark.parametrize(
    ("dotted", "name"),
    [
        ("probe_shop.Good", "Good"),
        ("probe_shop:Good", "Good"),
        ("probe_shop.Good.Inner", "Inner"),
        ("probe_shop:Good.Inner", "Inner"),
        ("dict", "dict"),
    ],
)
def test_a_class_is_found_by_its_dotted_name(dotted: str, name: str) -> None:
    assert load_class(dotted, place="services[0].class").__name__ == name


@pytest.mark.parametrize(
    ("dotted", "complaint"),
    [
        (
            "probe_nowhere.Good",
            "'probe_nowhere.Good' is not found; correct the name, or put its folder on PYTHONPATH",
        ),
        ("probe_nowhere:Good", "the module 'probe_nowhere' of 'probe_nowhere:Good' is not found"),
        (
            "probe_shop.broken.Good",
            "was found but cannot be imported: ModuleNotFoundError: No module named 'no_such_library'",
        ),
        ("probe_shop.raising:Good", "cannot be imported: ValueError: boom"),
        (
            "probe_shop.Goood",
            "class 'probe_shop.Goood' not found: 'probe_shop' has no 'Goood'; did you mean 'Good'?",
        ),
        ("probe_shop.Zzzz", "'probe_shop' has no 'Zzzz'; correct the name"),
        ("probe_shop.number", "'probe_shop.number' is not a class but a int; name a class"),
        ("probe_shop.Contract", "'probe_shop.Contract' is a Protocol, not an implementation"),
        ("probe_shop.Abstract", "'probe_shop.Abstract' is abstract: charge not implemented"),
        ("probe_shop.Needy", "the constructor of 'probe_shop.Needy' needs arguments: url, key;"),
        ("Good", "class 'Good' not found: it names no module; write it as package.module.Good"),
        ("Nope", "class 'Nope' not found: it names no module; write it as package.module.Nope"),
        (
            "Valueerror",
            "class 'Valueerror' not found: it names no module; did you mean 'ValueError'?",
        ),
    ],
)
def test_each_way_to_fail_has_its_message(dotted: str, complaint: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        load_class(dotted, place="services[0].class")
    assert str(caught.value).startswith("services[0].class: ")
    assert complaint in str(caught.value)


def test_a_contract_can_be_loaded_where_any_class_will_do() -> None:
    assert load_any_class("probe_shop.Contract", place="allow[0]").__name__ == "Contract"


def test_an_object_is_made_of_a_loaded_class() -> None:
    cls = load_class("probe_shop.Good", place="class")
    assert isinstance(instantiate(cls, place="class"), cls)


def test_a_constructor_that_raises_is_told_with_its_cause() -> None:
    cls = load_class("probe_shop.Failing", place="class")
    with pytest.raises(ConfigurationError) as caught:
        instantiate(cls, place="class")
    assert "constructor of 'probe_shop.Failing' raised RuntimeError: no database" in str(
        caught.value
    )
    assert isinstance(caught.value.__cause__, RuntimeError)


def test_ignored_exceptions_are_loaded_by_name() -> None:
    loaded = load_exceptions(("ValueError", "probe_shop.NoMoney"), place="ignoredExceptions")
    assert [cls.__name__ for cls in loaded] == ["ValueError", "NoMoney"]


def test_an_ignored_exception_must_be_one() -> None:
    with pytest.raises(ConfigurationError) as caught:
        load_exceptions(("ValueError", "probe_shop.Good"), place="ignoredExceptions")
    assert "ignoredExceptions[1]: 'probe_shop.Good' must be an Exception" in str(caught.value)
