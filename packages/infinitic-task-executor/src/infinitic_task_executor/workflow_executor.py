"""The component that runs the code of a workflow."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import timedelta
from typing import Literal, Self

from infinitic_common.arguments import (
    demand_counts,
    demand_flags,
    demand_kinds,
    demand_spans,
)
from infinitic_common.component import ComponentHost
from infinitic_common.configuration import (
    UNSET,
    BatchConfiguration,
    ConfigurationError,
    ExponentialBackoff,
    Problem,
    Unset,
    WorkflowConfiguration,
    load_class,
)
from infinitic_common.contracts import contract_of
from infinitic_common.decorators import CheckMode, as_check_mode
from infinitic_common.exceptions import InvalidImplementation
from infinitic_common.implementation import WorkflowImplementation, workflow_implementation
from infinitic_common.policies import RetryFunction, RetryPolicy
from infinitic_common.transport import Consumption, Counts, Subscription, Topic, TopicKind
from infinitic_common.workflow_tasks import WorkflowTask, WorkflowTaskResult
from infinitic_task_executor._retries import RetrySetting, retry_setting
from infinitic_task_executor._workflow.execution import Execution
from infinitic_task_executor._workflow.implemented import ImplementedWorkflow
from infinitic_task_executor._workflow.remote import RemoteTasks
from infinitic_task_executor._workflow.runner import RunnerSettings, WorkflowTaskRunner
from infinitic_task_executor._workflow.telling import Telling

_TIMEOUT = timedelta(seconds=60)
_MAX_LIVE_RUNS = 5000
_MAX_BATCH = 100
_MAX_BATCH_THREADS = 100

Source = type | Callable[[], object]
"""A class, or a function without parameters that makes its instances."""


class WorkflowExecutor:
    """Runs the code of a workflow: for the state engine of this process, and for those elsewhere.

    A component of a worker, and a ``WorkflowTaskHandler``. Runs that wait are kept in memory, the
    least recently used ones give way and are rebuilt from their history when they are needed.
    A worker stops it after the state engine that uses it.
    """

    def __init__(  # noqa: PLR0913 - each is a decision of the user
        self,
        contract: type | str,
        *implementations: Source,
        concurrency: int = 1,
        batch: BatchConfiguration | None = None,
        check_mode: CheckMode | Literal["none", "simple", "strict"] | None = None,
        timeout: timedelta | None = _TIMEOUT,
        retry: RetryPolicy | RetryFunction | Unset | None = UNSET,
        always_replay: bool = False,
        events: bool = True,
        max_live_runs: int = _MAX_LIVE_RUNS,
    ) -> None:
        """Register the classes of a workflow, one for each version.

        Args:
            contract: The contract, or the name of the workflow.
            implementations: Classes, or functions without parameters that make their instances.
            concurrency: Number of threads that workflow code runs on.
            batch: Runs the code of as many workflows at once for each of ``concurrency``, on at
                most 100 threads; nothing waits for a batch to fill.
            check_mode: How strictly changed code is found out; None to let the classes say.
            timeout: The longest that code may run without waiting; None for no limit.
            retry: When code that raised something of its own runs again; None for never. When it
                is not given, ``@retry`` on the method or the class decides, else it is never.
            events: Tell listeners of workflow tasks that come as messages.
            always_replay: Throw every run away after each task: what tests compare with.
            max_live_runs: Waiting runs that are kept in memory.

        Raises:
            InvalidImplementation: A class cannot implement the workflow, or two have one version.
            InvalidTypeHint: A parameter, result or channel has no type, or one that cannot be sent.
            InvalidSetting: A setting is none, as a ``concurrency`` that is less than 1.
            UsageError: ``retry`` is no policy.
        """
        demand_counts(concurrency=concurrency, otherwise="leave the executor out")
        demand_counts(max_live_runs=max_live_runs, least=0)
        demand_kinds(BatchConfiguration, batch=batch)
        demand_flags(events=events, always_replay=always_replay)
        if timeout is not None:
            demand_spans(timeout=timeout)
        self._name = contract if isinstance(contract, str) else contract_of(contract).name
        definitions = _definitions(self._name, implementations)
        mode = None if check_mode is None else as_check_mode(check_mode, "check_mode")
        setting = retry_setting(retry, f"retry of the executor of workflow {self._name}")
        self._execution = Execution(definitions, mode, retry=setting)
        self._settings = settings = RunnerSettings(
            name=f"workflow-{self._name}",
            concurrency=_threads(concurrency, batch),
            timeout=timeout.total_seconds() if timeout is not None else None,
            always_replay=always_replay,
            max_live_runs=max_live_runs,
        )
        self._runner = WorkflowTaskRunner(settings, self._execution)
        self._events = events
        self._consumption: Consumption | None = None

    @classmethod
    def from_configuration(cls, configuration: WorkflowConfiguration) -> Self:
        """Make the executor that a configuration asks for.

        Raises:
            ConfigurationError: A class cannot be loaded.
            InvalidImplementation: A class cannot implement the workflow.
        """
        executor = configuration.executor
        if executor is None:
            problem = Problem(f"workflows.{configuration.name}", "no executor", "add `class:`")
            raise ConfigurationError([problem])
        place = f"workflows.{configuration.name}.classes"
        if isinstance(executor.retry, ExponentialBackoff):
            executor.retry.ignored_classes(place=f"workflows.{configuration.name}.retry")
        classes = [load_class(name, place=place) for name in executor.class_names]
        return cls(
            configuration.name,
            *classes,
            concurrency=executor.concurrency,
            batch=executor.batch,
            check_mode=executor.check_mode,
            timeout=_limit(executor.timeout_seconds),
            retry=executor.retry,
            events=executor.events is not False,
        )

    def __str__(self) -> str:
        """One line with its effective settings."""
        versions = ", ".join(map(str, sorted(self._execution.definitions)))
        limit, mode = self._settings.timeout, self._execution.check_mode
        timeout = "none" if limit is None else f"{limit:g} s"
        check_mode = "as the code says" if mode is None else mode.value
        return (
            f"WorkflowExecutor {self._name}: versions {versions}, "
            f"concurrency {self._settings.concurrency}, timeout {timeout}, "
            f"retry {_told(self._execution.retry)}, check mode {check_mode}"
        )

    @property
    def workflow_name(self) -> str:
        """See ``WorkflowTaskHandler``."""
        return self._name

    @property
    def label(self) -> str:
        """See ``Component``."""
        return "WorkflowExecutor"

    @property
    def counts(self) -> Counts:
        """See ``Component``; tasks of the engine in this process are counted there."""
        return self._consumption.counts if self._consumption is not None else Counts()

    async def start(self, host: ComponentHost) -> None:
        """See ``Component``."""
        self._execution.worker_name = host.worker_name
        telling = Telling(host.transport, host.worker_name, self._name) if self._events else None
        remote = RemoteTasks(self._name, host.transport, self._runner, self._execution, telling)
        subscription = Subscription(
            topics=(Topic(TopicKind.WORKFLOW_EXECUTOR, self._name),),
            name="workflow-executor",
            ordered=True,
            max_batch_messages=_MAX_BATCH,
            on_dead_letter=remote.bury,
        )
        self._consumption = await host.transport.consume(subscription, remote.handle)

    async def stop(self, grace_seconds: float) -> None:
        """See ``Component``."""
        if self._consumption is not None:
            await self._consumption.stop(grace_seconds)
        self._runner.close()

    async def run(
        self, tasks: Sequence[WorkflowTask], *, patience: float | None = None
    ) -> Sequence[WorkflowTaskResult | Awaitable[WorkflowTaskResult]]:
        """See ``WorkflowTaskHandler``."""
        return await self._runner.run_patiently(tasks, patience)

    def confirm(self, versions: Mapping[str, int]) -> None:
        """See ``WorkflowTaskHandler``."""
        self._runner.confirm(versions)

    def discard(self, workflow_ids: Sequence[str]) -> None:
        """See ``WorkflowTaskHandler``."""
        self._runner.discard(workflow_ids)

    def forget(self, workflow_ids: Sequence[str], method_ids: Sequence[str]) -> None:
        """See ``WorkflowTaskHandler``."""
        self._runner.forget(workflow_ids, method_ids)


def _threads(concurrency: int, batch: BatchConfiguration | None) -> int:
    if batch is None:
        return concurrency
    return max(concurrency, min(_MAX_BATCH_THREADS, concurrency * batch.max_messages))


def _told(retry: RetrySetting) -> str:
    if isinstance(retry, Unset):
        return "as the code says"
    return "none" if retry is None else repr(retry)


def _limit(seconds: float | Unset | None) -> timedelta | None:
    if isinstance(seconds, Unset):
        return _TIMEOUT
    return None if seconds is None else timedelta(seconds=seconds)


def _definitions(name: str, sources: Sequence[Source]) -> dict[int, ImplementedWorkflow]:
    if not sources:
        msg = f"workflow {name} has no implementation: give its class"
        raise InvalidImplementation(msg)
    found: dict[int, WorkflowImplementation] = {}
    for source in sources:
        one = workflow_implementation(source, name)
        other = found.setdefault(one.version, one)
        if other is not one:
            msg = (
                f"{other.cls.__name__} and {one.cls.__name__} both are version {one.version} of "
                f"workflow {name}: end the name of one with another number, as _{one.version + 1}, "
                f"or mark it @version({one.version + 1})"
            )
            raise InvalidImplementation(msg)
    return {version: ImplementedWorkflow(one) for version, one in found.items()}
