"""The logger of workflow code: silent while the code is replayed."""

import logging
from collections.abc import Mapping

from infinitic_common._running import running
from infinitic_common.workflow_run import WorkflowRun


class _RunLogger(logging.Logger):
    """Hands the records of one run to the logger of its workflow, the ids of the run added."""

    def __init__(self, run: WorkflowRun) -> None:
        name = f"infinitic.workflow.{run.workflow_name}"
        super().__init__(name)
        self.parent = logging.getLogger(name)
        self._run = run

    def isEnabledFor(self, level: int) -> bool:  # noqa: N802 - the name of logging
        return not self._run.is_replaying and super().isEnabledFor(level)

    def makeRecord(  # noqa: N802, PLR0913, PLR0917 - as logging has it
        self,
        name: str,
        level: int,
        fn: str,
        lno: int,
        msg: object,
        args: object,
        exc_info: object,
        func: str | None = None,
        extra: Mapping[str, object] | None = None,
        sinfo: str | None = None,
    ) -> logging.LogRecord:
        run = self._run
        ids = {
            "workflow_id": run.workflow_id,
            "workflow_name": run.workflow_name,
            "method_id": run.method_id,
            "method_name": run.method_name,
        }
        more = {**ids, **(extra or {})}
        return super().makeRecord(
            name,
            level,
            fn,
            lno,
            msg,
            args,  # type: ignore[arg-type] # pyright: ignore[reportArgumentType] - private types
            exc_info,  # type: ignore[arg-type] # pyright: ignore[reportArgumentType] - the same
            func,
            more,
            sinfo,
        )


class LoggerOfRun:
    """An attribute of classes: the logger of the run whose code asks.

    Classes and instances may have a logger of their own under the same name.
    """

    def __get__(self, instance: object, owner: type) -> object:
        return self if instance is None else _RunLogger(running("logger"))
