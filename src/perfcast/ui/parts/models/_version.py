"""One version: how good it is, where it misses, what it was made from."""

from collections.abc import Mapping, Sequence
from statistics import median
from typing import Any

import streamlit as st

from perfcast.ui._server import fresh, told
from perfcast.ui.charts import agreement, residuals
from perfcast.ui.parts._figure import palette, show
from perfcast.ui.parts._words import amount, off, share, symbol
from perfcast.ui.parts.models._errors import family, measure, metrics_of, off_unit
from perfcast.ui.parts.models._made import made_from
from perfcast.ui.parts.models._moves import moves
from perfcast_client import Conflict
from perfcast_client.answers import (
    Cost,
    HeldOutMetrics,
    IntervalCorrection,
    JudgedRows,
    LiveAccuracy,
    ModelDetails,
    VersionEntry,
)

_SHOWN = 1500
_WINDOWS = {"1h": "last hour", "24h": "last day", "7d": "last 7 days", "all": "all"}


def about_version(model: ModelDetails, version: VersionEntry, cost: Cost) -> None:
    """Its whole page."""
    held = f" · {', '.join(version.aliases)}" if version.aliases else " · candidate"
    st.header(f"Version {version.version} · {family(version.type)}{held}", divider="gray")
    moves(model, version, cost)
    if version.problem:
        st.error(f"It can't be read: {version.problem}", icon=":material/error:")
        return
    for note in version.notes:
        st.caption(f":orange[:material/info:] {note}")
    if version.metrics is None:
        st.info("Nobody measured how good it is: it was uploaded or imported without metrics.")
    else:
        _metrics(version.metrics, cost, calibrated=bool(version.calibrated))
    reference = f"{model.name}:{version.version}"
    with told():
        known = metrics_of(reference)
        _live(known.live, cost)
        _correction(known.correction, cost)
        _misses(reference, cost)
        made_from(known, cost)


def _metrics(metrics: HeldOutMetrics, cost: Cost, *, calibrated: bool) -> None:
    st.markdown(f"**On {metrics.rows:,} held-out rows** that fitting, tuning and calibration never saw")
    mape = ("Mean error (MAPE)", amount(metrics.mape, "%"), "The mean of |predicted − measured| ÷ measured.")
    middle = ("Median error", amount(metrics.median_ape, "%"), "Half of the rows are missed by less than this.")
    mae = ("Mean error (MAE)", off(metrics.mae, cost.unit), "The mean of |predicted − measured|, in the cost's unit.")
    rmse = ("RMSE", off(metrics.rmse, cost.unit), "Root mean square error: large misses weigh more than in the MAE.")
    near = [
        (f"Within {bound} %", share(value), f"Share of rows predicted within {bound} % of what was measured.")
        for bound, value in ((5, metrics.within_5), (10, metrics.within_10), (20, metrics.within_20))
    ]
    explained = ("R²", f"{metrics.r2:.3f}", "Share of the cost's variance that is explained; 1 is all of it.")
    figures = [*((mape, middle) if cost.relative else (mae, rmse)), *near, explained]
    with st.container(horizontal=True, gap="medium", key="figures"):
        for label, value, meaning in figures:
            st.metric(label, value, help=meaning, width="content")
    if not calibrated:
        st.caption("It answers without intervals: it is not calibrated.")
    elif metrics.coverage:
        _intervals(metrics, cost)


def _intervals(metrics: HeldOutMetrics, cost: Cost) -> None:
    st.markdown("**Intervals**: how often they held, and what that costs in width")
    table = {
        "Promised": [share(100 * float(name)) for name in metrics.coverage],
        "Held": [f"{held:.1f} %" for held in metrics.coverage.values()],
        "In the worst fifth": [amount(metrics.worst_fifth.get(name), "%") for name in metrics.coverage],
        "Mean width": [off(metrics.width.get(name), cost.unit) for name in metrics.coverage],
        "Median width, of the cost": [amount(metrics.relative_width.get(name), "%") for name in metrics.coverage],
    }
    st.table(table, border="horizontal", hide_index=True, alt="Intervals by coverage")


