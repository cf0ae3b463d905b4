"""What several pages are made of."""

from perfcast.ui.parts._asked import asked, happened, tell_what_happened
from perfcast.ui.parts._band import band_of
from perfcast.ui.parts._figure import palette, show, theme
from perfcast.ui.parts._foot import foot
from perfcast.ui.parts._form import DAY, HOUR, Scenario, form, presets, sweepable
from perfcast.ui.parts._head import head
from perfcast.ui.parts._kept import keep, kept
from perfcast.ui.parts._missing import say_missing
from perfcast.ui.parts._words import (
    amount,
    cost_axis,
    cost_title,
    duration,
    moment,
    off,
    plain,
    share,
    symbol,
    title,
    verbatim,
    with_unit,
)

__all__ = [
    "DAY",
    "HOUR",
    "Scenario",
    "amount",
    "asked",
    "band_of",
    "cost_axis",
    "cost_title",
    "duration",
    "foot",
    "form",
    "happened",
    "head",
    "keep",
    "kept",
    "moment",
    "off",
    "palette",
    "plain",
    "presets",
    "say_missing",
    "share",
    "show",
    "sweepable",
    "symbol",
    "tell_what_happened",
    "theme",
    "title",
    "verbatim",
    "with_unit",
]
