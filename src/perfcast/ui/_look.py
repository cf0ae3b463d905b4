"""The visual language: what each colour means, by light and by dark.

Ink and greys for all that is just there; one accent for what is predicted and what can be pressed; one colour for
uncertainty; one for danger (a limit, an alarm, a failure). Nothing else is coloured. Numbers are tabular.
"""

from dataclasses import dataclass
from typing import Literal

Theme = Literal["light", "dark"]

FONT = "'Source Sans', 'Source Sans Pro', system-ui, sans-serif"


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


def faded(colour: str, share: float) -> str:
    """A colour `#rrggbb` that lets that share of it through, 0 to 1."""
    red, green, blue = (int(colour[start : start + 2], 16) for start in (1, 3, 5))
    return f"rgba({red}, {green}, {blue}, {share:g})"


def options() -> dict[str, str]:
    """The same palettes as options of Streamlit."""
    shared = {
        "theme.base": "light",
        "theme.baseRadius": "small",
        "theme.baseFontSize": "15",
        "theme.headingFontWeights": "[600, 600, 600]",
        "theme.headingFontSizes": '["1.7rem", "1.2rem", "1.05rem"]',
        "theme.metricValueFontSize": "1.6rem",
        "theme.metricValueFontWeight": "600",
        "theme.showWidgetBorder": "true",
        "theme.showSidebarBorder": "true",
        "theme.linkUnderline": "true",
        "theme.paddingTop": "2.5rem",
    }
    return shared | {f"theme.{theme}.{name}": value for theme in PALETTES for name, value in _streamlit(theme).items()}


def _streamlit(theme: Theme) -> dict[str, str]:
    palette = PALETTES[theme]
    return {
        "backgroundColor": palette.ground,
        "secondaryBackgroundColor": palette.surface,
        "textColor": palette.ink,
        "borderColor": palette.hairline,
        "primaryColor": palette.accent,
        "linkColor": palette.accent,
        "redColor": palette.danger,
        "orangeColor": palette.uncertainty,
        "yellowColor": palette.uncertainty,
        "greenColor": palette.accent,
        "blueColor": palette.accent,
        "grayColor": palette.quiet,
        "redTextColor": palette.danger,
        "orangeTextColor": palette.uncertainty,
        "greenTextColor": palette.accent,
        "blueTextColor": palette.accent,
        "grayTextColor": palette.quiet,
        "dataframeHeaderBackgroundColor": palette.surface,
    }


STYLE = """
<style>
  .stApp { font-variant-numeric: tabular-nums lining-nums; }
  .stMainBlockContainer { max-width: 78rem; }
  .stApp [data-testid="stCaptionContainer"] { color: inherit; opacity: 1; }
  .stApp [data-testid="stCaptionContainer"] p { color: color-mix(in srgb, currentColor 78%, transparent); opacity: 1; }
  .stApp [data-testid="stMultiSelect"] [data-tag] { background: color-mix(in srgb, currentColor 12%, transparent); }
  .stApp [data-testid="stMultiSelect"] :is([data-tag], [data-tag] *) { color: inherit; }
  [data-testid="stMetricLabel"] p { font-size: .85rem; opacity: .8; }
  .perfcast-lead { margin: -.4rem 0 1.1rem; max-width: 46rem; }
  @media (max-width: 480px) { .stMainBlockContainer { padding-left: 1rem; padding-right: 1rem; } }
</style>
"""
"""What options can't say."""
