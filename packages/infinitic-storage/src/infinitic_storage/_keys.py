"""What every store accepts as a key or in a set, so that what is good in one is good in all."""

from collections.abc import Iterable, Mapping

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


def check_sets(changes: Mapping[str, Iterable[str]]) -> None:
    """Refuse keys and values of sets that some store could not keep.

    Raises:
        StorageError: A key has more than 255 characters, or something has the character NUL.
    """
    check_keys(changes)
    for key, values in changes.items():
        for value in values:
            if "\0" in value:
                raise StorageError(_with_nul(f"the value {value!r} of the set {key!r}"))


def _refusal(key: str) -> str:
    if len(key) > LONGEST_KEY:
        return (
            f"the key {key[:60]!r}… has {len(key)} characters, and a store keeps at most "
            f"{LONGEST_KEY}: shorten the name, id or tag it is made of"
        )
    return _with_nul(f"the key {key!r}")


def _with_nul(what: str) -> str:
    return f"{what} holds the character NUL, which SQL databases do not store: remove it"
