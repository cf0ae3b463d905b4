"""A picture as PNG, and as SVG for the page, whose colours are the page's: one drawing for light and dark."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import fields
from html import escape
from io import BytesIO, StringIO
from typing import TYPE_CHECKING, Any

from perfcast.palette import LIGHT
from perfcast.reports._document import Picture

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_SIZE, _SMALL = (450.0, 310.0), (330.0, 230.0)
"""Width and height; a point of a font is one of them, so that text stays readable where the page is 400 wide."""
_INCH = 72.0
_DOTS = 160
"""Dots per inch of a PNG."""
_ROLES = {getattr(LIGHT, role.name): role.name for role in fields(LIGHT)}
_OPTIONS: Any = {
    "axes.axisbelow": True,
    "axes.edgecolor": LIGHT.hairline,
    "axes.facecolor": "none",
    "axes.grid": True,
    "axes.labelcolor": LIGHT.quiet,
    "axes.labelsize": 12.5,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.unicode_minus": True,
    "figure.constrained_layout.use": True,
    "figure.facecolor": LIGHT.ground,
    "font.size": 12.5,
    "grid.color": LIGHT.hairline,
    "grid.linewidth": 0.8,
    "legend.edgecolor": "none",
    "legend.fontsize": 12,
    "legend.framealpha": 0.0,
    "legend.labelcolor": LIGHT.quiet,
    "lines.linewidth": 2,
    "lines.solid_capstyle": "round",
    "svg.fonttype": "none",
    "svg.hashsalt": "perfcast",
    "text.color": LIGHT.ink,
    "xtick.color": LIGHT.hairline,
    "xtick.labelcolor": LIGHT.quiet,
    "xtick.labelsize": 12,
    "ytick.color": LIGHT.hairline,
    "ytick.labelcolor": LIGHT.quiet,
    "ytick.labelsize": 12,
}


def png(picture: Picture) -> bytes:
    """The picture as PNG, in light colours, with its title."""
    with _drawn(picture) as figure:
        figure.suptitle(picture.title, fontsize=14, color=LIGHT.ink)
        file = BytesIO()
        figure.savefig(file, format="png", dpi=_DOTS, metadata={"Software": None, "Description": picture.alt})
    return file.getvalue()


def svg(picture: Picture) -> str:
    """The picture as an element of a page that has the palette as variables, such as `--accent`."""
    with _drawn(picture) as figure:
        file = StringIO()
        figure.savefig(file, format="svg", transparent=True, metadata={"Date": None, "Creator": None})
    text = file.getvalue()
    text = text[text.index("<svg") :]
    text = re.sub(r"<metadata>.*?</metadata>|<style.*?</style>|<!--.*?-->", "", text, flags=re.DOTALL)
    box = re.search(r'viewBox="[^"]+"', text)
    assert box is not None
    head = f'<svg class="picture" role="img" aria-label="{escape(picture.alt)}" {box.group()}>'
    text = head + text[text.index(">") + 1 :]
    text = re.sub(r"#[0-9a-f]{6}", lambda found: _colour(found.group()), text)
    text = re.sub(r'(\bid="|href="#|url\(#)', rf"\g<1>{picture.name}-", text)  # ids are a page's
    return re.sub(r"\n\s*", "\n", text).strip()


def _colour(written: str) -> str:
    role = _ROLES.get(written)
    return f"var(--{role})" if role else written


@contextmanager
def _drawn(picture: Picture) -> "Iterator[Figure]":
    import matplotlib as mpl
    from matplotlib.figure import Figure

    with mpl.rc_context(_OPTIONS):
        width, height = _SMALL if picture.small else _SIZE
        figure = Figure(figsize=(width / _INCH, height / _INCH))
        picture.draw(figure.add_subplot())
        yield figure
