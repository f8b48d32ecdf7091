"""Refuses what a worker cannot host, where it is written."""

from collections.abc import Sequence
from inspect import getattr_static
from typing import cast

from infinitic_common.arguments import refuse_setting
from infinitic_common.component import Component
from infinitic_common.configuration import ConfigurationError, Problem
from infinitic_common.workflow_tasks import WorkflowTaskHandler


def demand_parts(transport: object, storage: object, components: object) -> None:
    """See that a worker is given a transport, a storage or none, and components.

    Raises:
        ConfigurationError: Two components run the code of one workflow.
        InvalidSetting: Something is not what is asked for.
    """
    if not _has(transport, "publish", "consume"):
        refuse_setting("transport", transport, "give a transport, as InMemoryTransport()")
    if storage is not None and not _has(storage, "key_values"):
        refuse_setting("storage", storage, "give a storage, as MemoryStorage(), or None")
    if not isinstance(components, Sequence) or isinstance(components, str):
        refuse_setting("components", components, "give a list of them")
    given = cast("Sequence[Component]", components)
    for component in given:
        if not _has(component, "start", "stop"):
            refuse_setting("components", component, "give a component, as ServiceExecutor(…)")
    _refuse_rivals(given)


def demand_grace(seconds: object) -> None:
    """See that a grace period is a number of seconds.

    Raises:
        InvalidSetting: It is not.
    """
    if not isinstance(seconds, int | float) or not seconds >= 0:
        refuse_setting("shutdown_grace_seconds", seconds, "give seconds, 0 or more")


def _has(given: object, *names: str) -> bool:
    # Looked up without asking a property: a storage may open itself when it is first read.
    found = (getattr_static(given, name, None) for name in names)
    return not isinstance(given, type) and all(one is not None for one in found)


def _refuse_rivals(components: Sequence[Component]) -> None:
    names = [each.workflow_name for each in components if isinstance(each, WorkflowTaskHandler)]
    for name in names:
        if names.count(name) > 1:
            what = f"two components run the code of workflow {name}"
            remedy = "give one executor all the classes of a workflow"
            raise ConfigurationError([Problem("components", what, remedy)])
