"""How intervals follow what turned out true: how far each bound was moved."""

from collections.abc import Sequence

import streamlit as st

from perfcast.ui._server import fresh
from perfcast.ui.charts import Series, lines
from perfcast.ui.parts._figure import palette, show
from perfcast.ui.parts._words import amount, share, symbol
from perfcast.ui.parts.monitoring._models import signed
from perfcast_client.answers import Cost, IntervalCorrection, ModelDetails, VersionEntry

_NEEDED = 30


def corrections(model: str, cost: Cost) -> None:
    """Of each version that an alias points to."""
    details: ModelDetails = fresh(lambda api: api.models.get(model), f"model {model}")
    watched = sorted((one for one in details.versions if one.aliases), key=lambda one: "champion" not in one.aliases)
    corrected = [one for one in watched if one.correction is not None and one.correction.bounds]
    for one in watched:
        st.markdown(f"**{_name(one).capitalize()}**: {_words(one.correction, cost.unit)}")
    if corrected:
        st.caption(
            "A correction moves the bounds, never the prediction. Where both move the same way, the model predicts "
            "too little or too much by now: train it anew."
        )
        _figure(corrected, cost)


def _name(version: VersionEntry) -> str:
    return f"{' and '.join(version.aliases)} (version {version.version})"


def _words(found: IntervalCorrection | None, unit: str) -> str:
    if found is None or not found.bounds:
        come = 0 if found is None else found.actuals
        return f"as calibrated; {_NEEDED} true costs are needed to follow them, {come} have come"
    told = f"corrected by {found.actuals:,} true costs since {found.since:%Y-%m-%d %H:%M} UTC"
    if (bounds := found.bounds.get("0.9")) is not None:
        told += f"; at 90 %: lower bound {_moved(found, bounds.lower, unit)}, upper {_moved(found, bounds.upper, unit)}"
    return told


def _moved(found: IntervalCorrection, value: float, unit: str) -> str:
    return signed(value, unit) if found.kind == "added" else f"× {amount(value)}"


def _figure(versions: Sequence[VersionEntry], cost: Cost) -> None:
    first, found = versions[0], versions[0].correction
    if found is None:
        return
    factor = found.kind != "added"
    names = [share(100 * float(coverage)) for coverage in found.bounds]
    sides = {
        "lower bound": [moved.lower for moved in found.bounds.values()],
        "upper bound": [moved.upper for moved in found.bounds.values()],
    }
    series = [Series(side, names, values, "uncertainty", dash) for dash, (side, values) in enumerate(sides.items())]
    unit = "multiplied by" if factor else f"moved upwards ({symbol(cost.unit)})"
    figure = lines(
        palette(), series, x_title="Share of cases that the interval holds", y_title=unit,
        wanted=1.0 if factor else 0.0, marked=True,
    )  # fmt: skip
    st.markdown(f"**Bounds of the {_name(first)}**")
    words = ", ".join(
        f"{name}: {amount(low)} and {amount(high)}" for name, low, high in zip(names, *sides.values(), strict=True)
    )
    show(figure, "correction", alt=f"Lower and upper bound, {unit}, by coverage. {words}", table=_rows(versions))


def _rows(versions: Sequence[VersionEntry]) -> dict[str, Sequence[object]]:
    rows = [
        (_name(one), share(100 * float(coverage)), one.correction.kind, moved.lower, moved.upper)
        for one in versions
        if one.correction is not None
        for coverage, moved in one.correction.bounds.items()
    ]
    titles = ("Version", "Coverage", "How", "Lower bound", "Upper bound")
    return dict(zip(titles, zip(*rows, strict=True), strict=True))
