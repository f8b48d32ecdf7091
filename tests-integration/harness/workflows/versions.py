"""Several versions of a workflow, and code that was changed: VERSIONING."""

from typing import Protocol

from harness.services import UtilService
from infinitic_common import Channel, Workflow, channel, new_service


class Versioned(Protocol):
    def own_class(self) -> str: ...
    async def own_class_after_a_task(self) -> str: ...


class VersionedImpl(Workflow, Versioned):
    util = new_service(UtilService)

    def own_class(self) -> str:
        return type(self).__name__

    async def own_class_after_a_task(self) -> str:
        await self.util.reverse_later("ab")
        return type(self).__name__


class VersionedImpl_1(VersionedImpl):  # noqa: N801 - the number is its version
    pass


class Changing(Protocol):
    A: Channel[str] = channel()

    def run(self) -> str: ...


class Extending(Changing, Protocol):
    pass


class _Original(Workflow):
    util = new_service(UtilService)
    A: Channel[str]

    def run(self) -> str:
        text = self.util.reverse("ab")
        return text + self.A.receive().result()


class ChangingImpl(_Original, Changing):
    """As it was when the workflow started."""


class ChangedImpl(Workflow, Changing):
    """Another task at the first position."""

    util = new_service(UtilService)

    def run(self) -> str:
        text = self.util.concat("a", "b")
        return text + self.A.receive().result()


class ExtendingImpl(_Original, Extending):
    """As it was when the workflow started."""


class ExtendedImpl(Workflow, Extending):
    """The same until where it waited, then more."""

    util = new_service(UtilService)

    def run(self) -> str:
        text = self.util.reverse("ab")
        text += self.A.receive().result()
        return self.util.concat(text, "!")
