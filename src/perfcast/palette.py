"""The colours of all that Perfcast draws, by what they mean: the web UI and the reports share them.

Ink and greys for all that is just there; one accent for what is predicted and what can be pressed; one colour for
uncertainty; one for danger (a limit, an alarm, a failure). Nothing else is coloured.
"""

from dataclasses import dataclass
from typing import Literal

Theme = Literal["light", "dark"]


@dataclass(frozen=True)
class Palette:
    """Colours by meaning, `#rrggbb`; each text colour has a contrast of 4.5 or more on both grounds (WCAG 2.2, 1.4.3).

    Attributes:
        ground: Behind everything.
        surface: Behind what is set apart: the navigation, inputs, tables' heads.
        hairline: Borders, grids.
        ink: Text.
        quiet: Text beside the point: units, axes, explanations.
        measured: What was measured, not predicted.
        accent: What is predicted; what can be pressed.
        uncertainty: Intervals and bands.
        danger: Limits, alarms, failures.
    """

    ground: str
    surface: str
    hairline: str
    ink: str
    quiet: str
    measured: str
    accent: str
    uncertainty: str
    danger: str


LIGHT = Palette(
    ground="#ffffff",
    surface="#f6f7f8",
    hairline="#dfe3e7",
    ink="#1a2027",
    quiet="#5a6570",
    measured="#8a949e",
    accent="#0b6b74",
    uncertainty="#96610f",
    danger="#b3261e",
)
DARK = Palette(
    ground="#101418",
    surface="#181e24",
    hairline="#2d353d",
    ink="#e6eaee",
    quiet="#9ba6b1",
    measured="#78838e",
    accent="#4fc0c9",
    uncertainty="#e3ae52",
    danger="#ff8a80",
)
PALETTES: dict[Theme, Palette] = {"light": LIGHT, "dark": DARK}
