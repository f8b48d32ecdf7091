import inspect
from abc import ABC, abstractmethod
from collections.abc import Awaitable
from datetime import timedelta
from typing import Protocol

import pytest

from infinitic_common import Channel, channel, delegated, name, timeout
from infinitic_common.contracts import attribute_codec, contract_of, contracts_of
from infinitic_common.exceptions import InvalidArguments, InvalidContract
from infinitic_common.serialization import InvalidTypeHint, SerializationError


class Parent(Protocol):
    def parent(self) -> str: ...


class PaymentService(Parent, Protocol):
    def charge(self, order_id: str, amount: float = 9.5, *, currency: str = "EUR") -> str: ...

    @name("give_back")
    @timeout(timedelta(seconds=2))
    async def refund(self, order_id: str) -> None: ...

    @delegated
    def pay_later(self, order_id: str) -> Awaitable[int]: ...


class OrderWorkflow(Protocol):
    total: int
    approvals: Channel[bool] = channel()
    notes: Channel[list[str]]

    def process(self, order_id: str) -> str: ...


class AbstractService(ABC):
    @abstractmethod
    def reverse(self, text: str) -> str: ...

    def helper(self) -> str:
        return "no method of the contract"


@name("renamed")
class Named(Protocol):
    def go(self) -> None: ...


class NamedChild(Named, Protocol): ...


def encode(text: str) -> bytes:
    codec = contract_of(PaymentService).methods["charge"].parameters[0].codec
    return codec.encode(text)


def test_a_contract_has_the_name_of_its_class() -> None:
    assert contract_of(PaymentService).name == "PaymentService"


def test_a_marked_name_counts_also_for_children() -> None:
    assert contract_of(Named).name == "renamed"
    assert contract_of(NamedChild).name == "renamed"


def test_methods_of_parents_count() -> None:
    assert set(contract_of(PaymentService).methods) == {"parent", "charge", "refund", "pay_later"}


def test_a_contract_is_read_once() -> None:
    assert contract_of(PaymentService) is contract_of(PaymentService)


def test_a_method_tells_all_that_its_contract_declares() -> None:
    refund = contract_of(PaymentService).methods["refund"]
    assert refund.name == "give_back"
    assert refund.is_async
    assert refund.timeout_ms() == 2000
    assert not refund.is_delegated


def test_a_method_that_returns_an_awaitable_is_awaited() -> None:
    later = contract_of(PaymentService).methods["pay_later"]
    assert later.is_async
    assert later.is_delegated
    assert later.result.decode(later.result.encode(3)) == 3
    assert later.timeout_ms() is None


def test_only_abstract_methods_of_an_abc_are_offered() -> None:
    assert list(contract_of(AbstractService).methods) == ["reverse"]


def test_channels_are_named_by_their_attributes() -> None:
    assert set(contract_of(OrderWorkflow).channels) == {"approvals", "notes"}


def test_arguments_are_encoded_in_the_order_of_parameters() -> None:
    charge = contract_of(PaymentService).methods["charge"]
    by_position = charge.encode_arguments(("a", 1.0), {"currency": "USD"})
    by_name = charge.encode_arguments((), {"currency": "USD", "amount": 1.0, "order_id": "a"})
    assert by_position == by_name
    assert by_position[0] == encode("a")


def test_defaults_are_applied_by_the_caller() -> None:
    charge = contract_of(PaymentService).methods["charge"]
    assert charge.encode_arguments(("a",), {}) == charge.encode_arguments(
        ("a", 9.5), {"currency": "EUR"}
    )


@pytest.mark.parametrize(
    ("args", "kwargs"), [((), {}), (("a", 1.0, "EUR"), {}), (("a",), {"colour": "red"})]
)
def test_arguments_that_do_not_fit_name_the_method(
    args: tuple[object, ...], kwargs: dict[str, object]
) -> None:
    charge = contract_of(PaymentService).methods["charge"]
    with pytest.raises(InvalidArguments, match=r"PaymentService\.charge"):
        charge.encode_arguments(args, kwargs)


def test_arguments_that_do_not_fit_are_a_type_error_too() -> None:
    with pytest.raises(TypeError, match="order_id"):
        contract_of(PaymentService).methods["charge"].encode_arguments((), {})


