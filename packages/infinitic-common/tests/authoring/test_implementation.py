import functools
import logging
from abc import ABC, abstractmethod
from typing import Annotated, ClassVar, Protocol

import pytest

from infinitic_common import (
    Channel,
    Ignore,
    Workflow,
    batch,
    channel,
    delegated,
    get_workflow_by_id,
    name,
    new_service,
    new_workflow,
)
from infinitic_common.exceptions import InvalidArguments, InvalidImplementation, MethodNotFound
from infinitic_common.implementation import service_implementation, workflow_implementation
from infinitic_common.serialization import (
    DeserializationError,
    InvalidTypeHint,
    SerializationError,
    encode_untyped,
    value_codec,
)

TEXT = value_codec(str, place="a text")
NUMBER = value_codec(float, place="a number")


class Parent(Protocol):
    def parent(self) -> str: ...


class Payments(Parent, Protocol):
    def charge(self, order_id: str, amount: float) -> str: ...

    @name("give_back")
    async def refund(self, order_id: str) -> None: ...


class PaymentsImpl(Payments):
    def __init__(self, gateway: str = "default") -> None:
        self.gateway = gateway

    def parent(self) -> str:
        return "ok"

    def charge(self, order_id: str, amount: float, fee: float = 0.5) -> str:
        return f"{order_id} {amount + fee} {self.gateway}"

    async def refund(self, order_id) -> None:  # type: ignore[no-untyped-def] # noqa: ANN001 - the contract has the hints
        """Takes the type of its parameter from the contract."""


class Order(Protocol):
    approvals: Channel[bool] = channel(discard_unexpected=True)
    notes: Channel[str] = channel()

    def process(self, order_id: str) -> str: ...


class Order_3(Workflow, Order):  # noqa: N801 - the number is the version
    COUNTRIES: ClassVar = ["FR"]
    payments = new_service(Payments)
    hidden: Annotated[int, Ignore] = 1
    count: int = 0
    logger = logging.getLogger("order")

    def __init__(self) -> None:
        self.count = 42
        self.hidden = 2
        self.child = new_workflow(Order)
        self.other = get_workflow_by_id(Order, "id")
        self.local_logger = logging.getLogger("local")
        self.adapter = logging.LoggerAdapter(self.logger)
        self.signals: Channel[str] = self.notes
        self.untyped = ["a"]

    def process(self, order_id: str) -> str:
        return order_id


def test_a_service_is_named_by_its_contract() -> None:
    assert service_implementation(PaymentsImpl).name == "Payments"


def test_methods_have_the_names_of_the_contract() -> None:
    implementation = service_implementation(PaymentsImpl)
    assert set(implementation.methods) == {"parent", "charge", "give_back"}
    assert implementation.method("give_back") is implementation.method("refund")
    assert implementation.method("refund").is_async


def test_an_unknown_method_names_those_there_are() -> None:
    with pytest.raises(MethodNotFound, match="'chrge'; it has parent, charge, give_back"):
        service_implementation(PaymentsImpl).method("chrge")


def test_arguments_are_decoded_and_the_result_encoded() -> None:
    implementation = service_implementation(PaymentsImpl)
    charge = implementation.method("charge")
    args, kwargs = charge.decode_arguments((TEXT.encode("a"), NUMBER.encode(1.0)))
    result = charge.bound_to(implementation.new_instance())(*args, **kwargs)
    assert charge.result.encode(result) == TEXT.encode("a 1.5 default")


def test_a_hint_that_the_implementation_lacks_is_that_of_the_contract() -> None:
    refund = service_implementation(PaymentsImpl).method("refund")
    assert refund.decode_arguments((TEXT.encode("a"),)) == (["a"], {})


@pytest.mark.parametrize(
    ("count", "message"), [(1, "no value for amount"), (4, "too many arguments")]
)
def test_another_number_of_arguments_is_an_error(count: int, message: str) -> None:
    with pytest.raises(InvalidArguments, match=message):
        service_implementation(PaymentsImpl).method("charge").decode_arguments(
            (TEXT.encode("a"),) * count
        )


