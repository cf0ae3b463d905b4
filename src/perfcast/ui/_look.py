"""The visual language in Streamlit: colours by meaning (`perfcast.palette`) as its options, tabular numbers."""

from perfcast.palette import PALETTES, Theme

FONT = "'Source Sans', 'Source Sans Pro', system-ui, sans-serif"


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
        "theme.headingFontSizes": '["1.7rem", "1.05rem", "1rem"]',
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


def style(theme: Theme) -> str:
    """What options can't say: words on a pressed button, captions, tags, tabular numbers, width."""
    palette = PALETTES[theme]
    pressed = palette.ground if theme == "dark" else "#ffffff"  # Streamlit writes them white, also on a light accent
    return f"""
<style>
  .stApp {{ font-variant-numeric: tabular-nums lining-nums; }}
  .stMainBlockContainer {{ max-width: 78rem; }}
  .stApp [data-testid="stBaseButton-primary"], .stApp [data-testid="stBaseButton-primaryFormSubmit"],
  .stApp [data-testid^="stBaseButton-primary"] p {{ color: {pressed}; }}
  .stApp [data-testid="stCaptionContainer"], .stApp [data-testid="stCaptionContainer"] p {{ opacity: 1; }}
  .stApp [data-testid="stCaptionContainer"] p {{ color: {palette.quiet}; }}
  .stApp [data-testid="stMultiSelect"] [data-tag] {{ background: {faded(palette.quiet, 0.2)}; }}
  .stApp [data-testid="stMultiSelect"] :is([data-tag], [data-tag] *) {{ color: {palette.ink}; }}
  [data-testid="stMetricLabel"] p {{ font-size: .85rem; opacity: .8; }}
  .perfcast-lead {{ margin: -.4rem 0 1.1rem; max-width: 46rem; }}
  .stApp [data-testid="stHeadingDivider"] {{ height: 1px; background: {palette.hairline}; }}
  .st-key-day button {{ padding-left: .3rem; padding-right: .3rem; }}
  @media (max-width: 480px) {{ .stMainBlockContainer {{ padding-left: 1rem; padding-right: 1rem; }} }}
</style>
"""
