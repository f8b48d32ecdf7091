"""Both clients are what the rest of the framework knows of a client, by name and by signature."""

from __future__ import annotations

import inspect
from collections.abc import Iterator

import pytest

from infinitic_client import AsyncDeferred, AsyncInfiniticClient, Deferred, InfiniticClient
from infinitic_common.client import AsyncClient, AsyncClientDeferred, Client, ClientDeferred

PAIRS: list[tuple[type, type]] = [
    (Client, InfiniticClient),
    (AsyncClient, AsyncInfiniticClient),
    (ClientDeferred, Deferred),
    (AsyncClientDeferred, AsyncDeferred),
]


def methods(cls: type) -> Iterator[tuple[str, object]]:
    for name, member in inspect.getmembers(cls, inspect.isfunction):
        if not name.startswith("_"):
            yield name, member


def described(function: object) -> tuple[object, bool]:
    """Parameters with their defaults, and the colour."""
    assert callable(function)
    parameters = inspect.signature(function).parameters.values()
    shape = [(one.name, one.kind, one.default) for one in parameters]
    return shape, inspect.iscoroutinefunction(function)


@pytest.mark.parametrize(("port", "client"), PAIRS)
def test_a_client_has_every_method_of_its_port(port: type, client: type) -> None:
    for name, member in methods(port):
        if name not in ("dispatch", "call"):  # overloads: the types are the test
            assert described(getattr(client, name)) == described(member), name


def test_both_colours_have_the_same_names_and_parameters() -> None:
    blocking = dict(methods(InfiniticClient))
    awaited = dict(methods(AsyncInfiniticClient))
    assert set(awaited) - set(blocking) == {"blocking"}
    for name in blocking:
        assert described(blocking[name])[0] == described(awaited[name])[0], name
