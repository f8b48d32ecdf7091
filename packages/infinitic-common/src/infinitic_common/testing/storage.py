"""The contracts of the storage ports, as suites that every implementation runs.

An implementation subclasses them and defines the fixture ``storage``, a store without data:

    class TestMyKeyValueStorage(KeyValueStorageContract):
        @pytest.fixture
        async def storage(self) -> AsyncIterator[KeyValueStorage]:
            storage = MyKeyValueStorage()
            yield storage
            await storage.close()

One that has a server also subclasses ``UnreachableStorageContract`` and defines the fixture
``unreachable``: a ``Storage`` whose server is gone.
"""

from infinitic_common.testing._storage.conditions import ConditionsSuite
from infinitic_common.testing._storage.expiry import ExpirySuite
from infinitic_common.testing._storage.pages import PagesSuite
from infinitic_common.testing._storage.races import RacesSuite
from infinitic_common.testing._storage.records import RecordsSuite
from infinitic_common.testing._storage.sets import SetsSuite
from infinitic_common.testing._storage.unreachable import UnreachableStorageContract

__all__ = ["KeySetStorageContract", "KeyValueStorageContract", "UnreachableStorageContract"]


class KeyValueStorageContract(RecordsSuite, ConditionsSuite, ExpirySuite, RacesSuite):
    """Everything a ``KeyValueStorage`` promises; see ``infinitic_common.storage``."""


class KeySetStorageContract(SetsSuite, PagesSuite):
    """Everything a ``KeySetStorage`` promises; see ``infinitic_common.storage``."""
