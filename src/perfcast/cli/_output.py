"""What commands print: tables and JSON on standard output, complaints and progress on standard error."""

import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import Any


def complain(text: str) -> None:
    """An error, on standard error."""
    print(f"perfcast: {text}", file=sys.stderr)


def say(text: str) -> None:
    """A line for people, on standard error, so that standard output stays clean."""
    print(text, file=sys.stderr)


def show_json(value: Any) -> None:
    """Plain data, on standard output."""
    print(json.dumps(value, indent=2, default=str, ensure_ascii=False))


def show_table(columns: Sequence[str], rows: Iterable[Sequence[object]], *, title: str = "") -> None:
    """A table, on standard output; numbers stand to the right."""
    from rich.console import Console
    from rich.table import Table

    content = [[_cell(value) for value in row] for row in rows]
    table = Table(title=title or None, title_justify="left", box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for position, column in enumerate(columns):
        numeric = all(_is_number(row[position]) for row in content)
        table.add_column(column, justify="right" if numeric and content else "left", overflow="fold")
    for row in content:
        table.add_row(*row)
    width = None if sys.stdout.isatty() else 200
    Console(highlight=False, markup=False, width=width).print(table)


def show_facts(facts: Mapping[str, object]) -> None:
    """Names and values, one a line, on standard output."""
    width = max((len(name) for name in facts), default=0)
    for name, value in facts.items():
        print(f"{name:<{width}}  {_cell(value)}")


def _cell(value: object) -> str:
    if value is None:
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:,.4g}" if abs(value) < 1000 else f"{value:,.0f}"
    return str(value)


def _is_number(text: str) -> bool:
    return text == "–" or text.replace(",", "").replace(".", "").replace("-", "").replace("e", "").isdigit()
