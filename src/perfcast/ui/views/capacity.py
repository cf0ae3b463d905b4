"""Capacity: what a service's load does to its cost, one curve a cause, against the rows that were measured."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from perfcast.ui._server import client, fresh, told, workload_named, workloads
from perfcast.ui.charts import Curve, Points, curve, gauge
from perfcast.ui.parts import (
    DAY,
    HOUR,
    Scenario,
    amount,
    band_of,
    cost_axis,
    cost_title,
    form,
    head,
    keep,
    kept,
    off,
    palette,
    presets,
    say_missing,
    share,
    show,
    sweepable,
    symbol,
    title,
    with_unit,
)
from perfcast.ui.parts.capacity import headroom, runway
from perfcast_client import ApiError, NotFound
from perfcast_client.answers import DatasetRows, FeatureEntry, WorkloadDetails

_STEPS = 49
_MEASURED = 2_000
_ALIKE = 150
_COVERAGE = 0.9
_WEEKDAY, _SUNDAY = 1, 6


def page() -> None:
    """The whole page."""
    head(
        "Capacity",
        "What does load do to your service? Move a slider; every curve follows, with the rows measured behind.",
    )
    with told():
        series = {name: one for name, one in workloads().items() if one.series}
        models = {one.default_model: name for name, one in series.items() if one.default_model in one.models}
        models |= {model: name for name, one in series.items() for model in one.models}
        if not models:
            st.info("No model of a service answers yet. Train one on your own rows: `perfcast train --dataset NAME`.")
            return
        say_missing("service", models)
        model = st.selectbox("Service", list(models), key="service", bind="query-params", width=360)
        _look(workload_named(models[model]), model)


def _look(workload: WorkloadDetails, model: str) -> None:
    rows = _rows(model)
    ranges = {one.name: _range(one, rows) for one in sweepable(workload)}
    left, right = st.columns([4, 6], gap="large")
    with left:
        presets(workload)
        scenario = form(workload, start=_middle(rows), ranges=ranges)
        limit = _limit(workload)
    with right:
        answer = client().predict(scenario.row(), model=model, coverage=_COVERAGE)
        unit = workload.cost.unit
        st.metric(f"{cost_title(workload.cost)}, predicted", amount(answer.cost, unit))
        st.caption(_verdict(answer.cost, answer.upper, limit, unit))
        figure = gauge(
            palette(), answer.cost, unit=symbol(unit), lower=answer.lower, upper=answer.upper,
            maximum=workload.cost.maximum, limit=limit,
        )  # fmt: skip
        show(figure, "gauge", alt=_verdict(answer.cost, answer.upper, limit, unit))
        keep("capacity", f"{model}: {_words(scenario)}", amount(answer.cost, unit))
    with told():
        headroom(workload, model, scenario, limit)
    with told():
        runway(workload, model, limit)
    _causes(workload, model, scenario, rows, ranges, limit)
    if scenario.hour is not None:
        _times(workload, model, scenario, limit)
    kept()


def _rows(model: str) -> DatasetRows | None:
    """Rows that the model's champion learnt from; None where it has none, such as an imported model."""
    data = fresh(lambda api: api.models.metrics(model), f"metrics {model}").data
    if data is None:
        return None
    dataset = f"{data.name}@{data.digest}"
    try:
        return fresh(lambda api: api.datasets.rows(dataset, limit=_MEASURED), f"rows {dataset}")
    except NotFound:  # removed since
        return None
    except ApiError as error:
        st.caption(f":material/warning: The rows that it learnt from can't be shown: {error.detail}")
        return None


def _middle(rows: DatasetRows | None) -> Mapping[str, float] | None:
    """The median of each measured column."""
    if rows is None:
        return None
    numbers = {
        name: column for name, column in rows.columns.items() if all(isinstance(one, (int, float)) for one in column)
    }
    return {name: float(np.median(column)) for name, column in numbers.items()}


def _range(feature: FeatureEntry, rows: DatasetRows | None) -> tuple[float, float]:
    """From nothing, or less where that was measured, to half as much again as was measured."""
    measured = rows.columns.get(feature.name) if rows is not None else None
    least = feature.minimum if feature.minimum is not None else min([0.0, *(measured or ())])
    most = 1.5 * max(measured) if measured else 0.0
    if most <= least:  # nothing was measured, or only the least
        most = max(100.0, 10 * least)
    return least, min(most, feature.maximum) if feature.maximum is not None else most


def _limit(workload: WorkloadDetails) -> float:
    cost = workload.cost
    if cost.maximum is None:
        return float(
            st.number_input(f"Limit ({symbol(cost.unit)})", 0.0, None, 100.0, key="limit", bind="query-params")
        )
    label = f"Limit ({symbol(cost.unit)})"
    return float(st.slider(label, 0.0, cost.maximum, 0.8 * cost.maximum, 1.0, "%.0f", key="limit", bind="query-params"))


