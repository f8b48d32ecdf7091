"""What commands print: a table for people, JSON for scripts."""

import json
from collections.abc import Mapping, Sequence

import click
from rich.console import Console
from rich.table import Table
from rich.text import Text

Row = Mapping[str, object]

_WIDTH = 160
"""Columns of a table that no terminal shows."""


def show(value: Row, line: str, *, as_json: bool) -> None:
    """Print facts as JSON, or as a line."""
    click.echo(as_text(value) if as_json else line)


def show_rows(
    columns: Sequence[str], rows: Sequence[Row], *, as_json: bool, title: str | None = None
) -> None:
    """Print rows as a JSON list, or as a table."""
    if as_json:
        click.echo(as_text(list(rows)))
        return
    table = Table(title=title, title_justify="left")
    for column in columns:
        # An id is there to be copied: the other columns give way.
        table.add_column(column, no_wrap=is_id(column), overflow="fold")
    for row in rows:
        # As Text, in which brackets are no markup.
        table.add_row(*[Text(_cell(row.get(column))) for column in columns])
    console = Console()
    if not console.is_terminal:
        console.width = _WIDTH
    console.print(table)


def is_id(column: str) -> bool:
    """Whether a column has ids."""
    return column == "id" or column.endswith("_id")


def as_text(value: object) -> str:
    """A value as JSON."""
    return json.dumps(value, indent=2, ensure_ascii=False)


def _cell(value: object) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
