"""What every store accepts as a key, so that a key good in one is good in all."""

from collections.abc import Iterable

from infinitic_common.exceptions import StorageError

LONGEST_KEY = 255


def check_keys(keys: Iterable[str]) -> None:
    """Refuse keys that some store could not keep.

    Raises:
        StorageError: A key has more than 255 characters, or the character NUL.
    """
    for key in keys:
        if len(key) > LONGEST_KEY or "\0" in key:
            raise StorageError(_refusal(key))


def _refusal(key: str) -> str:
    if len(key) > LONGEST_KEY:
        return (
            f"the key {key[:60]!r}… has {len(key)} characters, and a store keeps at most "
            f"{LONGEST_KEY}: shorten the name, id or tag it is made of"
        )
    return f"the key {key!r} holds the character NUL, which SQL databases do not store: remove it"
