"""What engines answer to the command ``infinitic``."""

# ruff: noqa: INP001, D102 - a helper of the tests, in no package

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from click.testing import Result

from infinitic_common.messages import (
    ClientMessage,
    CustomIdClaimed,
    GetWorkflowIdsByTag,
    MethodCompleted,
    MethodFailed,
    QueryAnswered,
    QueryWorkflow,
    StartByCustomId,
    WaitWorkflow,
    WorkflowIdsByTag,
)
from infinitic_common.serialization import encode_untyped

if TYPE_CHECKING:
    from infinitic_common.failures import DeferredError

Run = Callable[..., Result]

TASKS = [
    {
        "id": "task-1",
        "service": "Payments",
        "method": "charge",
        "status": "FAILED",
        "attempt": 0,
        "last_failure": "ValueError: no",
    },
    {
        "id": "task-2",
        "service": "Payments",
        "method": "charge",
        "status": "ONGOING",
        "attempt": 1,
        "last_failure": None,
    },
]
STATE: dict[str, object] = {
    "workflow_id": "o1",
    "status": "WAITING",
    "meta": {"key": b"\x00\xff"},
    "methods": [{"method_id": "o1", "stalled": None, "tasks": TASKS}],
}


class Engines:
    """Answers for the workflows that it knows.

    Attributes:
        statuses: By id.
        state: Of every one.
        result: Of every run.
        error: Of every run, instead of a result.
    """

    def __init__(self) -> None:
        self.statuses = {"o1": "WAITING", "o2": "RUNNING", "gone": "COMPLETED"}
        self.state = STATE
        self.result: object = {"outcome": "sent"}
        self.error: DeferredError | None = None

    def __call__(self, message: object) -> ClientMessage | None:
        match message:
            case QueryWorkflow():
                data = self._answer(message)
                return QueryAnswered("a", "client-1", message.request_id, data)
            case GetWorkflowIdsByTag():
                return WorkflowIdsByTag("a", "client-1", message.request_id, ("o2", "o1"))
            case StartByCustomId(request_id=str(request_id)):
                return CustomIdClaimed("a", "client-1", request_id, "winner")
            case WaitWorkflow():
                return self._outcome(message.workflow_id, message.method_id)
            case _:
                return None

    def _answer(self, message: QueryWorkflow) -> bytes | None:
        word = self.statuses.get(message.workflow_id)
        if word is None:
            return None
        return encode_untyped(self.state if message.query == "state" else word)

    def _outcome(self, workflow_id: str, method_id: str) -> ClientMessage:
        if self.error is not None:
            return MethodFailed("a", "client-1", workflow_id, method_id, self.error)
        value = encode_untyped(self.result)
        return MethodCompleted("a", "client-1", workflow_id, method_id, value)