def test_an_argument_of_another_type_names_the_parameter() -> None:
    with pytest.raises(DeserializationError, match=r"'amount' of PaymentsImpl\.charge"):
        service_implementation(PaymentsImpl).method("charge").decode_arguments(
            (TEXT.encode("a"), TEXT.encode("much"))
        )


@pytest.mark.parametrize(
    "factory", [lambda: PaymentsImpl("mine"), functools.partial(PaymentsImpl, "mine")]
)
def test_a_factory_makes_the_instances(factory: object) -> None:
    instance = service_implementation(factory, "Payments").new_instance()
    assert isinstance(instance, PaymentsImpl)
    assert instance.gateway == "mine"


def test_an_annotated_factory_is_not_called() -> None:
    def factory() -> PaymentsImpl:
        raise AssertionError

    assert service_implementation(factory).cls is PaymentsImpl


def test_a_class_without_contract_needs_a_name() -> None:
    class Plain:
        def reverse(self, text: str) -> str:
            return text[::-1]

        @batch
        def many(self, texts: dict[str, str]) -> dict[str, str]:
            return texts

    assert list(service_implementation(Plain, "Plain").methods) == ["reverse"]
    with pytest.raises(InvalidImplementation, match="no contract among its parents"):
        service_implementation(Plain)


class Renamed(Protocol):
    @name("next")
    def next_one(self, number: int) -> int: ...

    @delegated
    def ask(self, question: str) -> str: ...


class WithoutParent:
    def next_one(self, number):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN201 - the contract has the hints
        return number + 1

    def ask(self, question: str) -> str:
        return question


def test_a_class_has_the_names_hints_and_marks_of_the_contract_it_is_registered_with() -> None:
    read = service_implementation(WithoutParent, "Renamed", contract=Renamed)
    assert read.name == "Renamed"
    assert set(read.methods) == {"next", "ask"}
    asked = read.method("ask").contract
    assert asked is not None
    assert asked.is_delegated
    assert read.method("next").parameters[0].codec.decode(encode_untyped(3)) == 3


def test_a_class_lacking_a_method_of_the_contract_it_is_registered_with_is_refused() -> None:
    class Lacks:
        def next_one(self, number: int) -> int:
            return number

    with pytest.raises(InvalidImplementation, match=r"Lacks\.ask is missing"):
        service_implementation(Lacks, contract=Renamed)


def test_a_name_that_is_not_that_of_the_contract_is_refused() -> None:
    with pytest.raises(InvalidImplementation, match=r"no contract named 'Other'.*Payments"):
        service_implementation(PaymentsImpl, "Other")


def test_the_body_of_a_contract_is_no_implementation() -> None:
    class Forgetful(Payments):
        def charge(self, order_id: str, amount: float) -> str:
            return f"{order_id}{amount}"

        async def refund(self, order_id: str) -> None: ...

    with pytest.raises(InvalidImplementation, match=r"Forgetful\.parent has the body"):
        service_implementation(Forgetful)


def test_an_abstract_class_is_no_implementation() -> None:
    class Abstract(ABC):
        @abstractmethod
        def reverse(self, text: str) -> str: ...

    class Partial(Abstract): ...

    with pytest.raises(InvalidImplementation, match="Partial is abstract: implement reverse"):
        service_implementation(Partial)


def test_parameters_fit_those_of_the_contract() -> None:
    class Greedy(Payments):
        def parent(self) -> str:
            return "ok"

        def charge(self, order_id: str, amount: float, fee: float) -> str:  # type: ignore[override]  # what is refused
            return f"{order_id}{amount}{fee}"

        async def refund(self, order_id: str) -> None: ...

    with pytest.raises(InvalidImplementation, match=r"Greedy\.charge\(order_id, amount, fee\)"):
        service_implementation(Greedy)


def test_a_constructor_with_arguments_needs_a_factory() -> None:
    class Needy(PaymentsImpl):
        def __init__(self, gateway: str) -> None:
            super().__init__(gateway)

    with pytest.raises(InvalidImplementation, match="Needy needs gateway"):
        service_implementation(Needy)


