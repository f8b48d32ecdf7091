"""What the code of workflows is written with."""

import inspect
import logging
from collections.abc import Awaitable, Callable, Mapping
from collections.abc import Set as AbstractSet
from contextlib import AbstractContextManager
from datetime import datetime, timedelta
from random import Random
from typing import Any, ParamSpec, TypeVar, cast, overload
from uuid import UUID

from infinitic_common._calls import RunCaller, dispatched
from infinitic_common._running import running
from infinitic_common._timers import INSTANT, timer_command
from infinitic_common._workflow_logger import LoggerOfRun
from infinitic_common.contracts import contract_of
from infinitic_common.deferred import CommandDeferred, Deferred
from infinitic_common.exceptions import InvalidInline
from infinitic_common.saga import Saga
from infinitic_common.serialization import decode_untyped, encode_untyped
from infinitic_common.stub_options import checked_meta, checked_tags, checked_text
from infinitic_common.stubs import (
    NewService,
    NewWorkflow,
    Stub,
    WorkflowById,
    WorkflowByTag,
)

S = TypeVar("S")
P = ParamSpec("P")
R = TypeVar("R")

_CALLER = RunCaller()

# --- stubs ---------------------------------------------------------------------------------------


def new_service(
    contract: Callable[..., S],
    *,
    tags: AbstractSet[str] = frozenset(),
    meta: Mapping[str, bytes] | None = None,
) -> S:
    """Make a stub of a service, whose calls are tasks.

    It can be an attribute of the class of a workflow, and is never part of its state.

    Args:
        contract: The ``Protocol`` or ABC that describes the service.
        tags: Tags of the tasks.
        meta: What the tasks find in their context.

    Raises:
        InvalidContract: The class is no contract.
        InvalidTypeHint: A parameter or result has no type, or one that cannot be sent.
        UsageError: ``tags`` or ``meta`` is not what it must be.
    """
    read = contract_of(contract)
    what = f"new_service({read.cls.__name__})"
    target = NewService(read, checked_tags(tags, what), checked_meta(meta, what))
    return cast("S", Stub(target, _CALLER))


def new_workflow(
    contract: Callable[..., S],
    *,
    tags: AbstractSet[str] = frozenset(),
    meta: Mapping[str, bytes] | None = None,
) -> S:
    """Make a stub whose calls start workflows, as children of the one that calls.

    Args:
        contract: The ``Protocol`` or ABC that describes the workflow.
        tags: Tags of the workflows.
        meta: What the workflows find in their context.

    Raises:
        InvalidContract: The class is no contract.
        InvalidTypeHint: A parameter, result or channel has no type, or one that cannot be sent.
        MultipleCustomId: More than one tag starts with ``customId:``.
        UsageError: ``tags`` or ``meta`` is not what it must be.
    """
    read = contract_of(contract)
    what = f"new_workflow({read.cls.__name__})"
    target = NewWorkflow(read, checked_tags(tags, what), checked_meta(meta, what))
    return cast("S", Stub(target, _CALLER))


def get_workflow_by_id(contract: Callable[..., S], workflow_id: str) -> S:
    """Make a stub of a running workflow; nothing checks that it exists.

    Raises:
        InvalidContract: The class is no contract.
        InvalidStub: The id is empty.
    """
    checked = checked_text(workflow_id, "the id of a workflow")
    return cast("S", Stub(WorkflowById(contract_of(contract), checked), _CALLER))


def get_workflow_by_tag(contract: Callable[..., S], tag: str) -> S:
    """Make a stub of every running workflow that has a tag.

    Raises:
        InvalidContract: The class is no contract.
        InvalidStub: The tag is empty.
    """
    checked = checked_text(tag, "the tag of workflows")
    return cast("S", Stub(WorkflowByTag(contract_of(contract), checked), _CALLER))


# --- calls ---------------------------------------------------------------------------------------


