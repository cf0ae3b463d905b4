"""A document as one HTML file: no script, no file beside it; its colours follow light and dark."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from html import escape
from importlib.resources import files

from perfcast import __version__
from perfcast.manifest import DEFAULT_COVERAGE
from perfcast.palette import DARK, LIGHT, Palette
from perfcast.registry import Version
from perfcast.reports._canvas import svg
from perfcast.reports._described import workload_of
from perfcast.reports._document import Block, Picture, Section, Table, number

_MOST_COLUMNS = 5
"""Columns of a table that stands beside something."""
_LONG = 30
"""Longest word that isn't broken."""


def page(version: Version, summary: str, sections: Sequence[Section]) -> str:
    """The whole file as text."""
    made = datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC")
    links = "".join(f'<a href="#{section.anchor}">{escape(section.title)}</a>' for section in sections)
    body = "\n".join(line for section in sections for line in _section(section))
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>{escape(version.reference)} – Perfcast report</title>
<style>
{_style()}
</style>
</head>
<body>
<header>
<p class="kind">Perfcast report</p>
<h1>{escape(version.reference)}</h1>
<p class="lead">{_prose(summary)}</p>
{_tiles(version)}
<nav aria-label="Sections">{links}</nav>
</header>
<main>
{body}
</main>
<footer><p>Made by Perfcast {escape(__version__)} on {made}. Figures are of held-out rows unless they say otherwise.</p>
</footer>
</body>
</html>
"""


def _style() -> str:
    own = files("perfcast.reports").joinpath("_page.css").read_text(encoding="utf-8")
    dark = f"@media (prefers-color-scheme: dark) {{ :root {{ {_variables(DARK)} }} }}"
    paper = f"@media print {{ :root {{ {_variables(LIGHT)} }} }}"
    return f":root {{ {_variables(LIGHT)} }}\n{dark}\n{paper}\n{own}"


def _variables(palette: Palette) -> str:
    return " ".join(f"--{name}: {colour};" for name, colour in asdict(palette).items())


def _tiles(version: Version) -> str:
    """The few figures to see first."""
    metrics, cost = version.manifest.metrics, workload_of(version.manifest).cost
    if metrics is None:
        return ""
    asked = str(DEFAULT_COVERAGE)
    figures = (
        ("mean error", number(metrics.mae, cost.unit)),
        ("median error", number(metrics.median_ape, "%")),
        ("rows within 10 %", number(metrics.within_10, "%")),
        ("held by 90 % intervals", number(metrics.coverage.get(asked), "%")),
    )
    tiles = "".join(f"<div><dt>{name}</dt><dd>{_figure(value)}</dd></div>" for name, value in figures if value != "–")
    return f'<dl class="tiles">{tiles}</dl>'


def _figure(value: str) -> str:
    figure, _, unit = value.partition(" ")
    return f"{escape(figure)} <small>{escape(unit)}</small>" if unit else escape(figure)


def _section(section: Section) -> Iterator[str]:
    yield f'<section id="{section.anchor}" aria-labelledby="{section.anchor}-title">'
    yield f'<h2 id="{section.anchor}-title">{escape(section.title)}</h2>'
    yield from (f"<p>{_prose(text)}</p>" for text in section.text)
    yield '<div class="blocks">'
    yield from _blocks(section.blocks)
    yield "</div></section>"


def _blocks(blocks: Iterable[Block]) -> Iterator[str]:
    """Each as it is, small pictures that follow one another side by side."""
    row: list[str] = []
    for block in blocks:
        if isinstance(block, Picture) and block.small:
            row.append(_picture(block))
            continue
        yield from _grid(row)
        row = []
        yield _picture(block) if isinstance(block, Picture) else _table(block)
    yield from _grid(row)


def _grid(row: Sequence[str]) -> Iterator[str]:
    if row:
        yield f'<div class="small">{"".join(row)}</div>'


def _picture(picture: Picture) -> str:
    return f"<figure><figcaption>{escape(picture.title)}</figcaption>{svg(picture)}</figure>"


def _table(table: Table) -> str:
    kinds = [_kind([row[at] for row in table.rows]) for at in range(len(table.columns))]
    head = "".join(
        f'<th scope="col"{kind}>{escape(name)}</th>' for name, kind in zip(table.columns, kinds, strict=True)
    )
    body = "".join(f"<tr>{''.join(map(_cell, row, kinds))}</tr>" for row in table.rows)
    # A keyboard can scroll what is wider than the page.
    scrolled = (
        f'<div class="scrolled" tabindex="0" role="region" aria-label="{escape(table.title)}"><table>'
        f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>"
    )
    wide = " wide" * (len(table.columns) > _MOST_COLUMNS)
    if table.folded:
        return f'<details class="table{wide}"><summary>{escape(table.title)}</summary>{scrolled}</details>'
    return f'<div class="table{wide}"><h3>{escape(table.title)}</h3>{scrolled}</div>'


def _kind(column: Sequence[str]) -> str:
    """The attribute of a column's cells: numbers stand to the right."""
    numeric = all(re.fullmatch(r"–|[-+]?[\d.,e+-]+( \S+)?", text) for text in column)
    return ' class="number"' if numeric and column else ""


def _cell(text: str, kind: str) -> str:
    broken = ' class="long"' if len(text) > _LONG and " " not in text else kind
    return f"<td{broken}>{escape(text)}</td>"


def _prose(text: str) -> str:
    """A paragraph; what stands between backquotes is a name."""
    return re.sub(r"`([^`]+)`", r"<code>\1</code>", escape(text))
