"""Every model at a glance, from `/metrics`: how true it turned out, and whether it drifts."""

from collections.abc import Mapping, Sequence

import streamlit as st

from perfcast.ui.parts._words import amount, share
from perfcast.ui.parts.monitoring._exposition import Look, look

KINDS = {
    "error": "errors above usual",
    "coverage": "intervals hold too little",
    "quality": "data can't be right",
    "unexplained": "cost that inputs don't explain",
    "inputs": "inputs moved",
}
"""Kinds of drift in words."""
PAGING = frozenset({"error", "coverage"})
_WINDOW = "24h"


def alarms() -> None:
    """Which models drift; nothing where none does."""
    for name, kinds in drifting(look()).items():
        words = f"**{name}** drifts: {', '.join(KINDS.get(kind, kind) for kind in kinds)}. Choose it below to see why."
        show = st.error if PAGING & set(kinds) else st.warning
        show(words, icon=":material/notifications_active:")


def drifting(now: Look) -> Mapping[str, Sequence[str]]:
    """Kinds of alarm by model."""
    found: dict[str, list[str]] = {}
    for labels, value in now.of("ml_drift_state"):
        if value > 0:
            found.setdefault(labels["model_name"], []).append(labels["kind"])
    return found


def every_model(units: Mapping[str, str]) -> None:
    """A table of all champions.

    Args:
        units: Of the cost, by model.
    """
    now = look()
    drift = drifting(now)
    live = {
        title: now.by("model_name", name, arm="champion", window=_WINDOW)
        for title, name in {
            "error": "ml_live_mae", "bias": "ml_live_bias", "coverage": "ml_live_coverage_percent",
            "width": "ml_live_interval_width",
        }.items()
    }  # fmt: skip
    st.table(
        {
            "Model": list(units),
            "Mean error": [amount(live["error"].get(name), unit) for name, unit in units.items()],
            "Bias": [signed(live["bias"].get(name), unit) for name, unit in units.items()],
            "In the interval": [held(live["coverage"].get(name)) for name in units],
            "Interval's width": [amount(live["width"].get(name), unit) for name, unit in units.items()],
            "Drift": [_drift(drift.get(name, ())) for name in units],
        },
        border="horizontal", hide_index=True, alt="Live accuracy of every model over the last 24 hours",
    )  # fmt: skip


def signed(value: float | None, unit: str) -> str:
    """A difference, with its sign."""
    return amount(value, unit) if value is None or value < 0 else f"+{amount(value, unit)}"


def held(percent: float | None, promised: float = 90.0) -> str:
    """A coverage; marked where it is well below what was promised."""
    words = share(percent)
    return f":orange[:material/warning: {words}]" if percent is not None and percent < promised - 5 else words


def _drift(kinds: Sequence[str]) -> str:
    if not kinds:
        return "–"
    colour = "red" if PAGING & set(kinds) else "orange"
    return f":{colour}[:material/notifications_active: {', '.join(kinds)}]"
