"""Query results on stdout, as tables."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import psycopg
from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from pgaudience.terminal import escaped_lines

Cursor = psycopg.Cursor[tuple[Any, ...]]

WIDTH_IN_A_PIPE = 120


def print_table(cursor: Cursor) -> None:
    """Print the rows of a query, a line each."""
    names, rows = _names(cursor), cursor.fetchall()
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for name, *values in zip(names, *rows, strict=True) if rows else ((name,) for name in names):
        table.add_column(name, justify="right" if _are_numbers(values) else "left", overflow="fold")
    for row in rows:
        table.add_row(*(Text(_text(value)) for value in row))
    output = console()
    with output.capture() as captured:
        output.print(table)
    for line in captured.get().splitlines():
        print(line.rstrip())  # noqa: T201


def print_record(cursor: Cursor) -> None:
    """Print the one row of a query, a line for each column."""
    names, row = _names(cursor), cursor.fetchone() or ()
    width = max(map(len, names))
    for name, value in zip(names, row, strict=True):
        console().print(Text(f"{name:<{width}}  {_text(value)}"))


def console() -> Console:
    """Return the console of stdout; a pipe has no width of its own."""
    found = Console(highlight=False)
    return found if found.is_terminal else Console(highlight=False, width=WIDTH_IN_A_PIPE)


def _names(cursor: Cursor) -> list[str]:
    return [column.name for column in cursor.description or ()]


def _are_numbers(values: Sequence[object]) -> bool:
    return all(isinstance(value, int | float) for value in values)


def _text(value: object) -> str:
    return escaped_lines(_plain(value))


def _plain(value: object) -> str:
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.4g}" if abs(value) < 1000 else f"{value:,.0f}"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, list):
        return "; ".join(map(str, value))  # pyright: ignore[reportUnknownArgumentType]
    return str(value)
