"""Why: what each parameter of a scenario adds to its prediction; a section of the page Predict."""

import math
from collections.abc import Sequence

import streamlit as st

from perfcast.ui._server import client
from perfcast.ui.charts import contributions
from perfcast.ui.parts import Scenario, amount, cost_axis, palette, show, symbol, title, with_unit
from perfcast_client import InvalidRequest
from perfcast_client.answers import Contribution, Explanation, WorkloadDetails

_SHOWN = 8
"""Most bars; what adds least is one together."""


def why(workload: WorkloadDetails, scenario: Scenario, models: Sequence[str]) -> None:
    """The section, for one of the models."""
    st.header("Why", divider="gray")
    model = models[0]
    if len(models) > 1:
        model = str(st.segmented_control("Of which model", models, default=model, key="why model", required=True))
    try:
        found = client().explain(scenario.row(), model=model)
    except InvalidRequest as refused:
        st.caption(f"Not known: {refused.detail}")
        return
    unit, factors = workload.cost.unit, found.typical_value is not None
    start = found.base_value if found.typical_value is None else found.typical_value
    names, steps = _bars(workload, found.contributions, factors=factors)
    st.caption(
        f"{amount(start, unit)} is usual among what the model has learnt from. From there each parameter "
        f"{'multiplies by' if factors else 'adds'} so much, and together they come to {amount(found.prediction, unit)}."
    )
    figure = contributions(palette(), names, steps, start=start, x_title=cost_axis(workload.cost), factors=factors)
    alt = f"From {amount(start, unit)} to {amount(found.prediction, unit)}: {', '.join(names)}"
    show(figure, "why", alt=alt, table=_table(workload, found))


def _bars(workload: WorkloadDetails, found: Sequence[Contribution], *, factors: bool) -> tuple[list[str], list[float]]:
    """Names and steps, the largest first."""
    steps = [one.contribution if one.factor is None else one.factor for one in found]
    names, few = [_named(workload, one) for one in found], len(found) <= _SHOWN
    if few:
        return names, steps
    rest = steps[_SHOWN - 1 :]
    return [*names[: _SHOWN - 1], "All others"], [*steps[: _SHOWN - 1], math.prod(rest) if factors else sum(rest)]


def _table(workload: WorkloadDetails, found: Explanation) -> dict[str, Sequence[float | str | None]]:
    unit = symbol(workload.cost.unit)
    columns: dict[str, Sequence[float | str | None]] = {
        "Parameter": [_named(workload, one) for one in found.contributions],
        f"Adds ({unit})" if unit else "Adds": [one.contribution for one in found.contributions],
    }
    factors = {"Times": [one.factor for one in found.contributions]}
    return columns if found.typical_value is None else {**columns, **factors}


def _named(workload: WorkloadDetails, one: Contribution) -> str:
    if one.value is None:
        return "Time" if one.feature == "timestamp" else title(one.feature)
    unit = next(feature.unit for feature in workload.features if feature.name == one.feature)
    return f"{with_unit(one.feature, unit)}: {one.value if isinstance(one.value, str) else f'{one.value:g}'}"