def _live(live: Mapping[str, Mapping[str, LiveAccuracy]], cost: Cost) -> None:
    rows = [
        (arm, words, windows[name])
        for arm, windows in live.items()
        for name, words in _WINDOWS.items()
        if name in windows and windows[name].actuals
    ]
    if not rows:
        st.caption("No live accuracy yet: tell what predictions turned out to be (`POST /feedback`) to see it here.")
        return
    st.markdown("**Live accuracy**, on true costs that were told since")
    errors = [amount(one.mape, "%") if cost.relative else off(one.mae, cost.unit) for _, _, one in rows]
    table = {
        "As": [arm for arm, _, _ in rows],
        "Window": [words for _, words, _ in rows],
        "True costs": [f"{one.actuals:,}" for _, _, one in rows],
        f"Error ({measure(cost)})": errors,
        "Bias": [off(one.bias, cost.unit) for _, _, one in rows],
        "90 % intervals hold": [share(one.coverage) for _, _, one in rows],
    }
    st.dataframe(table, hide_index=True, key="live", alt="Live accuracy by alias and window")


def _correction(correction: IntervalCorrection | None, cost: Cost) -> None:
    moved = correction.bounds.get("0.9") if correction is not None else None
    if correction is None or moved is None:
        return
    if correction.kind == "added":
        bounds = [f"{bound:+.3g} {off_unit(cost)}" for bound in (moved.lower, moved.upper)]
    else:
        bounds = [f"× {bound:.3g}" for bound in (moved.lower, moved.upper)]
    st.caption(
        f"Its intervals follow {correction.actuals:,} true costs: at 90 % the lower bound is moved by {bounds[0]}, the "
        f"upper by {bounds[1]}."
    )


def _misses(reference: str, cost: Cost) -> None:
    st.markdown("**Where it misses**: held-out rows, predicted and measured")
    try:
        with st.spinner("Predicting the held-out rows …"):
            rows = fresh(lambda api: api.models.judged(reference, limit=_SHOWN), f"judged {reference}")
    except Conflict as error:
        st.info(f"There are no plots: {error.detail}.")
        return
    left, right = st.columns(2, gap="medium")
    shown = f"{rows.shown:,} of {rows.held_out_rows:,} held-out rows"
    pairs = [(a, p) for a, p in zip(rows.actual, rows.predicted, strict=True) if not cost.relative or min(a, p) > 0]
    if not pairs:
        st.info("No held-out row has a cost above 0 to be compared with.")
        return
    actual, predicted = [a for a, _ in pairs], [p for _, p in pairs]
    unit = symbol(rows.unit)
    with left:
        figure = agreement(palette(), actual, predicted, unit=unit, log=cost.relative)
        show(figure, "agreement", alt=f"Predicted against measured: {shown}", table=_table(rows))
    with right:
        missed, missed_unit = errors_of(actual, predicted, cost)
        figure = residuals(palette(), predicted, missed, unit=unit, error_unit=missed_unit, log=cost.relative)
        alt = f"Predicted less measured: {shown}, in the middle {amount(median(missed), missed_unit)}"
        show(figure, "residuals", alt=alt, table={f"predicted ({unit})": predicted, f"off by ({missed_unit})": missed})
    st.caption(f"{shown}, spread over all of them.")


def errors_of(actual: list[float], predicted: list[float], cost: Cost) -> tuple[list[float], str]:
    """Predicted less measured, in percent of what was measured where costs are judged so, and its unit."""
    pairs = zip(actual, predicted, strict=True)
    if cost.relative:
        return [100 * (p - a) / a for a, p in pairs], "%"
    return [p - a for a, p in pairs], off_unit(cost)


def _table(rows: JudgedRows) -> Mapping[str, Sequence[Any]]:
    unit = symbol(rows.unit)
    bounds = {f"lower ({unit})": rows.lower, f"upper ({unit})": rows.upper}
    known = {name: column for name, column in bounds.items() if column is not None}
    return {f"measured ({unit})": rows.actual, f"predicted ({unit})": rows.predicted, **known, **rows.features}
