"""What runs the user's code: executors of services and of workflows."""

import re
from collections.abc import Iterable, Iterator
from contextlib import suppress
from typing import Annotated, Final, Literal, Self, cast

from attrs import Factory, evolve, field, frozen

from infinitic_common._configuration.checks import Above, AtLeast, NotBlank
from infinitic_common._configuration.classes import load_any_class
from infinitic_common._configuration.nodes import Block, Node, Scalar, Series
from infinitic_common._configuration.policies import BatchConfiguration, ExponentialBackoff
from infinitic_common._configuration.problems import ConfigurationError, Problem
from infinitic_common._configuration.reading import At, entry_place
from infinitic_common._configuration.settings import Settings, read_settings
from infinitic_common._configuration.shapes import UNSET, Unset

Concurrency = Annotated[int, AtLeast(0)]
Timeout = Annotated[float, Above(0)] | None | Unset
Retry = ExponentialBackoff | None | Unset
ClassName = Annotated[str, NotBlank()]

VERSION_MARK: Final = "__infinitic_version__"
"""Where ``@version`` leaves its number."""

_VERSIONED = re.compile(r"[^.:]+_(?P<version>[0-9]+)")


def _same_concurrency(
    executor: "ServiceExecutorConfiguration | WorkflowExecutorConfiguration",
) -> int:
    return executor.concurrency


@frozen(kw_only=True)
class ServiceExecutorConfiguration(Settings):
    """How the tasks of a service run.

    Attributes:
        class_name: Dotted name of the implementation, as ``shop.PaymentServiceImpl`` or
            ``shop:PaymentServiceImpl``; None only without concurrency.
        concurrency: Tasks at once, or batches at once with ``batch``; 0 for none.
        timeout_seconds: Longest time of one attempt; None for no limit, ``UNSET`` to let
            the implementation's annotations decide.
        retry: When a failed task runs again; None for never, ``UNSET`` as above.
        batch: How batched methods are fed; None for one by one.
        event_handler_concurrency: Events handled at once; by default as ``concurrency``.
        retry_handler_concurrency: Retries handled at once; by default as ``concurrency``.
        events: Tell listeners of what happens; None to do as the worker says.
    """

    class_name: ClassName | None = field(default=None, metadata={"key": "class"})
    concurrency: Concurrency = 1
    timeout_seconds: Timeout = UNSET
    retry: Retry = UNSET
    batch: BatchConfiguration | None = None
    event_handler_concurrency: Concurrency = Factory(_same_concurrency, takes_self=True)
    retry_handler_concurrency: Concurrency = Factory(_same_concurrency, takes_self=True)
    events: bool | None = None

    def conflicts(self) -> Iterable[Problem]:
        """See ``Settings``."""
        return _class_conflicts("class", self.concurrency, given=self.class_name is not None)


@frozen(kw_only=True)
class WorkflowExecutorConfiguration(Settings):
    """How the code of a workflow runs.

    Attributes:
        class_names: Dotted names of the implementations, one per version.
        concurrency: Workflow tasks at once; 0 for none.
        timeout_seconds: Longest time of one workflow task; None for no limit, ``UNSET`` for the
            default of 60 seconds.
        retry: When a failed workflow task runs again; None for never, ``UNSET`` to let the
            implementation's annotations decide.
        check_mode: How a changed history is judged; None to let annotations decide, else simple.
        batch: How many workflow tasks are taken together; None for the executor's default.
        event_handler_concurrency: Events handled at once; by default as ``concurrency``.
        retry_handler_concurrency: Retries handled at once; by default as ``concurrency``.
        events: Tell listeners of what happens; None to do as the worker says.
    """

    MORE_KEYS = ("class",)

    class_names: tuple[ClassName, ...] = field(default=(), metadata={"key": "classes"})
    concurrency: Concurrency = 1
    timeout_seconds: Timeout = UNSET
    retry: Retry = UNSET
    check_mode: Literal["none", "simple", "strict"] | None = None
    batch: BatchConfiguration | None = None
    event_handler_concurrency: Concurrency = Factory(_same_concurrency, takes_self=True)
    retry_handler_concurrency: Concurrency = Factory(_same_concurrency, takes_self=True)
    events: bool | None = None

    def conflicts(self) -> Iterable[Problem]:
        """See ``Settings``."""
        yield from _class_conflicts("classes", self.concurrency, given=bool(self.class_names))
        yield from _version_conflicts(self.class_names)

    @classmethod
    def from_node(cls, node: Node, at: At) -> Self:
        """See ``Readable``; ``class`` means a list of one."""
        return read_settings(cls, _with_list_of_classes(at.block(node), at), at)


def _with_list_of_classes(block: Block, at: At) -> Block:
    single = block.entries.get("class")
    if single is None:
        return block
    if "classes" in block.entries:
        entry_place(single, at).refuse("is given beside `classes`", "keep one of both")
    rest = {key: entry for key, entry in block.entries.items() if key != "class"}
    if not (isinstance(single.node, Scalar) and at.filled(single.node).is_empty):
        rest["classes"] = evolve(single, node=Series((single.node,), single.mark))
    return Block(rest, block.mark)


def _class_conflicts(key: str, concurrency: int, *, given: bool) -> Iterator[Problem]:
    keys = "`class`" if key == "class" else "`class` or `classes`"
    if concurrency > 0 and not given:
        what = f"{keys} is required while concurrency is {concurrency}"
        yield Problem(key, what, "name the implementation, as `class: shop.PaymentServiceImpl`")
    if concurrency == 0 and given:
        what = f"must be > 0 with {keys} given, is 0"
        yield Problem("concurrency", what, f"remove {keys}, or raise the concurrency")


def _version_conflicts(class_names: tuple[str, ...]) -> Iterator[Problem]:
    """Two classes of one version; classes that are there may be marked with another one."""
    indexes: dict[int, int] = {}
    for index, name in enumerate(class_names):
        version = version_of(name)
        if version in indexes:
            version = _marked_version(name, version)
        if (
            version in indexes
            and _marked_version(class_names[indexes[version]], version) == version
        ):
            what = f"items {indexes[version]} and {index} both have version {version} ({name})"
            remedy = "end the class names with different versions, as `_1`, or mark them @version"
            yield Problem("classes", what, remedy)
        indexes.setdefault(version, index)


def _marked_version(name: str, otherwise: int) -> int:
    with suppress(ConfigurationError):  # told when it is loaded to be used
        marked = cast("object", vars(load_any_class(name, place="classes")).get(VERSION_MARK))
        return marked if isinstance(marked, int) else otherwise
    return otherwise


def version_of(class_name: str) -> int:
    """Return the version that the name of a workflow's implementation tells: its last ``_<digits>``.

    Args:
        class_name: The name, dotted or not.
    """
    simple = re.split("[.:]", class_name)[-1]
    match = _VERSIONED.fullmatch(simple)
    return int(match["version"]) if match else 0
