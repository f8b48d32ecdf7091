"""Implementations of services and workflows, read and checked once, when they are registered."""

from collections.abc import Mapping
from typing import cast

import attrs

from infinitic_common._contracts.classes import Factory, contract_named, read_source
from infinitic_common._contracts.implemented import MethodImplementation, implemented_methods
from infinitic_common._contracts.properties import Properties, read_properties
from infinitic_common.channels import Channel
from infinitic_common.configuration import version_of
from infinitic_common.contracts import Contract, contract_of, contracts_of
from infinitic_common.decorators import version_of_class
from infinitic_common.exceptions import InvalidImplementation, MethodNotFound
from infinitic_common.workflow import Workflow

__all__ = [
    "MethodImplementation",
    "Properties",
    "ServiceImplementation",
    "WorkflowImplementation",
    "service_implementation",
    "workflow_implementation",
]


@attrs.frozen(eq=False)
class ServiceImplementation:
    """A class whose instances run the tasks of a service.

    Attributes:
        cls: The class.
        name: Name of the service.
        methods: By name, as named for other processes.
        factory: Makes the instances.
    """

    cls: type
    name: str
    methods: Mapping[str, MethodImplementation]
    factory: Factory

    def method(self, name: str) -> MethodImplementation:
        """A method by its name, as marked or as in Python.

        Raises:
            MethodNotFound: There is none.
        """
        return _method(self.cls, self.methods, name)

    def new_instance(self) -> object:
        """A new instance of the class; raises what its constructor raises."""
        return self.factory()


@attrs.frozen(eq=False)
class WorkflowImplementation:
    """A class whose instances run the methods of a workflow.

    Attributes:
        cls: The class.
        name: Name of the workflow.
        version: As marked, else what the class name ends with, after an underscore; 0 without a
            number there.
        methods: By name, as named for other processes.
        discarding_channels: Names of channels that drop signals which nothing receives.
        properties: Which attributes are the state.
        factory: Makes the instances.
    """

    cls: type[Workflow]
    name: str
    version: int
    methods: Mapping[str, MethodImplementation]
    discarding_channels: tuple[str, ...]
    properties: Properties
    factory: Factory

    def method(self, name: str) -> MethodImplementation:
        """A method by its name, as marked or as in Python.

        Raises:
            MethodNotFound: There is none.
        """
        return _method(self.cls, self.methods, name)

    def new_instance(self) -> Workflow:
        """A new instance of the class; raises what its constructor raises."""
        return cast("Workflow", self.factory())


def service_implementation(
    source: object, name: str | None = None, *, contract: type | None = None
) -> ServiceImplementation:
    """Read the implementation of a service.

    Args:
        source: The class, or a function without parameters that makes its instances.
        name: Name of the service; by default that of the only contract among its parents.
        contract: The contract of a class that has it not among its parents.

    Raises:
        InvalidImplementation: The class cannot implement the service; says what to change.
        InvalidContract: Its contract cannot be one.
        InvalidTypeHint: A parameter or result has no type, or one that cannot be sent.
    """
    given = read_source(source)
    if Workflow in given.cls.__mro__:
        msg = (
            f"{given.cls.__name__} is a Workflow, and services are run by other classes: register "
            "it with WorkflowExecutor, not with ServiceExecutor"
        )
        raise InvalidImplementation(msg)
    found = _structural(given.cls, contract) or contract_named(given.cls, name)
    methods = implemented_methods(given.cls, found)
    if not methods:
        msg = f"{given.cls.__name__} has no public method to run tasks with"
        raise InvalidImplementation(msg)
    return ServiceImplementation(given.cls, _name(found, name), methods, given.factory)


def workflow_implementation(source: object, name: str | None = None) -> WorkflowImplementation:
    """Read the implementation of a workflow.

    Args:
        source: The class, or a function without parameters that makes its instances.
        name: Name of the workflow; by default that of the only contract among its parents.

    Raises:
        InvalidImplementation: The class cannot implement the workflow; says what to change.
        InvalidContract: Its contract cannot be one.
        InvalidTypeHint: A parameter, result or channel has no type, or one that cannot be sent.
    """
    given = read_source(source)
    cls = given.cls
    if not issubclass(cls, Workflow):
        msg = f"{cls.__name__} is no Workflow: write 'class {cls.__name__}(Workflow, …)'"
        raise InvalidImplementation(msg)
    contract = contract_named(cls, name)
    if contract is None:
        msg = (
            f"{cls.__name__} has no contract among its parents: 'class {cls.__name__}(Workflow, …)'"
        )
        raise InvalidImplementation(msg)
    _refuse_hidden_members(cls, contract)
    marked = version_of_class(cls)
    return WorkflowImplementation(
        cls=cls,
        name=contract.name,
        version=version_of(cls.__name__) if marked is None else marked,
        methods=implemented_methods(cls, contract),
        discarding_channels=_discarding_channels(cls, contract),
        properties=read_properties(cls),
        factory=given.factory,
    )


def _method(
    cls: type, methods: Mapping[str, MethodImplementation], name: str
) -> MethodImplementation:
    found = methods.get(name) or next(
        (method for method in methods.values() if method.python_name == name), None
    )
    if found is None:
        msg = f"{cls.__name__} has no method named {name!r}; it has {', '.join(methods)}"
        raise MethodNotFound(msg)
    return found


def _structural(cls: type, contract: type | None) -> Contract | None:
    """The contract of a class that implements it without having it as a parent."""
    if contract is None or contract in cls.__mro__ or contracts_of(cls):
        return None
    return contract_of(contract)


def _name(contract: Contract | None, name: str | None) -> str:
    return name or cast("Contract", contract).name


def _refuse_hidden_members(cls: type, contract: Contract) -> None:
    for name in (*contract.methods, *contract.channels):
        if hasattr(Workflow, name):
            msg = (
                f"'{name}' of contract {contract.cls.__name__} hides Workflow.{name} in "
                f"{cls.__name__}: give it another name in Python, @name keeps the one outside"
            )
            raise InvalidImplementation(msg)


def _discarding_channels(cls: type, contract: Contract) -> tuple[str, ...]:
    channels = {name: cast("object", getattr(cls, name, None)) for name in contract.channels}
    for name, one in channels.items():
        if not isinstance(one, Channel):
            msg = f"{cls.__name__}.{name} is no channel: write '{name}: Channel[…] = channel()'"
            raise InvalidImplementation(msg)
    return tuple(
        name for name, one in channels.items() if cast("Channel[object]", one).discard_unexpected
    )
