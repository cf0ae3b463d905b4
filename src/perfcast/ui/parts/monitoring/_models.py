"""Every model at a glance, from `/metrics`: how true it turned out, and whether it drifts."""

from collections.abc import Mapping, Sequence

import streamlit as st

from perfcast.ui.parts._words import amount, off, share
from perfcast.ui.parts.monitoring._exposition import Look, look
from perfcast_client.answers import Cost

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


def every_model(costs: Mapping[str, Cost], champions: Mapping[str, int]) -> None:
    """A table of all champions.

    Args:
        costs: What each model predicts.
        champions: The version that answers, of each of them; those before it have accuracies of their own.
    """
    now = look()
    drift = drifting(now)
    live = {
        title: {model: live_of(now, metric, model, version) for model, version in champions.items()}
        for title, metric in {
            "error": "ml_live_mae", "relative": "ml_live_mape_percent", "bias": "ml_live_bias",
            "coverage": "ml_live_coverage_percent", "width": "ml_live_interval_width",
        }.items()
    }  # fmt: skip
    st.table(
        {
            "Model": list(costs),
            "Drift": [_drift(drift.get(name, ())) for name in costs],
            "Mean error": [
                error(cost, live["error"].get(name), live["relative"].get(name)) for name, cost in costs.items()
            ],
            "Bias": [signed(live["bias"].get(name), cost.unit) for name, cost in costs.items()],
            "In the 90 % interval": [held(live["coverage"].get(name)) for name in costs],
            "Interval's width": [off(live["width"].get(name), cost.unit) for name, cost in costs.items()],
        },
        border="horizontal", hide_index=True, alt="Live accuracy of every model over the last 24 hours",
    )  # fmt: skip


def live_of(now: Look, metric: str, model: str, version: int) -> float | None:
    """A metric of a champion's, over the last 24 hours; None where nobody told what its predictions came to."""
    found = now.of(metric, model_name=model, version=str(version), arm="champion", window=_WINDOW)
    return next((value for _, value in found), None)


def error(cost: Cost, mae: float | None, mape: float | None) -> str:
    """A mean error as its workload judges it: in the cost's unit, or in percent of the true cost."""
    if not cost.relative or mape is None:
        return off(mae, cost.unit)
    return f"{amount(mape, '%')} of the cost"


def signed(value: float | None, unit: str) -> str:
    """A difference, with its sign."""
    return off(value, unit) if value is None or value < 0 else f"+{off(value, unit)}"


def held(percent: float | None, promised: float = 90.0) -> str:
    """A coverage; marked where it is well below what was promised."""
    words = share(percent)
    return f":orange[:material/warning: {words}]" if percent is not None and percent < promised - 5 else words


def _drift(kinds: Sequence[str]) -> str:
    if not kinds:
        return "–"
    colour = "red" if PAGING & set(kinds) else "orange"
    return f":{colour}[:material/notifications_active: {', '.join(kinds)}]"
