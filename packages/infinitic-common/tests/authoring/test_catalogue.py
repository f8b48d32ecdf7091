"""Unit rows of the conformance catalogue that concern authors, by their ids."""

import logging
from abc import ABC, abstractmethod
from typing import Annotated, Any, Protocol

import pytest

from infinitic_common import (
    Channel,
    CheckMode,
    Deferred,
    Ignore,
    UsageError,
    Workflow,
    channel,
    check_mode,
    get_workflow_by_id,
    name,
    new_service,
    new_workflow,
    version,
)
from infinitic_common.configuration import version_of
from infinitic_common.contracts import contract_of
from infinitic_common.decorators import check_mode_of, name_of_class, name_of_method
from infinitic_common.exceptions import MethodNotFound
from infinitic_common.history import ChildWorkflowCommand, TaskCommand
from infinitic_common.implementation import service_implementation, workflow_implementation
from infinitic_common.serialization import (
    SerializationError,
    encode_untyped,
    value_codec,
)
from infinitic_common.testing.workflow_run import FakeWorkflowRun

TAGS = {"foo", "bar"}
META = {"foo": b"bar"}


class Waits(Protocol):
    def wait(self, ms: int) -> int: ...


class Flow(Protocol):
    signals: Channel[str] = channel()

    def wait(self, ms: int) -> int: ...


class Plain(Workflow):
    waits = new_service(Waits, tags=TAGS, meta=META)
    child = new_workflow(Flow, tags=TAGS, meta=META)


@pytest.mark.parametrize("declared", [False, True])
def test_deferred_02_a_deferred_is_no_value(run: FakeWorkflowRun, *, declared: bool) -> None:
    deferred = Plain().dispatch(Plain.waits.wait, 1)
    encode = value_codec(object, place="here").encode if declared else encode_untyped
    run.will_complete(0, encode_untyped(1))
    for _ in range(2):
        with pytest.raises(SerializationError, match="Deferred"):
            encode({"a": [deferred]})
        deferred.result()


def test_child_04_commands_of_tasks_and_children(run: FakeWorkflowRun) -> None:
    flow, arguments, tags = Plain(), (encode_untyped(100),), frozenset(TAGS)
    for position, stub in ((0, flow.waits), (2, flow.child)):
        run.will_complete(position, encode_untyped(1))
        stub.wait(100)
    for stub in (flow.waits, flow.child):
        _ = flow.dispatch(stub.wait, 100)
    task = TaskCommand("Waits", "wait", arguments, tags, META)
    child = ChildWorkflowCommand("Flow", "wait", arguments, tags, META)
    assert list(run.commands.values()) == [task, child, task, child]


class Rich(Workflow, Flow):
    ignored: Annotated[int, Ignore]

    def __init__(self) -> None:
        self.channel = channel()
        self.service = new_service(Waits)
        self.child = new_workflow(Flow)
        self.running = get_workflow_by_id(Flow, "1")
        self.logger_ = logging.getLogger("a")
        self.adapter = logging.LoggerAdapter(self.logger_)
        self.ignored = 1
        self.plain = 42

    def wait(self, ms: int) -> int:
        return ms


def test_properties_11_only_plain_attributes_are_state() -> None:
    properties = workflow_implementation(Rich).properties
    assert dict(properties.of(Rich())) == {"plain": 42}


@pytest.mark.parametrize(
    ("class_name", "expected"),
    [("X", 0), ("X_", 0), ("X_1", 1), ("X_42", 42), ("X_0042", 42)],
)
def test_versioning_02_the_name_of_the_class_tells(class_name: str, expected: int) -> None:
    assert version_of(class_name) == expected
    assert workflow_implementation(_named(class_name)).version == expected


@pytest.mark.parametrize(
    ("class_name", "expected"), [("X_01_42", 42), ("X_42_", 0), ("_42", 0), ("X_42a", 0)]
)
def test_versioning_03_only_digits_at_its_end(class_name: str, expected: int) -> None:
    assert version_of(class_name) == expected
    assert workflow_implementation(_named(class_name)).version == expected


def _named(class_name: str) -> type:
    return type(class_name, (Rich,), {})


def test_versioning_02_a_mark_outdoes_the_name_and_is_not_inherited() -> None:
    marked = version(7)(_named("X_1"))
    assert workflow_implementation(marked).version == 7
    assert workflow_implementation(type("Y_2", (marked,), {})).version == 2


@pytest.mark.parametrize("number", [-1, "3", True, 1.0])
def test_versioning_02_a_version_is_a_number(number: Any) -> None:
    with pytest.raises(UsageError, match="whole number"):
        version(number)


class ParentContract(Protocol):
    @name("parentContract")
    def d(self) -> None: ...


class Parent(ParentContract):
    @name("parent")
    def c(self) -> None: ...

    def d(self) -> None: ...


class OwnContract(Protocol):
    @name("contract")
    def b(self) -> None: ...


class Own(Parent, OwnContract):
    @name("own")
    def a(self) -> None: ...

    def b(self) -> None: ...
    def c(self) -> None: ...
    def e(self) -> None: ...


def test_naming_07_a_mark_counts_wherever_it_is_put() -> None:
    found = [name_of_method(Own, method) for method in "abcde"]
    assert found == ["own", "contract", "parent", "parentContract", "e"]


@pytest.mark.parametrize("place", ["own", "contract", "parent", "parent contract", "nowhere"])
def test_naming_07_of_classes_too(place: str) -> None:
    def maybe(cls: type, here: str) -> type:
        return check_mode("strict")(name("named")(cls)) if here == place else cls

    parent_contract = maybe(type("ParentContract", (ABC,), {}), "parent contract")
    parent = maybe(type("Parent", (parent_contract,), {}), "parent")
    contract = maybe(type("Contract", (ABC,), {}), "contract")
    cls = maybe(type("Own", (parent, contract), {}), "own")
    marked = place != "nowhere"
    assert name_of_class(cls) == ("named" if marked else "Own")
    assert check_mode_of(cls, "x") is (CheckMode.STRICT if marked else None)


class Named(ABC):
    @abstractmethod
    @name("explicit")
    def code(self, a: int, b: str) -> str: ...


class NamedImpl(Named):
    def code(self, a: int, b: str) -> str:
        return b * a


def test_naming_09_methods_are_found_by_either_name() -> None:
    implementation = service_implementation(NamedImpl)
    assert implementation.method("explicit").python_name == "code"
    assert implementation.method("code").name == "explicit"
    with pytest.raises(MethodNotFound, match="explicit"):
        implementation.method("unknown")


def test_naming_09_wrong_arguments_give_one_error() -> None:
    method = service_implementation(NamedImpl).method("explicit")
    with pytest.raises(UsageError, match="no value for b"):
        method.decode_arguments((encode_untyped(1),))
    with pytest.raises(Exception, match=r"parameter 'a' of NamedImpl\.code"):
        method.decode_arguments((encode_untyped("x"), encode_untyped("x")))
    with pytest.raises(SerializationError, match=r"parameter 'a' of Named\.code"):
        contract_of(Named).methods["code"].encode_arguments(("x", "x"), {})


def test_deferred_02_the_class_refuses_to_be_a_type_of_values() -> None:
    with pytest.raises(Exception, match="Deferred"):
        value_codec(Deferred[int], place="here")
