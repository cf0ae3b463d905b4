"""How true a model's predictions turned out, by arm and window of time, against what its held-out rows promised."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import streamlit as st

from perfcast.ui._server import fresh
from perfcast.ui.charts import Meaning, Series, lines
from perfcast.ui.parts._figure import palette, show
from perfcast.ui.parts._words import amount, off, share, symbol
from perfcast.ui.parts.monitoring._models import error, held, signed
from perfcast_client.answers import ArmComparison, Cost, HeldOutMetrics, LiveAccuracy, Traffic, VersionMetrics

WINDOWS = {"1h": "1 hour", "24h": "24 hours", "7d": "7 days", "all": "all"}
_MEANINGS: Mapping[str, Meaning] = {"champion": "accent", "challenger": "accent", "shadow": "measured", "named": "ink"}
_PROMISED = 90.0


@dataclass(frozen=True)
class Arm:
    """One arm: what it answers with, and how true that turned out, by window."""

    name: str
    version: int
    live: Mapping[str, LiveAccuracy]
    share: float | None = None

    @property
    def title(self) -> str:
        """As people call it."""
        return f"{self.name} (version {self.version})"


@dataclass(frozen=True)
class Measure:
    """One figure of live accuracy, in each window: its name, unit, which value, and what was promised."""

    title: str
    unit: str
    field: str
    promised: float | None

    def of(self, live: LiveAccuracy | None) -> float | None:
        """Its value; None where nothing tells it."""
        value = None if live is None else getattr(live, self.field)
        return None if value is None else float(value)


def accuracy(model: str, cost: Cost) -> None:
    """Arms in a chosen window, and each measure over all windows."""
    window = st.segmented_control(
        "Window", list(WINDOWS), default="24h", format_func=WINDOWS.__getitem__, key="window", bind="query-params",
        required=True,
    )  # fmt: skip
    champion = _champion(model)
    split = fresh(lambda api: api.models.traffic(model), f"traffic {model}")
    arms = _arms(split, champion)
    if not any(live.actuals for arm in arms for live in arm.live.values()):
        st.info(
            "No true cost has been told yet, so nobody knows how true the predictions are. Tell them: "
            '`POST /feedback` with `{"prediction_id": …, "actual": …}`, or let `perfcast collect follow` do it.',
            icon=":material/info:",
        )
        return
    _table(arms, str(window or "24h"), cost)
    _comparisons(split, cost)
    _figures(arms, _measures(cost, champion.metrics))


def _champion(model: str) -> VersionMetrics:
    return fresh(lambda api: api.models.metrics(model), f"metrics {model}")


def _arms(split: Traffic, champion: VersionMetrics) -> Sequence[Arm]:
    arms = {name: Arm(name, one.version, one.live, one.share) for name, one in split.arms.items()}
    if named := champion.live.get("named"):
        arms["named"] = Arm("named", champion.model_version, named)
    return [arms[name] for name in _MEANINGS if name in arms]


def _table(arms: Sequence[Arm], window: str, cost: Cost) -> None:
    live = [arm.live.get(window) for arm in arms]
    columns = {
        "Arm": [arm.title for arm in arms],
        "Callers": [share(arm.share) for arm in arms],
        "Predictions": [f"{one.predictions:,}" if one else "–" for one in live],
        "True costs told": [f"{one.actuals:,}" if one else "–" for one in live],
        "Mean error": [error(cost, one.mae, one.mape) if one else "–" for one in live],
        "Bias": [signed(one.bias, cost.unit) if one else "–" for one in live],
        "In the 90 % interval": [held(one.coverage) if one else "–" for one in live],
        "Interval's width": [off(one.width, cost.unit) if one else "–" for one in live],
        "Extrapolated": [share(one.extrapolated) if one else "–" for one in live],
    }
    st.table(columns, border="horizontal", hide_index=True, alt=f"Live accuracy by arm, {WINDOWS[window]}")
    st.caption(
        "Bias: predicted less true, so that a negative one predicts too little. Named: the caller named the version. "
        "Errors count when the cost was measured, predictions when they were made."
    )


def _comparisons(split: Traffic, cost: Cost) -> None:
    for name, arm in split.arms.items():
        if arm.against_champion is not None:
            st.markdown(compared(name, arm.against_champion, cost.unit))


def compared(arm: str, found: ArmComparison, unit: str) -> str:
    """Whether an arm is better than the champion, in a sentence."""
    unit = "%" if found.measure == "mape" else unit
    hours = "1 hour" if found.hours == 1 else f"{found.hours} hours"
    if found.lower is None or found.upper is None:
        return f":gray[{arm.capitalize()} against champion: open; {hours} of both so far, 24 are needed]"
    told = f"{signed(found.lower, unit)} to {signed(found.upper, unit)} mean error over {hours}"
    verdict = f"{found.better} is better" if found.better else "no difference seen"
    return f"**{arm.capitalize()} against champion**: {verdict} ({told})"


def _measures(cost: Cost, promised: HeldOutMetrics | None) -> Sequence[Measure]:
    unit = symbol(cost.unit)
    error = (
        Measure("Mean error", "% of the true cost", "mape", promised.mape if promised else None)
        if cost.relative
        else Measure("Mean error", unit, "mae", promised.mae if promised else None)
    )
    return [
        error,
        Measure("Bias, predicted less true", unit, "bias", 0.0),
        Measure("Share inside the 90 % interval", "%", "coverage", _PROMISED),
        Measure("Width of the 90 % interval", unit, "width", promised.width.get("0.9") if promised else None),
    ]


def _figures(arms: Sequence[Arm], measures: Sequence[Measure]) -> None:
    st.caption("Dashed: what was promised: the error and width on rows that training never saw, no bias, 90 % inside.")
    columns = st.columns(2, gap="medium")
    for number, measure in enumerate(measures):
        with columns[number % len(columns)]:
            _figure(arms, measure)


def _figure(arms: Sequence[Arm], measure: Measure) -> None:
    st.markdown(f"**{measure.title}**")
    names = list(WINDOWS.values())
    values = {arm.title: [measure.of(arm.live.get(window)) for window in WINDOWS] for arm in arms}
    series = [
        Series(arm.title, names, values[arm.title], _MEANINGS[arm.name], dash=number) for number, arm in enumerate(arms)
    ]
    figure = lines(
        palette(), series, x_title="window", y_title=f"{measure.title} ({measure.unit})", wanted=measure.promised,
        marked=True, y_range=(0, 100) if measure.field == "coverage" else None,
    )  # fmt: skip
    told = "; ".join(f"{name}: {', '.join(amount(value) for value in found)}" for name, found in values.items())
    promised = "" if measure.promised is None else f", promised {amount(measure.promised)}"
    alt = f"{measure.title} ({measure.unit}) over {', '.join(names)}{promised}. {told}"
    show(figure, measure.title, alt=alt, table={"Window": names, **values})
