import pytest

from infinitic_common.testing.transport import TransportContract, TransportHarness


class TestPulsarTransport(TransportContract):
    @pytest.fixture
    def harness(self, pulsar_harness: TransportHarness) -> TransportHarness:
        return pulsar_harness