def test_a_class_that_does_not_tell_its_arguments_is_refused_like_any_other() -> None:
    with pytest.raises(InvalidImplementation, match="int"):
        service_implementation(int, "Payments")


def test_an_implementation_without_hints_names_the_parameter() -> None:
    class Untyped:
        def reverse(self, text) -> str:  # type: ignore[no-untyped-def] # noqa: ANN001 - what is refused
            return str(text)

    with pytest.raises(InvalidTypeHint, match=r"'text' of Untyped\.reverse"):
        service_implementation(Untyped, "Untyped")


def test_a_workflow_has_name_version_and_channels() -> None:
    implementation = workflow_implementation(Order_3)
    assert (implementation.name, implementation.version) == ("Order", 3)
    assert list(implementation.methods) == ["process"]
    assert implementation.discarding_channels == ("approvals",)


@pytest.mark.parametrize(
    ("class_name", "version"),
    [
        ("X", 0),
        ("X_", 0),
        ("X_1", 1),
        ("X_42", 42),
        ("X_0042", 42),
        ("X_01_42", 42),
        ("X_42_", 0),
        ("_42", 0),
        ("X_42a", 0),
    ],
)
def test_a_version_is_the_end_of_the_name(class_name: str, version: int) -> None:
    cls = type(class_name, (Order_3,), {})
    assert workflow_implementation(cls).version == version


def test_properties_are_attributes_but_handles_loggers_and_what_is_ignored() -> None:
    implementation = workflow_implementation(Order_3)
    properties = dict(implementation.properties.of(implementation.new_instance()))
    assert properties == {"count": 42, "untyped": ["a"]}


def test_a_property_has_the_codec_of_its_annotation() -> None:
    properties = workflow_implementation(Order_3).properties
    assert properties.codec("count").hint is int
    untyped = properties.codec("untyped")
    assert untyped.decode(untyped.encode(["a"])) == ["a"]


def test_a_property_that_cannot_be_sent_names_the_way_to_leave_it_out() -> None:
    codec = workflow_implementation(Order_3).properties.codec("untyped")
    with pytest.raises(SerializationError, match=r"'untyped' of Order_3 .*Annotated\[T, Ignore\]"):
        _ = codec.encode(object())


def test_a_list_shared_by_all_workflows_is_refused() -> None:
    class Sharing(Order_3):
        items: list[str] = []  # noqa: RUF012 - what is refused

    with pytest.raises(InvalidImplementation, match=r"Sharing\.items is a list"):
        workflow_implementation(Sharing)


def test_a_workflow_extends_the_base_class() -> None:
    class Plain(Order):
        def process(self, order_id: str) -> str:
            return order_id

    with pytest.raises(InvalidImplementation, match="Plain is no Workflow"):
        workflow_implementation(Plain)


def test_a_contract_does_not_hide_the_base_class() -> None:
    class Timing(Protocol):
        def timer(self) -> str: ...

    class TimingImpl(Workflow, Timing):
        def timer(self) -> str:  # type: ignore[override]  # what is refused
            return ""

    with pytest.raises(InvalidImplementation, match=r"hides Workflow\.timer"):
        workflow_implementation(TimingImpl)


def test_a_channel_of_the_contract_is_made_somewhere() -> None:
    class Declared(Protocol):
        approvals: Channel[bool]

        def go(self) -> None: ...

    class Missing(Workflow, Declared):
        def go(self) -> None: ...

    with pytest.raises(InvalidImplementation, match=r"Missing\.approvals is no channel"):
        workflow_implementation(Missing)


def test_a_factory_that_needs_a_run_says_what_to_do() -> None:
    class Curious(Order_3):
        def __init__(self) -> None:
            super().__init__()
            self.mine = self.workflow_id

    with pytest.raises(InvalidImplementation, match="annotate its result"):
        workflow_implementation(lambda: Curious())  # noqa: PLW0108 - a factory
    assert workflow_implementation(Curious).name == "Order"


def test_a_workflow_is_registered_with_the_executor_of_workflows() -> None:
    with pytest.raises(InvalidImplementation, match=r"is a Workflow.* WorkflowExecutor"):
        service_implementation(Workflow)
