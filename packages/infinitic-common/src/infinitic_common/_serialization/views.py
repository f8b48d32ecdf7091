"""Views: fields of objects that travel only where they are meant to."""

from collections.abc import Iterable, Iterator
from typing import Annotated, Final, cast, get_args, get_origin

from infinitic_common._serialization.hints import class_label
from infinitic_common._serialization.node import BadHint

_QUALIFIERS: Final = ("Required", "NotRequired", "Final", "ClassVar", "ReadOnly")


class View:
    """Base of the views of an application: ``class Public(View)``, ``class Private(Public)``.

    ``Annotated[T, Public]`` at a parameter, a result or a channel sends and reads values of ``T``
    in that view, whatever they hold inside. At a field it says that the field belongs to that view
    and to those derived from it: a field of ``Private`` is not sent in ``Public``, and takes its
    default there. Without a view at the parameter all fields travel, and so do unmarked ones always.
    """


def views_of(hint: object) -> Iterator[type[View]]:
    """The views that a hint is annotated with, qualifiers around it or not."""
    while str(get_origin(hint)).rpartition(".")[2] in _QUALIFIERS:
        hint = cast("tuple[object, ...]", get_args(hint))[0]
    if get_origin(hint) is Annotated:
        inner, *marks = cast("tuple[object, ...]", get_args(hint))
        yield from (mark for mark in marks if isinstance(mark, type) and issubclass(mark, View))
        yield from views_of(inner)


def view_of(hint: object) -> type[View] | None:
    """The view of a parameter, a result or a channel.

    Raises:
        BadHint: There are several.
    """
    views = tuple(views_of(hint))
    if len(views) > 1:
        names = " and ".join(class_label(view) for view in views)
        msg = f"it is in several views ({names}): keep one"
        raise BadHint(msg)
    return views[0] if views else None


def is_hidden(hint: object, view: type[View] | None) -> bool:
    """Whether a field with that hint does not travel in a view."""
    marks = tuple(views_of(hint)) if view is not None else ()
    return bool(marks) and not issubclass(cast("type[View]", view), marks)


def hidden_names(hints: Iterable[tuple[str, object]], view: type[View] | None) -> frozenset[str]:
    """Names of the fields, each with its hint, that do not travel in a view."""
    return frozenset(name for name, hint in hints if is_hidden(hint, view))