@overload
def dispatch(
    method: Callable[P, Awaitable[R]], *args: P.args, **kwargs: P.kwargs
) -> Deferred[R]: ...
@overload
def dispatch(method: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> Deferred[R]: ...
def dispatch(method: Callable[P, object], *args: P.args, **kwargs: P.kwargs) -> Deferred[Any]:
    """Call a method of a stub without waiting for its result.

    Args:
        method: ``stub.method``, ``stub.channel.send``, or ``send`` of an own channel.
        args: Its arguments.
        kwargs: Its arguments by name.

    Raises:
        InvalidStub: It is no method of a stub.
        InvalidArguments: The arguments do not fit.
        SerializationError: An argument is not of the type of its parameter.
        NotInWorkflow: The caller is not the code of a workflow.
    """
    return dispatched(method, args, kwargs)


# --- the base class ------------------------------------------------------------------------------


class Workflow:
    """Base of the classes that implement workflows: ``class OrderImpl(Workflow, Order)``.

    Its members may be used in the methods of the contract, in what they call, and in
    ``__init__``. Attributes of an instance are the state of the workflow, except stubs, channels,
    loggers, and what is annotated ``Annotated[T, Ignore]``.
    """

    __slots__ = ()
    __infinitic_workflow__ = True

    logger: logging.Logger = cast("logging.Logger", LoggerOfRun())
    """A logger, ``infinitic.workflow.<name>``, that is silent while the code is replayed.

    Its records have the ids of workflow and method run. A line is written again only when the process
    died, or lost a race, before the step that wrote it was stored.
    """

    @property
    def workflow_id(self) -> str:
        """Id of this workflow."""
        return running("workflow_id").workflow_id

    @property
    def workflow_name(self) -> str:
        """Name of its contract."""
        return running("workflow_name").workflow_name

    @property
    def method_id(self) -> str:
        """Id of this method run; the main one has the id of the workflow."""
        return running("method_id").method_id

    @property
    def method_name(self) -> str:
        """Name of the method that runs."""
        return running("method_name").method_name

    @property
    def tags(self) -> frozenset[str]:
        """Tags given at the start."""
        return running("tags").tags

    @property
    def meta(self) -> Mapping[str, bytes]:
        """Meta given at the start."""
        return running("meta").meta

    @property
    def random(self) -> Random:
        """A random generator that gives the same numbers when the code is replayed."""
        return running("random").random()

    def uuid(self) -> UUID:
        """A new unique identifier, the same when the code is replayed."""
        return running("uuid()").uuid()

    def now(self) -> datetime:
        """The time (UTC) of the event that let the code go on; the same when it is replayed."""
        return running("now()").now()

    def saga(self) -> Saga:
        """Undo what a block did when it fails, or when the run is cancelled in it.

        ``with self.saga() as undo:`` (or ``async with``), then before each act its compensation:
        ``undo(self.payments.refund, order_id)``. See ``Saga``.
        """
        return Saga()

    def shield(self) -> AbstractContextManager[None]:
        """``with self.shield():`` lets a cancellation of the run wait until the block ends.

        Who waits for the run is told at once all the same.
        """
        return running("shield()").shield()

    def timer(self, delay: timedelta | datetime) -> Deferred[datetime]:
        """Start a durable timer; its value is the instant it was set to.

        Args:
            delay: How long from now, or until when. The past is due at once.

        Raises:
            UsageError: The instant has no time zone.
        """
        run = running("timer()")
        command = timer_command(run, delay)
        return CommandDeferred(run, run.issue(command), INSTANT.decode, "a timer")

    @overload
    def dispatch(
        self, method: Callable[P, Awaitable[R]], *args: P.args, **kwargs: P.kwargs
    ) -> Deferred[R]: ...
    @overload
    def dispatch(
        self, method: Callable[P, R], *args: P.args, **kwargs: P.kwargs
    ) -> Deferred[R]: ...
    def dispatch(
        self, method: Callable[P, object], *args: P.args, **kwargs: P.kwargs
    ) -> Deferred[Any]:
        """Call a method of a stub without waiting for its result; see ``dispatch``."""
        return dispatch(method, *args, **kwargs)

    def inline(self, block: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
        """Run a block of code once and remember its value: replay gives it without running.

        For what is quick, local and not the same twice: reading a clock, a file, a setting.

        Args:
            block: A plain function that uses no stub, deferred or other inline.
            args: Its arguments.
            kwargs: Its arguments by name.

        Raises:
            InvalidInline: The block is a coroutine function, or uses what it must not.
            SerializationError: The value cannot be sent.
        """
        if inspect.iscoroutinefunction(block):
            msg = f"inline({block!r}): an inline block is a plain function; make it a task"
            raise InvalidInline(msg)

        def encoded() -> bytes:
            return encode_untyped(block(*args, **kwargs))

        return cast("R", decode_untyped(running("inline()").inline(encoded)))
