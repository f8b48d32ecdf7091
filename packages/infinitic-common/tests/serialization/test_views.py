"""VIEW: fields that do not travel."""

from dataclasses import dataclass, field
from typing import Annotated, Protocol

import pydantic
import pytest

from infinitic_common import InfiniticError, View, Workflow
from infinitic_common.contracts import contract_of
from infinitic_common.implementation import service_implementation, workflow_implementation
from infinitic_common.serialization import (
    InvalidTypeHint,
    to_json,
    value_codec,
)


class Public(View):
    """What everybody may see."""


class Private(Public):
    """What the house may see."""


@dataclass
class Request:
    user_id: str
    company: Annotated[str | None, Private] = None
    password: str | None = None


@dataclass
class User:
    user_id: str
    company: str | None = None
    password: Annotated[str | None, Private] = None


REQUEST = Request("id", "acme", "secret")
USER = User("id", "acme", "secret")


class Users(Protocol):
    def plain(self, request: Request) -> User: ...
    def asked(self, request: Annotated[Request, Public]) -> User: ...
    def answered(self, request: Request) -> Annotated[User, Public]: ...
    async def awaited(self, request: Request) -> Annotated[User, Public]: ...


class UsersImpl:
    def plain(self, request: Request) -> User:
        return User(request.user_id, request.company, request.password)

    def asked(self, request: Request) -> User:
        return self.plain(request)

    def answered(self, request: Request) -> User:
        return self.plain(request)

    async def awaited(self, request: Request) -> User:
        return self.plain(request)


class UsersService(UsersImpl, Users):
    pass


class UsersWorkflow(Workflow, UsersImpl, Users):
    pass


def called(cls: type, method: str) -> tuple[User, User]:
    """What the code makes of what it gets, and what its caller gets."""
    read = workflow_implementation if issubclass(cls, Workflow) else service_implementation
    implementation = read(cls, "Users").method(method)
    contract = contract_of(Users).methods[method]
    args, _ = implementation.decode_arguments(contract.encode_arguments((REQUEST,), {}))
    made = UsersImpl().plain(*args)  # type: ignore[arg-type]  # as each case has them
    got = contract.result.decode(implementation.result.encode(made))
    assert isinstance(got, User)
    return made, got


@pytest.mark.parametrize("cls", [UsersService, UsersWorkflow])
def test_view_01_without_a_view_everything_travels(cls: type) -> None:
    assert called(cls, "plain") == (USER, USER)


def test_view_02_a_view_at_the_parameter_of_a_service() -> None:
    made, got = called(UsersService, "asked")
    assert made.company is None
    assert got == User("id", None, "secret")


@pytest.mark.parametrize("method", ["answered", "awaited"])
def test_view_03_a_view_at_the_result_of_a_service(method: str) -> None:
    made, got = called(UsersService, method)
    assert made == USER
    assert got == User("id", "acme", None)


def test_view_05_a_view_at_the_parameter_of_a_workflow() -> None:
    assert called(UsersWorkflow, "asked")[1] == User("id", None, "secret")


def test_view_06_a_view_at_the_result_of_a_workflow() -> None:
    assert called(UsersWorkflow, "answered")[1] == User("id", "acme", None)


def test_a_view_shows_what_the_views_it_derives_from_show() -> None:
    codec = value_codec(Annotated[User, Private], place="here")
    assert codec.decode(codec.encode(USER)) == USER


def test_a_view_reaches_into_collections_objects_and_subclasses() -> None:
    @dataclass
    class Team:
        users: list[User]
        lead: User | None = None

    @dataclass
    class Admin(User):
        key: Annotated[str, Private] = "no key"

    codec = value_codec(Annotated[dict[str, Team], Public], place="here")
    team = Team([USER, Admin("root", None, "secret", "key")], USER)
    assert "secret" not in str(to_json(codec.encode({"a": team})))
    read = codec.decode(codec.encode({"a": team}))
    assert read == {"a": Team([User("id", "acme"), Admin("root")], User("id", "acme"))}


def test_a_value_that_describes_itself_is_in_the_view_too() -> None:
    codec = value_codec(Annotated[object, Public], place="here")
    value_codec(User, place="there")
    assert codec.decode(codec.encode([USER])) == [User("id", "acme", None)]


def test_what_is_sent_against_the_view_is_not_read() -> None:
    everything = value_codec(User, place="there").encode(USER)
    assert value_codec(Annotated[User, Public], place="here").decode(everything) == User(
        "id", "acme"
    )


def test_a_pydantic_model_hides_its_fields() -> None:
    class Model(pydantic.BaseModel):
        name: str
        key: Annotated[str, Private] = "none"

    codec = value_codec(Annotated[Model, Public], place="here")
    assert to_json(codec.encode(Model(name="a", key="secret"))) == {"name": "a"}
    assert codec.decode(codec.encode(Model(name="a", key="secret"))) == Model(name="a")


class Inner(pydantic.BaseModel):
    key: Annotated[str, Private] = "none"


class Outer(pydantic.BaseModel):
    inner: list[Inner]


@dataclass
class Needy:
    key: Annotated[str, Private]
    other: str = field(default="")


@pytest.mark.parametrize(
    ("hint", "told"),
    [
        (Annotated[Outer, Public], "cannot leave out"),
        (Annotated[Needy, Public], "has no default"),
        (Annotated[User, Public, Private], "several views"),
    ],
)
def test_a_view_that_cannot_be_is_refused(hint: object, told: str) -> None:
    with pytest.raises(InvalidTypeHint, match=told):
        value_codec(hint, place="here")


class Flow(Protocol):
    def go(self) -> None: ...


class FlowImpl(Workflow, Flow):
    user: Annotated[User, Public]

    def go(self) -> None: ...


def test_a_view_at_a_property_is_refused() -> None:
    with pytest.raises(InfiniticError, match="lost in every replay"):
        workflow_implementation(FlowImpl).properties.codec("user")