def _verdict(cost: float, upper: float | None, limit: float, unit: str) -> str:
    if cost > limit:
        return f":red[:material/error: over the limit of {amount(limit, unit)}]"
    if upper is not None and upper > limit:
        return f":orange[:material/warning: may pass the limit of {amount(limit, unit)}: up to {amount(upper, unit)}]"
    if upper is None:
        return "no interval: this version is not calibrated"
    room = f", {off(limit - upper, unit)} below the limit"
    return f"in {share(100 * _COVERAGE)} of cases not above {amount(upper, unit)}{room}"


def _words(scenario: Scenario) -> str:
    told = ", ".join(f"{title(name).lower()} {value:g}" for name, value in scenario.features.items())
    return told if scenario.hour is None else f"{told}, {scenario.hour:g} h"


def _causes(
    workload: WorkloadDetails,
    model: str,
    scenario: Scenario,
    rows: DatasetRows | None,
    ranges: Mapping[str, tuple[float, float]],
    limit: float,
) -> None:
    st.header("By cause", divider="gray", help="All else as above; dots are the measured rows most like it.")
    causes = sweepable(workload)
    places: list[DeltaGenerator] = []
    for left in range(len(causes), 0, -2):
        places += st.columns(min(2, left), gap="medium")  # one that is left over has the whole width
    for place, feature in zip(places, causes, strict=True):
        least, most = ranges[feature.name]
        values = [float(value) for value in np.linspace(least, most, _STEPS)]
        with place:
            _sweep(
                workload, model, [scenario.row(**{feature.name: value}) for value in values], values,
                with_unit(feature.name, feature.unit), f"{title(feature.name)}: impact",
                measured=alike(workload, rows, scenario, feature.name), here=scenario.features.get(feature.name),
                limit=limit,
            )  # fmt: skip


def _times(workload: WorkloadDetails, model: str, scenario: Scenario, limit: float) -> None:
    st.header("By time", divider="gray", help="The same load at other times.")
    minutes = (scenario.hour or 0.0) % 1  # the same of every hour: the curve then passes through the hour chosen
    hours = [hour + minutes for hour in range(24)]
    for column, day, name in zip(
        st.columns(2, gap="medium"), (_WEEKDAY, _SUNDAY), ("A business day", "A Sunday"), strict=True
    ):
        with column:
            rows = [scenario.row(**{HOUR: hour, DAY: day}) for hour in hours]
            _sweep(workload, model, rows, hours, "Hour of the day (h)", name, here=scenario.hour, limit=limit)


def _sweep(
    workload: WorkloadDetails,
    model: str,
    rows: Sequence[Mapping[str, Any]],
    values: Sequence[float],
    x_title: str,
    name: str,
    *,
    limit: float,
    measured: Points | None = None,
    here: float | None = None,
) -> None:
    found = client().predict_batch(rows, model=model, coverage=_COVERAGE)
    one = Curve("predicted", values, found.cost, band_of(found))
    most = workload.cost.maximum
    figure = curve(
        palette(), [one], x_title=x_title, y_title=cost_axis(workload.cost), measured=measured, here=here, limit=limit,
        y_range=(0.0, most) if most is not None else None,
    )  # fmt: skip
    st.markdown(f"**{name}**")
    table = {x_title: values, "predicted": found.cost, "lower": found.lower, "upper": found.upper}
    lowest, highest = min(found.cost), max(found.cost)
    unit = workload.cost.unit
    show(figure, name, alt=f"{name}: from {amount(lowest, unit)} to {amount(highest, unit)}", table=table)


def alike(workload: WorkloadDetails, rows: DatasetRows | None, scenario: Scenario, along: str) -> Points | None:
    """The measured rows that are most like a scenario in all stated features but one."""
    if rows is None or along not in rows.columns:
        return None
    others = [one.name for one in sweepable(workload) if one.name != along and one.name in scenario.features]
    distance = np.zeros(rows.shown)
    for name in others:
        column = np.asarray(rows.columns[name], float)
        spread = float(np.subtract(*np.quantile(column, [0.9, 0.1]))) or 1.0
        distance += ((column - float(scenario.features[name])) / spread) ** 2
    nearest = np.argsort(distance, kind="stable")[:_ALIKE]
    return Points(
        [float(rows.columns[along][n]) for n in nearest],
        [float(rows.columns[rows.cost][n]) for n in nearest],
        "measured, most alike",
    )


if __name__ == "__main__":  # Streamlit runs it; tests import it
    page()
