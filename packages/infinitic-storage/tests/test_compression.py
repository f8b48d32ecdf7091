import bz2
import gzip
import random
import string
import sys
import zlib
from collections.abc import Sequence

import pytest

from infinitic_common.exceptions import StorageError
from infinitic_common.storage import ABSENT, KeyValueStorage, VersionedValue, Write
from infinitic_common.testing.storage import KeyValueStorageContract
from infinitic_storage import CompressedKeyValueStorage, Compressor, MemoryKeyValueStorage
from infinitic_storage._compression import decompress

COMPRESSORS = tuple(Compressor)
CHOICES = (None, *COMPRESSORS)
RANDOM = random.Random(27)  # noqa: S311 - the same each time
TEXT = bytes(RANDOM.choices(b"abc", k=1000))
HARD_TO_TELL = (
    b"",
    b"\xff",
    b"\xffIZ",
    b"\xffIZg",
    b"\xffIZr\xffIZr",
    b"\xffIZgnot gzip",
    b"\x78\x9c" + bytes(156),
    gzip.compress(TEXT),
    bz2.compress(TEXT),
    zlib.compress(TEXT),
    Compressor.LZ4.compress(TEXT),
)


@pytest.fixture
def inner() -> MemoryKeyValueStorage:
    return MemoryKeyValueStorage()


@pytest.mark.parametrize("compressor", CHOICES)
class TestCompressedKeyValueStorage(KeyValueStorageContract):
    @pytest.fixture
    def storage(
        self, inner: MemoryKeyValueStorage, compressor: Compressor | None
    ) -> KeyValueStorage:
        return CompressedKeyValueStorage(inner, compressor)


@pytest.mark.parametrize("compressor", COMPRESSORS)
def test_storage_27_a_compressed_value_comes_back_and_is_smaller(compressor: Compressor) -> None:
    stored = compressor.compress(TEXT)
    assert decompress(stored) == TEXT
    assert len(stored) < len(TEXT)


@pytest.mark.parametrize("compressor", [one for one in COMPRESSORS if one is not Compressor.LZ4])
def test_storage_27_a_thousand_random_characters_are_smaller_once_compressed(
    compressor: Compressor,
) -> None:
    text = "".join(RANDOM.choices(string.printable, k=1000)).encode()
    assert len(compressor.compress(text)) < len(text)
    assert decompress(compressor.compress(text)) == text


def test_storage_27_an_uncompressed_value_is_given_as_it_is() -> None:
    assert decompress(TEXT) == TEXT


@pytest.mark.parametrize("writer", CHOICES)
@pytest.mark.parametrize("reader", CHOICES)
async def test_storage_29_a_value_is_read_whatever_wrote_it(
    inner: MemoryKeyValueStorage, writer: Compressor | None, reader: Compressor | None
) -> None:
    await CompressedKeyValueStorage(inner, writer).put({"foo": Write(TEXT, 0)})
    storage = CompressedKeyValueStorage(inner, reader)
    assert await storage.get(["foo", "unknown"]) == {
        "foo": VersionedValue(TEXT, 1),
        "unknown": ABSENT,
    }


@pytest.mark.parametrize("compressor", COMPRESSORS)
async def test_storage_29_new_values_are_written_with_the_configured_compressor(
    inner: MemoryKeyValueStorage, compressor: Compressor
) -> None:
    await CompressedKeyValueStorage(inner, compressor).put({"foo": Write(TEXT, 0)})
    assert await inner.get(["foo"]) == {"foo": VersionedValue(compressor.compress(TEXT), 1)}


async def test_storage_29_without_compressor_new_values_are_written_raw(
    inner: MemoryKeyValueStorage,
) -> None:
    await CompressedKeyValueStorage(inner, None).put({"foo": Write(TEXT, 0)})
    assert await inner.get(["foo"]) == {"foo": VersionedValue(TEXT, 1)}


@pytest.mark.parametrize("compressor", CHOICES)
async def test_storage_29_values_written_before_compression_are_read(
    inner: MemoryKeyValueStorage, compressor: Compressor | None
) -> None:
    await inner.put({"foo": Write(TEXT, 0)})
    storage = CompressedKeyValueStorage(inner, compressor)
    assert await storage.get(["foo"]) == {"foo": VersionedValue(TEXT, 1)}


@pytest.mark.parametrize("compressor", CHOICES)
@pytest.mark.parametrize("values", [HARD_TO_TELL, [2 * value for value in HARD_TO_TELL]])
async def test_values_that_look_compressed_come_back_as_they_are(
    inner: MemoryKeyValueStorage, compressor: Compressor | None, values: Sequence[bytes]
) -> None:
    storage = CompressedKeyValueStorage(inner, compressor)
    written = {f"{i}": value for i, value in enumerate(values)}
    await storage.put({key: Write(value, 0) for key, value in written.items()})
    found = await storage.get(written)
    assert {key: one.value for key, one in found.items()} == written


@pytest.mark.parametrize("stored", [b"\xffIZgdamaged", b"\xffIZldamaged", b"\xffIZ?", b"\xffIZ"])
def test_a_damaged_value_is_given_as_it_is(stored: bytes) -> None:
    assert decompress(stored) == stored


@pytest.mark.parametrize("compressor", COMPRESSORS)
def test_a_value_that_does_not_shrink_is_stored_raw(compressor: Compressor) -> None:
    assert compressor.compress(b"short") == b"short"


def test_a_missing_lz4_is_an_error_that_says_what_to_install(
    inner: MemoryKeyValueStorage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "lz4.frame", None)
    with pytest.raises(StorageError, match=r'pip install "infinitic-storage\[lz4\]"'):
        CompressedKeyValueStorage(inner, Compressor.LZ4)
