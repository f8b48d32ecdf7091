"""What commands print: a table for people, JSON for scripts."""

import json
from collections.abc import Mapping, Sequence

import click
from rich.console import Console
from rich.table import Table

Row = Mapping[str, object]


def show(value: Row, line: str, *, as_json: bool) -> None:
    """Print facts as JSON, or as a line."""
    click.echo(as_text(value) if as_json else line)


def show_rows(columns: Sequence[str], rows: Sequence[Row], *, as_json: bool) -> None:
    """Print rows as a JSON list, or as a table."""
    if as_json:
        click.echo(as_text(list(rows)))
        return
    table = Table(*columns)
    for row in rows:
        table.add_row(*[_cell(row.get(column)) for column in columns])
    # A terminal's width is no reason to cut an id that will be copied.
    console = Console(soft_wrap=True)
    console.print(table, width=None if console.is_terminal else 200)


def as_text(value: object) -> str:
    """A value as JSON."""
    return json.dumps(value, indent=2, ensure_ascii=False)


def _cell(value: object) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
