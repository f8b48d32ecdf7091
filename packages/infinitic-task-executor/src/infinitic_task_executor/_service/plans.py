"""How the tasks of each method run: what was registered, else what its code says."""

from collections.abc import Mapping
from enum import Enum
from typing import Final, cast

import attrs

from infinitic_common.configuration import UNSET, Unset
from infinitic_common.contracts import is_contract
from infinitic_common.decorators import is_delegated, retry_of, timeout_of
from infinitic_common.exceptions import UsageError
from infinitic_common.implementation import MethodImplementation, ServiceImplementation
from infinitic_common.policies import (
    FixedTimeout,
    RetryPolicy,
    TimeoutPolicy,
    seconds_told_by,
)
from infinitic_task_executor._retries import RetrySetting
from infinitic_task_executor._service.batch_methods import BatchMethod, batch_methods

TimeoutSetting = float | TimeoutPolicy | Unset | None


class Own(Enum):
    """The type of ``OWN``."""

    OWN = "own"


OWN: Final = Own.OWN
"""The instance that runs the task is the policy."""


@attrs.frozen
class Limit:
    """How long an attempt may last, and then may still end by itself; in seconds."""

    seconds: float
    grace: float = 0.0


def _say_something(policies: "Policies") -> bool:
    return policies.timeout is not None or policies.retry is not None


@attrs.frozen(eq=False)
class Policies:
    """What limits an attempt, and what decides after it."""

    timeout: Limit | TimeoutPolicy | Own | None
    retry: RetryPolicy | Own | None
    say_something: bool = attrs.field(
        init=False, default=attrs.Factory(_say_something, takes_self=True)
    )

    def limit(self, instance: object) -> Limit | None:
        """The limit of an attempt; raises what the author's policy raises.

        Args:
            instance: What runs the task.
        """
        timeout = self.timeout
        if timeout is None or isinstance(timeout, Limit):
            return timeout
        return _limit(cast("TimeoutPolicy", instance) if timeout is OWN else timeout)

    def retry_policy(self, instance: object) -> RetryPolicy | None:
        """What decides after a failed attempt.

        Args:
            instance: What runs the task.
        """
        return cast("RetryPolicy", instance) if self.retry is OWN else self.retry


@attrs.frozen(eq=False)
class MethodPlan:
    """How the tasks of a method run.

    Attributes:
        method: The method.
        policies: Of its tasks, one by one.
        is_delegated: Whether another system gives the result.
        batch: What runs many of its tasks at once; None when nothing does.
        batch_policies: Of its tasks in batches.
    """

    method: MethodImplementation
    policies: Policies
    is_delegated: bool
    batch: BatchMethod | None
    batch_policies: Policies


@attrs.frozen
class Settings:
    """What was registered, and wins over what code says.

    Attributes:
        timeout: The longest time of an attempt; None for no limit.
        retry: When a failed attempt is made again; None for never.
    """

    timeout: TimeoutSetting = UNSET
    retry: RetrySetting = UNSET


def plans_of(implementation: ServiceImplementation, settings: Settings) -> Mapping[str, MethodPlan]:
    """The plan of each method, by the names that other processes and Python use.

    Raises:
        InvalidImplementation: A batch method does not fit.
        UsageError: A limit is not positive, or a policy is none.
    """
    cls = implementation.cls
    batches = batch_methods(cls, implementation.methods)
    found: dict[str, MethodPlan] = {}
    for method in implementation.methods.values():
        batch = batches.get(method.name)
        names = [method.python_name] if batch is None else [method.python_name, batch.python_name]
        declared = method.contract is not None and method.contract.is_delegated
        plan = MethodPlan(
            method=method,
            policies=_policies(cls, method.python_name, settings),
            is_delegated=declared or any(is_delegated(cls, name) for name in names),
            batch=batch,
            batch_policies=_policies(cls, names[-1], settings),
        )
        found[method.name] = plan
    by_python = {plan.method.python_name: plan for plan in found.values()}
    return {**by_python, **found}


def _policies(cls: type, python_name: str, settings: Settings) -> Policies:
    return Policies(
        _timeout(cls, python_name, settings.timeout), _retry(cls, python_name, settings.retry)
    )


def _retry(cls: type, python_name: str, given: RetrySetting) -> RetryPolicy | Own | None:
    if not isinstance(given, Unset):
        return given
    marked = retry_of(cls, python_name)
    if marked is None and _implements(cls, "seconds_before_retry"):
        return OWN
    return marked


def _timeout(
    cls: type, python_name: str, given: TimeoutSetting
) -> Limit | TimeoutPolicy | Own | None:
    if isinstance(given, int | float):
        return _checked(given, 0.0, "timeout_seconds")
    # What a contract declares is the time from the call to the result, all attempts included.
    policy = timeout_of(cls, python_name, but=is_contract) if isinstance(given, Unset) else given
    if isinstance(policy, FixedTimeout):
        return _limit(policy)
    if policy is None and given is UNSET and _implements(cls, "timeout_seconds"):
        return OWN
    _refuse_no_policy(policy)
    return policy


def _refuse_no_policy(given: object) -> None:
    if isinstance(given, type) or not (given is None or hasattr(given, "timeout_seconds")):
        msg = (
            f"timeout_seconds={given!r}: give seconds, as 2.5, an object with timeout_seconds(), "
            "or None for no limit"
        )
        raise UsageError(msg)


def _implements(cls: type, name: str) -> bool:
    owner = next((parent for parent in cls.__mro__ if name in vars(parent)), RetryPolicy)
    return owner not in (RetryPolicy, TimeoutPolicy) and not is_contract(owner)


def _limit(policy: TimeoutPolicy) -> Limit | None:
    seconds = seconds_told_by(policy, "timeout_seconds")
    if seconds is None:
        return None
    grace = seconds_told_by(policy, "grace_seconds") if hasattr(policy, "grace_seconds") else None
    return _checked(seconds, grace or 0.0, f"{type(policy).__name__}.timeout_seconds()")


def _checked(seconds: float, grace: float, place: str) -> Limit:
    if not seconds > 0 or not grace >= 0:
        msg = (
            f"{place}: {seconds} s with {grace} s of grace: give more than 0 seconds, or None for "
            "no limit"
        )
        raise UsageError(msg)
    return Limit(float(seconds), float(grace))
