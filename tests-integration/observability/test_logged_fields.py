"""What user code logs names its workflow and its task, and is logged once."""

import io
import json
import logging
from collections.abc import Callable, Iterator

import pytest
from observability.programs import LOGGER, Orders
from observability.watched import watched

from infinitic_worker import ContextFilter, JsonFormatter

Said = Callable[[], list[dict[str, str]]]


@pytest.fixture
def said() -> Iterator[Said]:
    """What the code of orders and payments logs."""
    written = io.StringIO()
    handler = logging.StreamHandler(written)
    handler.setFormatter(JsonFormatter())
    handler.addFilter(ContextFilter())
    LOGGER.addHandler(handler)
    yield lambda: [json.loads(line) for line in written.getvalue().splitlines()]
    LOGGER.removeHandler(handler)


@pytest.mark.parametrize("always_replay", [False, True], ids=["live", "replay"])
async def test_user_code_logs_with_its_ids_and_a_replay_logs_nothing_again(
    said: Said, *, always_replay: bool
) -> None:
    async with watched(always_replay=always_replay) as client:
        deferred = await client.dispatch(client.new_workflow(Orders).process, "order-1")
        await deferred.result()
    assert [one["message"] for one in said()] == [
        "paying order-1",
        "charging order-1",
        "paid order-1",
        "paid order-1 later",
    ]
    assert {one["workflow_id"] for one in said()} == {deferred.id}
    assert {one["workflow_name"] for one in said()} == {"Orders"}
    of_workflow, of_task = said()[0], said()[1]
    assert (of_workflow["component"], of_task["component"]) == ("WorkflowExecutor", "TaskExecutor")
    assert of_workflow["method_name"] == "process"
    assert of_task["service_name"] == "Payments"
    assert of_task["task_id"]
