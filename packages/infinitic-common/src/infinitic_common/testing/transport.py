"""The contract of the transport port, as a suite that every implementation runs.

An implementation subclasses ``TransportContract`` and defines the fixture ``harness``:

    class TestMyTransport(TransportContract):
        @pytest.fixture
        async def harness(self) -> AsyncIterator[TransportHarness]:
            async with MyHarness() as harness:
                yield harness
"""

from infinitic_common.testing._transport.batches import BatchesSuite
from infinitic_common.testing._transport.failures import FailuresSuite
from infinitic_common.testing._transport.harness import Scene, TransportHarness, numbered
from infinitic_common.testing._transport.order import OrderSuite
from infinitic_common.testing._transport.recorder import Recorder
from infinitic_common.testing._transport.sharing import SharingSuite
from infinitic_common.testing._transport.stopping import StoppingSuite
from infinitic_common.testing._transport.topics import TopicsSuite

__all__ = ["Recorder", "Scene", "TransportContract", "TransportHarness", "numbered"]


class TransportContract(
    TopicsSuite, OrderSuite, BatchesSuite, FailuresSuite, SharingSuite, StoppingSuite
):
    """Everything a transport promises; see ``infinitic_common.transport``."""
