from collections.abc import Iterator

import pytest

from infinitic_common.testing.workflow_run import FakeWorkflowRun


@pytest.fixture
def run() -> Iterator[FakeWorkflowRun]:
    """The run whose code the test is."""
    fake = FakeWorkflowRun(workflow_name="Order", workflow_id="order-1", tags=frozenset({"vip"}))
    with fake.active():
        yield fake
