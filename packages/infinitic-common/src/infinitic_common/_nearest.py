"""Which known name was probably meant."""

from collections.abc import Iterable
from difflib import get_close_matches


def normalise(key: str) -> str:
    """Return what two spellings of a key have in common: no case, dash or underscore.

    Args:
        key: A key as written.
    """
    return key.replace("-", "").replace("_", "").lower()


def nearest(name: str, known: Iterable[str]) -> str | None:
    """Return the known name most like the given one, or None if none is like it.

    Args:
        name: What was written.
        known: What can be written.
    """
    by_form = {normalise(candidate): candidate for candidate in known}
    return next((by_form[form] for form in get_close_matches(normalise(name), by_form, n=1)), None)


def suggestion(name: str, known: Iterable[str]) -> str:
    """Return a remedy that tells the nearest known name, else all of them.

    Args:
        name: What was written.
        known: What can be written.
    """
    names = sorted(known)
    found = nearest(name, names)
    return f"did you mean '{found}'?" if found else f"known are {', '.join(names) or 'none'}"
