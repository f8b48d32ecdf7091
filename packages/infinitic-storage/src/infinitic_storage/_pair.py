"""A storage of two stores that share their connections."""

from typing import Generic, TypeVar

from infinitic_common.storage import KeySetStorage, KeyValueStorage

Values = TypeVar("Values", bound=KeyValueStorage)
Sets = TypeVar("Sets", bound=KeySetStorage)


class StoragePair(Generic[Values, Sets]):
    """A ``Storage`` of two stores.

    Args:
        key_values: Versioned records.
        key_sets: Sets of texts.
    """

    def __init__(self, key_values: Values, key_sets: Sets) -> None:
        self._key_values = key_values
        self._key_sets = key_sets

    @property
    def key_values(self) -> Values:
        """Versioned records."""
        return self._key_values

    @property
    def key_sets(self) -> Sets:
        """Sets of texts."""
        return self._key_sets

    async def close(self) -> None:
        """Close both."""
        await self._key_values.close()
        await self._key_sets.close()
