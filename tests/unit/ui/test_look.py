"""The visual language: contrasts as it promises, and options that Streamlit knows."""

import pytest
from streamlit import config

from perfcast.palette import PALETTES, Palette
from perfcast.ui._look import faded, options

TEXT = ("ink", "quiet", "accent", "uncertainty", "danger")


def luminance(colour: str) -> float:
    """Relative luminance, 0 to 1 (WCAG 2.2)."""
    parts = [int(colour[start : start + 2], 16) / 255 for start in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    darker, lighter = sorted((luminance(one), luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


@pytest.mark.parametrize("palette", PALETTES.values(), ids=PALETTES)
@pytest.mark.parametrize("colour", TEXT)
def test_text_can_be_read_on_both_grounds(palette: Palette, colour: str) -> None:
    for ground in (palette.ground, palette.surface):
        assert contrast(getattr(palette, colour), ground) >= 4.5


@pytest.mark.parametrize("palette", PALETTES.values(), ids=PALETTES)
def test_marks_of_what_was_measured_can_be_seen(palette: Palette) -> None:
    assert contrast(palette.measured, palette.ground) >= 3


def test_a_faded_colour_keeps_its_hue() -> None:
    assert faded("#0b6b74", 0.4) == "rgba(11, 107, 116, 0.4)"


@pytest.mark.parametrize("name", options())
def test_streamlit_knows_each_option(name: str) -> None:
    assert config.get_option(name) is None or isinstance(config.get_option(name), (str, bool, int, float, list))
