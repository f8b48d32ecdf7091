"""Compression of stored values, which can be switched on, off and over at any time.

A compressed value starts with a header of four bytes: a marker, and the letter of its codec. The
headers of the codecs themselves would not do: a value that is stored raw may start with any of
them, for it may be a compressed file, or a text in CBOR (a zlib header is also the head of one).
The marker's first byte is "break" in CBOR, with which no encoded item starts.
"""

import asyncio
import bz2
import zlib
from collections.abc import Callable, Collection, Mapping
from enum import StrEnum
from importlib import import_module
from typing import Protocol, cast

import attrs

from infinitic_common.exceptions import StorageError
from infinitic_common.storage import KeyValueStorage, VersionedValue, Write

_MARKER = b"\xffIZ"
_HEADER = len(_MARKER) + 1
_RAW = b"r"
# More than this, in bytes, would hold up the event loop for milliseconds.
_MUCH = 65_536
_GZIP = 16 + zlib.MAX_WBITS


class Compressor(StrEnum):
    """How values are compressed; ``lz4`` needs ``pip install "infinitic-storage[lz4]"``."""

    GZIP = "gzip"
    BZIP2 = "bzip2"
    DEFLATE = "deflate"
    LZ4 = "lz4"

    def compress(self, value: bytes) -> bytes:
        """The value with its header; unchanged where compressing gains nothing.

        Raises:
            StorageError: The library of the codec is not installed.
        """
        codec = _CODECS[self]
        compressed = codec.compress(value)
        if _HEADER + len(compressed) >= len(value):
            return store_raw(value)
        return _MARKER + codec.letter + compressed


def store_raw(value: bytes) -> bytes:
    """The value as it is stored uncompressed: as it is, save one that starts like a header."""
    return _MARKER + _RAW + value if value.startswith(_MARKER) else value


def decompress(stored: bytes) -> bytes:
    """The value, whatever it was stored with; without a header, or damaged, as it is.

    A damaged value is left to its reader, who can say whose it is: refusing it here would refuse
    all the values that are read with it.

    Raises:
        StorageError: The library of its codec is not installed.
    """
    if not stored.startswith(_MARKER):
        return stored
    letter, content = stored[_HEADER - 1 : _HEADER], stored[_HEADER:]
    if letter == _RAW:
        return content
    codec = _CODEC_BY_LETTER.get(letter)
    if codec is None:
        return stored
    try:
        return codec.decompress(content)
    except (zlib.error, OSError, ValueError, EOFError, RuntimeError):
        return stored


@attrs.frozen
class _Codec:
    letter: bytes
    compress: Callable[[bytes], bytes]
    decompress: Callable[[bytes], bytes]


class _Lz4Frame(Protocol):
    def compress(self, data: bytes) -> bytes: ...

    def decompress(self, data: bytes) -> bytes: ...


def _lz4() -> _Lz4Frame:
    try:
        return cast("_Lz4Frame", import_module("lz4.frame"))
    except ImportError as error:
        message = (
            'values compressed with lz4 need its library: pip install "infinitic-storage[lz4]"'
        )
        raise StorageError(message) from error


def _compress_gzip(value: bytes) -> bytes:
    compressor = zlib.compressobj(wbits=_GZIP)
    return compressor.compress(value) + compressor.flush()


_CODECS: Mapping[Compressor, _Codec] = {
    Compressor.GZIP: _Codec(b"g", _compress_gzip, lambda c: zlib.decompress(c, wbits=_GZIP)),
    Compressor.BZIP2: _Codec(b"b", bz2.compress, bz2.decompress),
    Compressor.DEFLATE: _Codec(b"d", zlib.compress, zlib.decompress),
    Compressor.LZ4: _Codec(
        b"l", lambda value: _lz4().compress(value), lambda c: _lz4().decompress(c)
    ),
}
_CODEC_BY_LETTER = {codec.letter: codec for codec in _CODECS.values()}


class CompressedKeyValueStorage:
    """A ``KeyValueStorage`` around another, which compresses what is written.

    Values written with any compressor, or none, are read.

    Args:
        inner: Where the values are kept.
        compressor: What new values are compressed with; None stores them raw.

    Raises:
        StorageError: The library of the compressor is not installed.
    """

    def __init__(self, inner: KeyValueStorage, compressor: Compressor | None) -> None:
        if compressor is Compressor.LZ4:
            _lz4()
        self._inner = inner
        self._store = store_raw if compressor is None else compressor.compress
        self._is_costly = compressor is not None

    async def get(self, keys: Collection[str]) -> dict[str, VersionedValue]:
        """See ``KeyValueStorage``."""
        found = await self._inner.get(keys)
        packed = {
            key: one.value
            for key, one in found.items()
            if one.value is not None and one.value.startswith(_MARKER)
        }
        if packed:
            values = await _for_each(decompress, packed)
            found |= {key: attrs.evolve(found[key], value=v) for key, v in values.items()}
        return found

    async def put(self, writes: Mapping[str, Write]) -> dict[str, bool]:
        """See ``KeyValueStorage``."""
        values = {key: write.value for key, write in writes.items() if write.value is not None}
        if self._is_costly:
            stored = await _for_each(self._store, values)
        else:
            stored = {key: self._store(value) for key, value in values.items()}
        return await self._inner.put(
            {
                key: attrs.evolve(write, value=stored[key]) if key in stored else write
                for key, write in writes.items()
            }
        )

    async def delete(self, keys: Collection[str]) -> None:
        """See ``KeyValueStorage``."""
        await self._inner.delete(keys)

    async def close(self) -> None:
        """See ``KeyValueStorage``."""
        await self._inner.close()


async def _for_each(
    work: Callable[[bytes], bytes], values: Mapping[str, bytes]
) -> dict[str, bytes]:
    def all_at_once() -> dict[str, bytes]:
        return {key: work(value) for key, value in values.items()}

    if sum(map(len, values.values())) > _MUCH:
        return await asyncio.to_thread(all_at_once)
    return all_at_once()
