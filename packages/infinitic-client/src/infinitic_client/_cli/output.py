"""What commands print: a table for people, JSON for scripts."""

import json
from collections.abc import Mapping, Sequence

import click
from rich.console import Console
from rich.table import Table

Row = Mapping[str, object]

_WIDTH = 160
"""Columns of a table that no terminal shows."""


def show(value: Row, line: str, *, as_json: bool) -> None:
    """Print facts as JSON, or as a line."""
    click.echo(as_text(value) if as_json else line)


def show_rows(columns: Sequence[str], rows: Sequence[Row], *, as_json: bool) -> None:
    """Print rows as a JSON list, or as a table."""
    if as_json:
        click.echo(as_text(list(rows)))
        return
    table = Table()
    for column in columns:
        # An id is there to be copied: the other columns give way.
        table.add_column(column, no_wrap=column == "id", overflow="fold")
    for row in rows:
        table.add_row(*[_cell(row.get(column)) for column in columns])
    console = Console()
    console.print(table, width=None if console.is_terminal else _WIDTH)


def as_text(value: object) -> str:
    """A value as JSON."""
    return json.dumps(value, indent=2, ensure_ascii=False)


def _cell(value: object) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
