"""What documents are made of, whatever they are written as."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_NOTHING = 1e-12
"""Smaller figures are zero to a reader: what sin(π) leaves."""


@dataclass(frozen=True)
class Table:
    """Cells as text; the first column names the row.

    Attributes:
        title: What it shows.
        columns: Their heads.
        rows: As many cells each as there are columns.
        folded: Whether it is long, and only opened by who wants it.
    """

    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[str]]
    folded: bool = False


@dataclass(frozen=True)
class Picture:
    """A picture, and the same in words.

    Attributes:
        name: Of its file, and of its place on the page.
        title: What it shows.
        alt: What is to be seen in it, for those who don't see it.
        draw: Draws it.
        small: Whether many of its kind stand side by side.
    """

    name: str
    title: str
    alt: str
    draw: "Callable[[Axes], None]"
    small: bool = False


Block: TypeAlias = Table | Picture


@dataclass
class Section:
    """A part of a document with a heading of its own.

    Attributes:
        title: The heading.
        text: What to know before looking, a paragraph each.
        blocks: Tables and pictures, in order.
    """

    title: str
    text: list[str] = field(default_factory=list)
    blocks: list[Block] = field(default_factory=list)

    @property
    def anchor(self) -> str:
        """What links to it say."""
        return self.title.lower().replace(" ", "-")


def number(value: float | None, unit: str = "") -> str:
    """A figure as people read it: four digits that count, thousands apart; – where there is none."""
    if value is None:
        return "–"
    if isinstance(value, int):
        text = f"{value:,}"
    else:
        value = 0.0 if abs(value) < _NOTHING else value
        text = f"{value:,.4g}" if abs(value) < 1000 else f"{value:,.0f}"
    return f"{text} {unit}".rstrip()
