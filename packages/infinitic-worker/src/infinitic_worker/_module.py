"""What ``infinitic-worker dev`` hosts: all that a module implements."""

import importlib
import inspect
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from types import ModuleType
from typing import cast

import attrs

from infinitic_common.configuration import (
    InMemoryStorageConfiguration,
    InMemoryTransportConfiguration,
    ServiceConfiguration,
    ServiceExecutorConfiguration,
    ServiceTagEngineConfiguration,
    StorageConfiguration,
    TransportConfiguration,
    WorkerConfiguration,
    WorkflowConfiguration,
    WorkflowExecutorConfiguration,
    WorkflowStateEngineConfiguration,
    WorkflowTagEngineConfiguration,
)
from infinitic_common.contracts import contracts_of, is_contract
from infinitic_common.exceptions import UsageError
from infinitic_common.implementation import service_implementation, workflow_implementation
from infinitic_common.workflow import Workflow

_CONCURRENCY = 10


def hosting(module_name: str, base: WorkerConfiguration | None = None) -> WorkerConfiguration:
    """A configuration that hosts every service and workflow which a module implements.

    Args:
        module_name: The module, or a package that gathers them.
        base: Transport and storage; by default both in memory. What it hosts itself is kept.

    Raises:
        UsageError: The module cannot be imported, or implements nothing.
        InvalidImplementation: One of its classes cannot implement its contract.
    """
    classes = list(_implementations(_imported(module_name)))
    if not classes:
        msg = (
            f"module {module_name} implements no service and no workflow: a workflow is a class "
            "with Workflow and a contract as parents, a service one with a contract as parent"
        )
        raise UsageError(msg)
    base = base or WorkerConfiguration(
        transport=TransportConfiguration("inMemory", InMemoryTransportConfiguration()),
        storage=StorageConfiguration("inMemory", InMemoryStorageConfiguration()),
    )
    services = {entry.name for entry in base.services}
    workflows = {entry.name for entry in base.workflows}
    return attrs.evolve(
        base,
        services=(
            *base.services,
            *(each for each in _services(classes) if each.name not in services),
        ),
        workflows=(
            *base.workflows,
            *(each for each in _workflows(classes) if each.name not in workflows),
        ),
    )


def _imported(module_name: str) -> ModuleType:
    try:
        return importlib.import_module(module_name)
    except ModuleNotFoundError as error:
        if not f"{module_name}.".startswith(f"{error.name}."):
            raise  # The module is there; it is one of its own imports that is not.
        msg = f"module {module_name} is not found from {Path.cwd()}: write it as in an import"
        raise UsageError(msg) from None


def _implementations(module: ModuleType) -> Iterator[type]:
    package = module.__name__
    for value in vars(module).values():
        if not inspect.isclass(value) or value.__name__.startswith("_"):
            continue
        cls = cast("type", value)
        ours = cls.__module__ == package or cls.__module__.startswith(f"{package}.")
        if ours and not is_contract(cls) and contracts_of(cls) and not inspect.isabstract(cls):
            yield cls


def _services(classes: Sequence[type]) -> Iterator[ServiceConfiguration]:
    for cls in classes:
        if Workflow not in cls.__mro__:
            executor = ServiceExecutorConfiguration(class_name=_path(cls), concurrency=_CONCURRENCY)
            name = service_implementation(cls).name
            yield ServiceConfiguration(
                name=name, executor=executor, tag_engine=ServiceTagEngineConfiguration()
            )


def _workflows(classes: Sequence[type]) -> Iterator[WorkflowConfiguration]:
    by_name: dict[str, list[str]] = {}
    for cls in classes:
        if issubclass(cls, Workflow):
            by_name.setdefault(workflow_implementation(cls).name, []).append(_path(cls))
    for name, paths in by_name.items():
        yield WorkflowConfiguration(
            name=name,
            executor=WorkflowExecutorConfiguration(
                class_names=tuple(paths), concurrency=_CONCURRENCY
            ),
            state_engine=WorkflowStateEngineConfiguration(concurrency=_CONCURRENCY),
            tag_engine=WorkflowTagEngineConfiguration(),
        )


def _path(cls: type) -> str:
    return f"{cls.__module__}.{cls.__qualname__}"


def function_at(path: str, default_module: str) -> Callable[[object], object]:
    """The function ``module:name``, or ``name`` of the default module.

    Raises:
        UsageError: It is not there, or a coroutine: the client it is given is the blocking one.
    """
    module_name, _, name = path.rpartition(":")
    function = getattr(_imported(module_name or default_module), name, None)
    if not callable(function):
        msg = f"{path!r} is no function of {module_name or default_module}: name one that takes the client"
        raise UsageError(msg)
    if inspect.iscoroutinefunction(function):
        msg = f"{path!r} is 'async def': name a plain function, which is given the blocking client"
        raise UsageError(msg)
    return cast("Callable[[object], object]", function)
