"""The state of a workflow as tables: what is known of it, then its method runs, and their parts."""

from collections.abc import Mapping, Sequence
from typing import cast

from infinitic_client._cli.output import Row, is_id, show_rows

_RUNS = ("methods", "ended_methods")
_PARTS = ("tasks", "children", "calls", "timers", "receives")


def tasks_of(state: Mapping[str, object]) -> list[Row]:
    """The tasks of all method runs."""
    return [one for run in rows_of(state, "methods") for one in rows_of(run, "tasks")]


def rows_of(about: Mapping[str, object], key: str) -> Sequence[Row]:
    """The rows that stand under a key, if any."""
    return cast("Sequence[Row]", about.get(key, ()))


def show_state(state: Mapping[str, object]) -> None:
    """Print tables of a state, but none that are empty."""
    facts = [{"": key, "value": value} for key, value in state.items() if key not in _RUNS]
    show_rows(("", "value"), facts, as_json=False)
    for key in _RUNS:
        _show_filled(key, rows_of(state, key))
    runs = rows_of(state, "methods")
    for part in _PARTS:
        # Which run it is of goes without saying when there is only one.
        whose = [{} if len(runs) == 1 else {"method_id": run.get("method_id")} for run in runs]
        pairs = zip(whose, runs, strict=True)
        _show_filled(part, [{**of, **one} for of, run in pairs for one in rows_of(run, part)])


def _show_filled(title: str, rows: Sequence[Row]) -> None:
    """Print rows, ids first, without the columns that are empty in all of them."""
    columns = dict.fromkeys(key for row in rows for key, value in row.items() if _says(value))
    shown = [column for column in columns if column not in _PARTS]
    if shown:
        shown.sort(key=is_id, reverse=True)
        show_rows(shown, rows, as_json=False, title=title)


def _says(value: object) -> bool:
    return value is not None and value != []
