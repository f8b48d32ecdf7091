"""What the suites store, and the few steps they share."""

from collections.abc import Collection, Iterable

from infinitic_common.storage import KeyValueStorage, Write

ODD_TEXTS = (
    "",
    " ",
    "foo ",
    "Foo",
    "FOO",
    "fóo",
    "fo\u0301o",
    "日本語",
    "🚀\U0010ffff",
    "o'clock",
    '"quoted" `ticked`',
    "back\\slash \\x41 \\000",
    "100% %s %(name)s $1 :name {0} ?",
    "a|b,c;d:e/f",
    "{a,b}",
    "NULL",
    "line\nbreak\ttab\r",
    "; DROP TABLE key_value_storage; --",
    "_%*[a-z]?",
)
"""Texts that naive quoting, patterns, case folding or padding would confuse."""

LONGEST_KEYS = ("k" * 255, "é" * 255, "🚀" * 255)


async def seed(storage: KeyValueStorage, keys: Iterable[str] = ("foo",)) -> None:
    """Give each key the value ``b"bar"`` at version 1."""
    written = await storage.put({key: Write(b"bar", 0) for key in keys})
    assert all(written.values()), written  # noqa: S101 - the arrangement must hold


async def overwrite(storage: KeyValueStorage, values: dict[str, bytes | None]) -> dict[str, bool]:
    """Write whatever the versions are: read them, then put."""
    current = await storage.get(values)
    return await storage.put(
        {key: Write(value, current[key].version) for key, value in values.items()}
    )


async def versions(storage: KeyValueStorage, keys: Collection[str]) -> dict[str, int]:
    """The version of each key."""
    return {key: found.version for key, found in (await storage.get(keys)).items()}
