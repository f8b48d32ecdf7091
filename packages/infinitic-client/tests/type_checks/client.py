"""What type checkers see of the clients: run by lint, never executed.

``assert_type`` lines are the test; the ignored lines are errors that both checkers must find.
"""

# pyright: strict
# ruff: noqa: INP001 - a file for type checkers, in no package

from typing import Protocol, assert_type

from infinitic_client import AsyncDeferred, AsyncInfiniticClient, Deferred, InfiniticClient
from infinitic_common import Channel, channel
from infinitic_common.client import AsyncClient, Client


class OrderWorkflow(Protocol):
    """A contract with methods of both colours."""

    approvals: Channel[bool] = channel()

    def process(self, order_id: str) -> int:
        """Plain."""
        ...

    async def aprocess(self, order_id: str) -> str:
        """Awaited."""
        ...


def blocking(client: InfiniticClient) -> None:
    """Every call blocks."""
    order = client.new_workflow(OrderWorkflow, tags={"vip"})
    assert_type(order.process("a"), int)
    assert_type(client.call(order.aprocess, "a"), str)
    assert_type(client.dispatch(order.process, "a"), Deferred[int])
    assert_type(client.dispatch(order.aprocess, order_id="a").result(), str)
    running = client.get_workflow_by_id(OrderWorkflow, "id")
    running.approvals.send(True)  # noqa: FBT003 - a signal
    client.send(running.approvals, True)  # noqa: FBT003 - a signal
    running.approvals.send("no")  # type: ignore[arg-type] # pyright: ignore[reportArgumentType]  # what is refused


async def awaited(client: AsyncInfiniticClient) -> None:
    """Every call is awaited."""
    order = client.new_workflow(OrderWorkflow)
    assert_type(await order.aprocess("a"), str)
    assert_type(await client.call(order.process, "a"), int)
    deferred = await client.dispatch(order.process, "a")
    _ = assert_type(deferred, AsyncDeferred[int])
    assert_type(await deferred, int)
    running = client.get_workflow_by_id(OrderWorkflow, "id")
    await client.send(running.approvals, True)  # noqa: FBT003 - a signal
    await client.send(running.approvals, "no")  # type: ignore[misc] # pyright: ignore[reportArgumentType]  # what is refused


def ports(blocking: InfiniticClient, awaited: AsyncInfiniticClient) -> tuple[Client, AsyncClient]:
    """Both clients are what workers and tasks know of a client."""
    return blocking, awaited
