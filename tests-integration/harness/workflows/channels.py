"""Signals that a workflow receives: CHANNELS."""

from datetime import timedelta
from typing import Protocol

import attrs

from harness.services import UtilService
from infinitic_common import (
    Channel,
    Workflow,
    all_of,
    channel,
    get_workflow_by_id,
    get_workflow_by_tag,
    new_service,
)


@attrs.frozen
class Obj1:
    foo: str
    bar: int


@attrs.frozen
class Obj2:
    foo: str
    bar: int


Obj = Obj1 | Obj2


class Channels(Protocol):
    A: Channel[str] = channel()
    B: Channel[str] = channel()
    objects: Channel[Obj] = channel()
    numbers: Channel[int] = channel()
    fleeting: Channel[str] = channel(discard_unexpected=True)

    def receive(self) -> str: ...
    async def receive_awaited(self) -> str: ...
    def receive_or_timer(self) -> str: ...
    async def receive_or_timer_awaited(self) -> str: ...
    def receive_object(self) -> Obj: ...
    def receive_by_path(self, json_path: str) -> Obj: ...
    def receive_by_criterion(self) -> Obj: ...
    def receive_by_two_criteria(self) -> Obj: ...
    def receive_by_type(self) -> Obj1: ...
    def receive_by_type_and_path(self) -> Obj1: ...
    def receive_two_types(self) -> str: ...
    def receive_three(self, limit: int | None) -> str: ...
    async def receive_three_awaited(self, limit: int | None) -> str: ...
    def receive_thrice(self, limit: int | None) -> str: ...
    def receive_beside(self) -> list[str]: ...
    def receive_both(self) -> tuple[str, int]: ...
    def receive_any(self) -> str: ...
    def receive_late(self) -> str: ...
    def receive_fleeting_late(self) -> str: ...
    def receive_limited(self) -> str: ...
    def send_to_itself(self) -> str: ...
    def send_by_id(self, workflow_id: str, text: str) -> str: ...
    def send_by_tag(self, tag: str, text: str) -> str: ...
    def sum_until_zero(self) -> int: ...
    def receive_once(self) -> str: ...
    def receive_in_turns(self) -> list[str]: ...
    def receive_after_a_while(self, seconds: int) -> str: ...


class ChannelsImpl(Workflow, Channels):
    util = new_service(UtilService)

    def receive(self) -> str:
        return self.A.receive().result()

    async def receive_awaited(self) -> str:
        return await self.A.receive()

    def receive_or_timer(self) -> str:
        won = (self.A.receive() | self.timer(timedelta(seconds=1))).result()
        return won if isinstance(won, str) else "Instant"

    async def receive_or_timer_awaited(self) -> str:
        won = await (self.A.receive() | self.timer(timedelta(seconds=1)))
        return won if isinstance(won, str) else "Instant"

    def receive_object(self) -> Obj:
        return self.objects.receive().result()

    def receive_by_path(self, json_path: str) -> Obj:
        return self.objects.receive(json_path=json_path).result()

    def receive_by_criterion(self) -> Obj:
        return self.objects.receive(json_path="$", where={"foo": "foo"}).result()

    def receive_by_two_criteria(self) -> Obj:
        return self.objects.receive(where={"foo": "foo", "bar": 2}).result()

    def receive_by_type(self) -> Obj1:
        return self.objects.receive(Obj1).result()

    def receive_by_type_and_path(self) -> Obj1:
        return self.objects.receive(Obj1, json_path='$[?(@.foo == "foo")]').result()

    def receive_two_types(self) -> str:
        first, second = self.objects.receive(Obj1), self.objects.receive(Obj2)
        one, two = first.result(), second.result()
        return f"{one.foo}{two.foo}{one.bar * two.bar}"

    def receive_three(self, limit: int | None) -> str:
        received = self.A.receive(limit=limit)
        text = ""
        for _ in range(3):
            text += received.result()
            self.util.sleep(50)
        return text

    async def receive_three_awaited(self, limit: int | None) -> str:
        received = self.A.receive(limit=limit)
        text = ""
        for _ in range(3):
            text += await received
            await self.dispatch(self.util.sleep, 50)
        return text

    def receive_thrice(self, limit: int | None) -> str:
        received = self.A.receive(limit=limit)
        return "".join(received.result() for _ in range(3))

    def receive_beside(self) -> list[str]:
        receives = [self.A.receive(limit=1) for _ in range(3)]
        return all_of(receives).result()

    def receive_both(self) -> tuple[str, int]:
        return all_of(self.A.receive(), self.numbers.receive()).result()

    def receive_any(self) -> str:
        return str((self.A.receive() | self.numbers.receive()).result())

    def receive_late(self) -> str:
        self.timer(timedelta(seconds=2)).result()
        return self.A.receive().result()

    def receive_fleeting_late(self) -> str:
        self.timer(timedelta(seconds=2)).result()
        won = (self.fleeting.receive() | self.timer(timedelta(seconds=1))).result()
        return won if isinstance(won, str) else "Instant"

    def receive_limited(self) -> str:
        _ = self.A.receive(limit=0)
        return "unreachable"

    def send_to_itself(self) -> str:
        self.A.send("own")
        get_workflow_by_id(Channels, self.workflow_id).numbers.send(7)
        return self.A.receive().result() + str(self.numbers.receive().result())

    def send_by_id(self, workflow_id: str, text: str) -> str:
        get_workflow_by_id(Channels, workflow_id).A.send(text)
        return self.util.reverse(text)

    def send_by_tag(self, tag: str, text: str) -> str:
        get_workflow_by_tag(Channels, tag).A.send(text)
        return self.util.reverse(text)

    def sum_until_zero(self) -> int:
        received, total = self.numbers.receive(), 0
        while number := received.result():
            total += number
        return total

    def receive_once(self) -> str:
        return self.A.receive().result()

    def receive_in_turns(self) -> list[str]:
        me = get_workflow_by_id(Channels, self.workflow_id)
        return [me.receive_once() for _ in range(4)]

    def receive_after_a_while(self, seconds: int) -> str:
        received = self.A.receive()
        self.timer(timedelta(seconds=seconds)).result()
        return received.result() + received.result()
