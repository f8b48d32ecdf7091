"""What every transport does between its broker and a handler; pure asyncio, no I/O of its own."""

from infinitic_common._consumption.back_off import BackOff
from infinitic_common._consumption.delivery import Delivery
from infinitic_common._consumption.loop import ConsumptionLoop

__all__ = ["BackOff", "ConsumptionLoop", "Delivery"]
