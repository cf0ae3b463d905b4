"""How far predictions are off, in the terms that suit a cost: MAE, or percent where costs are judged relatively."""

from perfcast.ui._server import fresh, workloads
from perfcast.ui.parts._words import amount, off
from perfcast_client.answers import Cost, HeldOutMetrics, LiveAccuracy, VersionMetrics

UNKNOWN = Cost("", "", None, None, relative=False, meaning="")
"""Of a workload that is not declared here (any more)."""


def cost_of(workload: str) -> Cost:
    """What a workload's models predict."""
    found = workloads().get(workload)
    return UNKNOWN if found is None else found.cost


def metrics_of(reference: str) -> VersionMetrics:
    """How good a version is, and how it was found."""
    return fresh(lambda api: api.models.metrics(reference), f"metrics {reference}")


def off_unit(cost: Cost) -> str:
    """What differences of this cost are in: percentages are so many points apart."""
    return "points" if cost.unit == "percent" else cost.unit


def measure(cost: Cost) -> str:
    """What errors of this cost are told in."""
    return "MAPE" if cost.relative else "MAE"


def held_out_error(metrics: HeldOutMetrics | None, cost: Cost) -> str:
    """The error on held-out rows, a dash where nobody measured it."""
    if metrics is None:
        return "–"
    if not cost.relative:
        return f"MAE {off(metrics.mae, cost.unit)}"
    return f"MAPE {amount(metrics.mape, '%')}, median {amount(metrics.median_ape, '%')}"


def live_error(live: LiveAccuracy | None, cost: Cost) -> str:
    """The error on actuals, a dash where there are none."""
    if live is None or not live.actuals:
        return "–"
    figure = amount(live.mape, "%") if cost.relative else off(live.mae, cost.unit)
    return f"{measure(cost)} {figure}"


def family(name: str | None) -> str:
    """A family's name as people write it."""
    return "–" if name is None else _FAMILIES.get(name, name.replace("_", " "))


_FAMILIES = {"xgboost": "XGBoost", "lightgbm": "LightGBM", "catboost": "CatBoost", "onnx": "ONNX"}