def test_a_value_of_another_type_names_the_parameter() -> None:
    charge = contract_of(PaymentService).methods["charge"]
    with pytest.raises(SerializationError, match=r"'amount' of PaymentService\.charge"):
        charge.encode_arguments(("a", "much"), {"currency": "EUR"})


def test_a_parameter_without_hint_is_refused_by_name() -> None:
    class Untyped(Protocol):
        def charge(self, amount): ...  # type: ignore[no-untyped-def] # noqa: ANN001, ANN202 - what is refused

    with pytest.raises(InvalidTypeHint, match=r"'amount' of Untyped\.charge"):
        contract_of(Untyped)


def test_a_result_without_hint_is_refused() -> None:
    class Untyped(Protocol):
        def charge(self, amount: int): ...  # type: ignore[no-untyped-def] # noqa: ANN202 - what is refused

    with pytest.raises(InvalidTypeHint, match=r"the result of Untyped\.charge"):
        contract_of(Untyped)


def test_a_hint_that_names_nothing_is_refused_by_parameter() -> None:
    class Lost(Protocol):
        def charge(self, order_id: str, amount: "Nowhere") -> None: ...  # type: ignore[name-defined] # noqa: F821 - what is refused

    with pytest.raises(InvalidTypeHint, match=r"'amount' of Lost\.charge.*Nowhere"):
        contract_of(Lost)


def test_variadic_parameters_are_refused() -> None:
    class Variadic(Protocol):
        def charge(self, *amounts: int) -> None: ...

    with pytest.raises(InvalidContract, match=r"\*amounts"):
        contract_of(Variadic)


def test_a_channel_without_type_is_refused() -> None:
    class Untyped(Protocol):
        approvals = channel()  # type: ignore[misc]  # what is refused

    with pytest.raises(InvalidTypeHint, match="channel 'approvals' of Untyped"):
        contract_of(Untyped)


def test_two_methods_of_one_name_are_refused() -> None:
    class Double(Protocol):
        def charge(self) -> None: ...

        @name("charge")
        def other(self) -> None: ...

    with pytest.raises(InvalidContract, match="charge and other"):
        contract_of(Double)


class Implementation(PaymentService):
    def charge(self, order_id: str, amount: float = 9.5, *, currency: str = "EUR") -> str:
        return f"{order_id}{amount}{currency}"

    async def refund(self, order_id: str) -> None: ...

    def pay_later(self, order_id: str) -> Awaitable[int]:
        raise NotImplementedError

    def parent(self) -> str:
        return "ok"


@pytest.mark.parametrize("other", [Implementation, int, "PaymentService", Protocol])
def test_what_declares_nothing_is_no_contract(other: object) -> None:
    with pytest.raises(InvalidContract, match="is no contract"):
        contract_of(other)


def test_an_implementation_finds_its_nearest_contract() -> None:
    assert contracts_of(Implementation) == [PaymentService]


def test_an_attribute_of_a_contract_has_the_codec_of_its_hint() -> None:
    contract = contract_of(OrderWorkflow)
    codec = attribute_codec(contract, "total")
    assert codec is not None
    assert codec.hint is int
    assert attribute_codec(contract, "nothing") is None


def test_a_parameter_knows_whether_it_is_required() -> None:
    order_id, amount, currency = contract_of(PaymentService).methods["charge"].parameters
    assert (order_id.is_required, amount.is_required) == (True, False)
    assert order_id.default is inspect.Parameter.empty
    assert currency.keyword_only


class WithProperty(Protocol):
    @property
    def total(self) -> int: ...


class WithStatic(Protocol):
    @staticmethod
    def total() -> int: ...


class WithClassMethod(ABC):
    @classmethod
    @abstractmethod
    def total(cls) -> int: ...


@pytest.mark.parametrize("cls", [WithProperty, WithStatic, WithClassMethod])
def test_a_member_that_nobody_could_call_elsewhere_is_refused(cls: type) -> None:
    with pytest.raises(InvalidContract, match=r"total is a \w+: .* make it a method"):
        contract_of(cls)


class WithHelper(ABC):
    @abstractmethod
    def run(self) -> int: ...

    @staticmethod
    def helper() -> int:
        return 1


def test_a_helper_of_an_abstract_class_is_no_part_of_its_contract() -> None:
    assert list(contract_of(WithHelper).methods) == ["run"]
