"""A log, and a channel: METHOD, CHILD and CANCEL."""

from typing import Protocol

from harness.services import UtilService
from infinitic_common import Channel, Workflow, channel, new_service


class Echo(Protocol):
    A: Channel[str] = channel()
    log: str

    def concat(self, text: str) -> str: ...
    def add(self, text: str) -> str: ...
    def receive(self, text: str) -> str: ...
    async def receive_awaited(self, text: str) -> str: ...
    def fail(self) -> str: ...


class EchoImpl(Workflow, Echo):
    util = new_service(UtilService)

    def __init__(self) -> None:
        self.log = ""

    def concat(self, text: str) -> str:
        self.log = self.util.concat(self.log, text)
        return self.log

    def add(self, text: str) -> str:
        self.log += text
        return self.log

    def receive(self, text: str) -> str:
        self.log += text
        signal = self.A.receive().result()
        self.log += signal
        return self.log

    async def receive_awaited(self, text: str) -> str:
        self.log += text
        signal = await self.A.receive()
        self.log += signal
        return self.log

    def fail(self) -> str:
        return self.util.fail()
