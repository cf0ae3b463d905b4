"""Predict: one scenario, answered by one model or several side by side, and swept along one parameter."""

from collections.abc import Mapping, Sequence

import streamlit as st

from perfcast.ui._server import client, told, workload_named, workloads
from perfcast.ui.charts import Curve, curve, gauge
from perfcast.ui.parts import (
    Scenario,
    amount,
    band_of,
    cost_axis,
    cost_title,
    form,
    head,
    keep,
    kept,
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
from perfcast.ui.parts.predict import why
from perfcast_client.answers import Prediction, WorkloadDetails

_COVERAGES = (0.5, 0.8, 0.9, 0.95, 0.99)
_STEPS = 61
_FEW = 31


def page() -> None:
    """The whole page."""
    head("Predict", "What will it cost? Describe the load or the layer; each answer says how far to trust it.")
    with told():
        names = {one.title: name for name, one in workloads().items()}
        chosen = st.segmented_control(
            "What", list(names), default=next(iter(names)), key="what", bind="query-params",
            required=True, label_visibility="collapsed",
        )  # fmt: skip
        workload = workload_named(names[str(chosen)])
        if not _answering(workload):
            st.info(f"No model answers for it yet. Train one: `perfcast train --workload {workload.name}`")
            return
        _ask(workload)


def _ask(workload: WorkloadDetails) -> None:
    left, right = st.columns([5, 6], gap="large")
    with left:
        models = _models(workload)
        presets(workload)
        scenario = form(workload)
        coverage = st.select_slider(
            "Share of cases that the interval holds", _COVERAGES, 0.9, format_func=lambda value: share(100 * value),
            key="coverage", bind="query-params",
        )  # fmt: skip
    with right, told():
        answers = {model: client().predict(scenario.row(), model=model, coverage=coverage) for model in models}
        _answers(workload, answers)
        words = ", ".join(f"{title(name).lower()} {value}" for name, value in scenario.features.items())
        keep(
            "predict",
            words,
            "; ".join(f"{model}: {amount(one.cost, workload.cost.unit)}" for model, one in answers.items()),
        )
    with told():
        why(workload, scenario, models)
    with told():
        _sweep(workload, scenario, models, coverage)
    kept()


def _answering(workload: WorkloadDetails) -> list[str]:
    return [model.name for model in workload.models if model.champion is not None]


def _models(workload: WorkloadDetails) -> Sequence[str]:
    names = _answering(workload)
    first = workload.default_model if workload.default_model in names else names[0]
    key = f"{workload.name} models"
    say_missing(key, names)
    chosen = st.multiselect(
        "Models, side by side", names, [first],
        key=key, bind="query-params",
        help="A model's name is its champion. Choose several to compare them.",
    )  # fmt: skip
    return chosen or [first]


def _answers(workload: WorkloadDetails, answers: Mapping[str, Prediction]) -> None:
    unit = workload.cost.unit
    ends = [bound for one in answers.values() for bound in (one.cost, one.upper or one.cost)]
    for model, one in answers.items():
        st.metric(f"{cost_title(workload.cost)} · {model} · version {one.model_version}", amount(one.cost, unit))
        st.caption(_trust(one, unit))
        figure = gauge(
            palette(), one.cost, unit=symbol(unit), lower=one.lower, upper=one.upper,
            maximum=workload.cost.maximum, least_end=max(ends),
        )  # fmt: skip
        show(figure, f"gauge {model}", alt=f"{amount(one.cost, unit)}, {_trust(one, unit)}")


def _trust(one: Prediction, unit: str) -> str:
    if one.lower is None or one.upper is None:
        return "no interval: this version is not calibrated"
    words = f"{share(100 * one.coverage)} of cases lie between {amount(one.lower, unit)} and {amount(one.upper, unit)}"
    if not one.lower <= one.cost <= one.upper:
        words += "  \n:orange[:material/info: true costs lay beside what it says lately; the interval follows them]"
    if one.extrapolated:
        names = ", ".join(title(name).lower() for name in one.extrapolated)
        words += f"  \n:red[:material/warning: outside what it was trained on: {names}]"
    return words


def _sweep(workload: WorkloadDetails, scenario: Scenario, models: Sequence[str], coverage: float) -> None:
    st.header("Along one parameter", divider="gray")
    features = {with_unit(one.name, one.unit): one for one in sweepable(workload)}
    left, right = st.columns([1, 2], gap="medium")
    with left:
        label = st.selectbox("Parameter", list(features), key=f"{workload.name} along", bind="query-params")
    feature = features[label]
    present = scenario.features.get(feature.name)
    if present is None:
        st.caption(f"Give {label} a value to sweep it.")
        return
    with right:
        most = st.slider(
            "Up to, as a multiple of its value",
            1.5,
            10.0,
            3.0,
            0.5,
            key="sweep to",
            format="%.1f ×",
            bind="query-params",
        )
    values = steps(float(present), most, feature.minimum, feature.maximum, whole=feature.type == "integer")
    rows = [scenario.row(**{feature.name: value}) for value in values]
    curves: list[Curve] = []
    table: dict[str, Sequence[float | None]] = {label: values}
    for model in models:
        found = client().predict_batch(rows, model=model, coverage=coverage)
        curves.append(Curve(model, values, found.cost, band_of(found)))
        table |= {f"{model}": found.cost, f"{model}, lower": found.lower, f"{model}, upper": found.upper}
    figure = curve(palette(), curves, x_title=label, y_title=cost_axis(workload.cost), here=float(present))
    alt = f"{cost_title(workload.cost)} along {title(feature.name).lower()}, from {values[0]:g} to {values[-1]:g}"
    show(figure, "sweep", alt=alt, table=table)


def steps(present: float, most: float, minimum: float | None, maximum: float | None, *, whole: bool) -> list[float]:
    """Values from a parameter's least, or zero, to a multiple of its present value, within its bounds.

    Of a value below zero without a bound, from its multiple to itself.
    """
    first = minimum if minimum is not None else min(0.0, present * most)
    last = max(present, present * most, first + (_FEW if whole else 1))
    last = last if maximum is None else min(last, maximum)
    values = [first + (last - first) * step / (_STEPS - 1) for step in range(_STEPS)]
    return sorted({float(round(value)) for value in values}) if whole else values


if __name__ == "__main__":  # Streamlit runs it; tests import it
    page()
