"""What occupies a thread, or a place on the event loop, at once: a task, or a batch of tasks."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Protocol, cast

from infinitic_common.exceptions import UsageError
from infinitic_common.policies import RetryPolicy
from infinitic_common.task_context import set_batch_context, set_task_context
from infinitic_task_executor._service.attempts import Attempt, Surroundings
from infinitic_task_executor._service.batch_methods import BatchMethod
from infinitic_task_executor._service.plans import Limit, Policies
from infinitic_task_executor._service.reports import Report

Reports = Sequence[Report | None]


class Work(Protocol):
    """Some attempts that run together.

    Attributes:
        limit: How long the call may last; known once it is prepared.
        label: Class and method in Python, for messages.
    """

    limit: Limit | None
    label: str

    @property
    def attempts(self) -> Sequence[Attempt]:
        """They, in the order of all reports."""
        ...

    def enter(self) -> None:
        """Let the code that runs from here on know its task."""
        ...

    def prepare(self) -> Callable[[], object]:
        """The call to make; raises what the author's classes raise: that is not tried again."""
        ...

    def returned(self, value: object) -> Reports:
        """The call gave a value."""
        ...

    def raised(self, error: BaseException) -> Reports:
        """The call raised something, or lasted too long."""
        ...

    def failed(self, error: BaseException) -> Reports:
        """There was no call."""
        ...


class SingleWork:
    """One task by itself; see ``Work``."""

    __slots__ = ("_around", "_retry", "attempts", "label", "limit")

    def __init__(self, attempt: Attempt, around: Surroundings) -> None:
        """Prepare nothing yet."""
        self.attempts = (attempt,)
        self.limit: Limit | None = None
        self.label = attempt.plan.method.label
        self._around = around
        self._retry: RetryPolicy | None = None

    def enter(self) -> None:
        """See ``Work``."""
        attempt = self.attempts[0]
        set_task_context(attempt.context)
        attempt.begin()
        attempt.watch.enter()

    def prepare(self) -> Callable[[], object]:
        """See ``Work``."""
        attempt = self.attempts[0]
        plan = attempt.plan
        instance = self._around.implementation.new_instance()
        if plan.policies.say_something:
            self._take_policies(plan.policies, instance)
        args, kwargs = plan.method.decode_arguments(attempt.message.arguments)
        return partial(plan.method.bound_to(instance), *args, **kwargs)

    def _take_policies(self, policies: Policies, instance: object) -> None:
        context = self.attempts[0].context
        self._retry = context.retry_policy = policies.retry_policy(instance)
        self.limit = policies.limit(instance)
        context.timeout_seconds = None if self.limit is None else self.limit.seconds

    def returned(self, value: object) -> Reports:
        """See ``Work``."""
        return (self.attempts[0].returned(value),)

    def raised(self, error: BaseException) -> Reports:
        """See ``Work``."""
        return (self.attempts[0].raised(error, self._retry),)

    def failed(self, error: BaseException) -> Reports:
        """See ``Work``."""
        return (self.attempts[0].failed(error),)


class BatchWork:
    """Tasks of one method that run in one call; see ``Work``.

    A task whose arguments cannot be read fails alone, and the others run without it.
    """

    __slots__ = ("_around", "_batch", "_retry", "_unreadable", "attempts", "label", "limit")

    def __init__(
        self, attempts: Sequence[Attempt], batch: BatchMethod, around: Surroundings
    ) -> None:
        """Prepare nothing yet."""
        self.attempts = attempts
        self.limit: Limit | None = None
        self.label = batch.label
        self._batch = batch
        self._around = around
        self._retry: RetryPolicy | None = None
        self._unreadable: dict[Attempt, BaseException] = {}

    def enter(self) -> None:
        """See ``Work``."""
        set_task_context(None)
        set_batch_context({one.message.task_id: one.context for one in self.attempts})
        for attempt in self.attempts:
            attempt.begin()
            attempt.watch.begin()

    def prepare(self) -> Callable[[], object]:
        """See ``Work``."""
        policies = self.attempts[0].plan.batch_policies
        instance = self._around.implementation.new_instance()
        self._retry = policies.retry_policy(instance)
        self.limit = policies.limit(instance)
        for attempt in self.attempts:
            attempt.context.retry_policy = self._retry
            attempt.context.timeout_seconds = None if self.limit is None else self.limit.seconds
        tasks = self._arguments()
        method = cast("Callable[..., object]", getattr(instance, self._batch.python_name))
        return partial(method, tasks)

    def returned(self, value: object) -> Reports:
        """See ``Work``."""
        if value is None or self.attempts[0].plan.is_delegated:
            return self._each(lambda attempt: attempt.returned(None))
        try:
            results = self._checked(value)
        except BaseException as error:  # noqa: BLE001 - the map is the user's
            return self.failed(error)
        return self._each(lambda attempt: attempt.returned(results[attempt.message.task_id]))

    def raised(self, error: BaseException) -> Reports:
        """See ``Work``."""
        return self._each(lambda attempt: attempt.raised(error, self._retry))

    def failed(self, error: BaseException) -> Reports:
        """See ``Work``."""
        return self._each(lambda attempt: attempt.failed(error))

    def _each(self, report: Callable[[Attempt], Report | None]) -> Reports:
        wrong = self._unreadable
        return [one.failed(wrong[one]) if one in wrong else report(one) for one in self.attempts]

    def _arguments(self) -> Mapping[str, object]:
        tasks: dict[str, object] = {}
        for attempt in self.attempts:
            message, method = attempt.message, attempt.plan.method
            try:
                args, kwargs = method.decode_arguments(message.arguments)
                tasks[message.task_id] = self._batch.build([*args, *kwargs.values()])
            except BaseException as error:  # noqa: BLE001 - whatever is wrong, this task has failed
                self._unreadable[attempt] = error
        return tasks

    def _checked(self, value: object) -> Mapping[str, object]:
        """The results by task id, one for each task."""
        if not isinstance(value, Mapping):
            msg = f"{self.label} returned {type(value).__name__}, not a map of results by task id"
            raise UsageError(msg)
        results = cast("Mapping[str, object]", value)
        wanted = {one.message.task_id for one in self.attempts if one not in self._unreadable}
        missing, unknown = wanted - set(results), set(results) - wanted
        if missing or unknown:
            msg = (
                f"{self.label} must return a result for each task id it was given, and no other: "
                f"missing {_some(missing)}; unknown {_some(unknown)}"
            )
            raise UsageError(msg)
        return results


_SHOWN = 5


def _some(keys: set[str]) -> str:
    shown = sorted(map(str, keys))[:_SHOWN]
    more = f" and {len(keys) - _SHOWN} more" if len(keys) > _SHOWN else ""
    return f"{', '.join(shown)}{more}" if keys else "none"
