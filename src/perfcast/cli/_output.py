"""What commands print: tables and JSON on standard output, complaints and progress on standard error."""

import json
import shutil
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from typing import Any

_PROSE = 40
"""Longest cell that is kept in one line, characters."""
_ENDLESS = 10_000
_NOTHING = 1e-12
"""Smaller figures are zero to a reader: what sin(π) leaves."""
_SIGNS = str.maketrans("", "", ",.-+e")


def say(text: str) -> None:
    """A line for people, on standard error, so that standard output stays clean."""
    print(text, file=sys.stderr)


def show_json(value: Any) -> None:
    """Plain data, on standard output."""
    print(json.dumps(value, indent=2, default=str, ensure_ascii=False))


def show_table(columns: Sequence[str], rows: Iterable[Sequence[object]], *, title: str = "") -> None:
    """A table, on standard output; numbers stand to the right.

    On a terminal that is too narrow, columns become lines and as many rows stand side by side as fit: a name or a
    number is never cut. Elsewhere lines are as long as they need to be.
    """
    content = [[cell(value) for value in row] for row in rows]
    if title:
        print(title)
    room = shutil.get_terminal_size().columns if sys.stdout.isatty() else _ENDLESS
    if not content or _least(zip(columns, *content, strict=True)) <= room:
        _print(columns, content, room)
        return
    while content:
        fitting = (n for n in range(len(content), 1, -1) if _least([columns, *content[:n]]) <= room)
        beside = next(fitting, 1)
        _print(("",) * (beside + 1), list(zip(columns, *content[:beside], strict=True)), room, headed=False)
        content = content[beside:]
        if content:
            print()


def show_list(
    columns: Sequence[str],
    found: Sequence[Any],
    row: Callable[[Any], Sequence[object]],
    *,
    empty: str,
    as_json: bool = False,
) -> None:
    """What was found as a table with a row for each, or as JSON; where there is none, a line that says what to do."""
    if as_json:
        show_json(found)
    elif found:
        show_table(columns, map(row, found))
    else:
        say(empty)


def _least(columns: Iterable[Sequence[str]]) -> int:
    """Characters that a table needs; prose can be broken into lines."""
    return sum(min(max(map(len, cells)), _PROSE) + 2 for cells in columns) - 2


def _print(columns: Sequence[str], content: Sequence[Sequence[str]], room: int, *, headed: bool = True) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), show_header=headed)
    for position, column in enumerate(columns):
        cells = [row[position] for row in content]
        numeric = bool(cells) and all(map(_is_number, cells))
        prose = max(map(len, cells), default=0) > _PROSE
        table.add_column(column, justify="right" if numeric else "left", overflow="fold", no_wrap=not prose)
    for row in content:
        table.add_row(*row)
    console = Console(highlight=False, markup=False, width=room)
    with console.capture() as shown:
        console.print(table)
    print("\n".join(line.rstrip() for line in shown.get().splitlines()))


@contextmanager
def working(text: str) -> Iterator[None]:
    """Show on a terminal that something goes on."""
    from rich.console import Console

    console = Console(stderr=True)
    with console.status(text) if console.is_terminal else nullcontext():
        yield


def show_facts(facts: Mapping[str, object]) -> None:
    """Names and values, one a line, on standard output."""
    width = max((len(name) for name in facts), default=0)
    for name, value in facts.items():
        print(f"{name:<{width}}  {cell(value)}")


def cell(value: object) -> str:
    """A value as tables show it."""
    if value is None:
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, float):
        value = 0.0 if abs(value) < _NOTHING else value
        return f"{value:,.4g}" if abs(value) < 1000 else f"{value:,.0f}"
    return str(value)


def with_unit(value: object, unit: str) -> str | None:
    """A value with its unit, as tables show it."""
    return None if value is None else f"{cell(value)} {unit}".rstrip()


def _is_number(text: str) -> bool:
    number, _, unit = text.partition(" ")
    return text == "–" or (number.translate(_SIGNS).isdigit() and not unit.startswith("("))
