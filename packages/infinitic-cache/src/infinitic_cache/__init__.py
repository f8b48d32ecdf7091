"""Cache of Infinitic for Python, in front of its storage."""

from infinitic_cache._key_values import CachedKeyValueStorage

__all__ = ["CachedKeyValueStorage"]
