"""Cache of Infinitic for Python, in front of its storage."""

from infinitic_cache._key_values import CachedKeyValueStorage
from infinitic_cache._opening import open_memory_cache

__all__ = ["CachedKeyValueStorage", "open_memory_cache"]
