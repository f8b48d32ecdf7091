"""What is said when the driver of a store is missing; each is an extra of this wheel."""

from infinitic_common.exceptions import StorageError


def missing_driver(error: ImportError, store: str, extra: str) -> StorageError:
    """The error of who opens a storage without its driver.

    Args:
        error: Why it cannot be imported.
        store: What the storage is in.
        extra: The extra of this wheel that brings the driver.
    """
    return StorageError(
        f"storage in {store} needs its driver, which cannot be imported ({error}): "
        f'pip install "infinitic-storage[{extra}]"'
    )
