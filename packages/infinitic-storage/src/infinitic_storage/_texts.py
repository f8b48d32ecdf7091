"""Texts as the bytes that a server stores."""

from infinitic_common.exceptions import StorageError


def utf8(value: str) -> bytes:
    """A text in UTF-8.

    Raises:
        StorageError: It holds half of a surrogate pair, which UTF-8 cannot encode.
    """
    try:
        return value.encode()
    except UnicodeEncodeError as error:
        message = f"the text {value!r} cannot be stored, it is not valid Unicode: {error.reason}"
        raise StorageError(message) from error
