"""Jobs in words: how one stands, what its score is, which families there are."""

from collections.abc import Mapping
from typing import Literal

from perfcast.ui._server import workloads
from perfcast.ui.parts._words import amount, off, symbol
from perfcast_client.answers import TrainingJob

FAMILIES: Mapping[str, tuple[str, str]] = {
    "xgboost": ("XGBoost", "boosted trees: the strongest on most tables, and small"),
    "random_forest": ("Random forest", "averaged trees: hard to get wrong, rarely the best"),
    "polynomial": ("Polynomial", "a smooth curve: right where there are few rows, and goes on beyond them"),
    "neural_network": ("Neural network", "a small network: smooth, wants more rows and time"),
    "ensemble": ("Ensemble", "the mean of the best of each family: often better than any of them"),
}
"""The server's families: their titles, and what each is good for; a test compares the names."""

_Colour = Literal["gray", "primary", "red", "orange"]
STATUSES: Mapping[str, tuple[str, str, _Colour]] = {
    "queued": ("Queued", ":material/schedule:", "gray"),
    "running": ("Running", ":material/progress_activity:", "primary"),
    "succeeded": ("Succeeded", ":material/check_circle:", "primary"),
    "failed": ("Failed", ":material/error:", "red"),
    "cancelled": ("Cancelled", ":material/cancel:", "gray"),
}
"""What each status is called, with its icon and colour."""

STAGES: Mapping[str, str] = {
    "preparing": "Reading and splitting the rows",
    "searching": "Searching",
    "fitting": "Fitting the best of each family",
    "registering": "Registering the versions",
}


def family_title(name: str | None) -> str:
    """A family's title; a dash for none."""
    return "–" if name is None else FAMILIES.get(name, (name, ""))[0]


def families_title(names: list[str]) -> str:
    """Which families are tried."""
    return ", ".join(family_title(name) for name in names) or "all"


def status_title(job: TrainingJob) -> str:
    """How a job stands."""
    if job.cancel_requested and not job.finished:
        return "Being cancelled"
    return STATUSES.get(job.status, (job.status, "", "gray"))[0]


def stage_title(job: TrainingJob) -> str:
    """What a job is doing."""
    if job.status == "queued":
        return "Waits for a worker" if job.retry_at is None else "Waits to be tried again"
    return STAGES.get(job.stage or "", "Beginning")


def error_title(metric: str | None) -> str:
    """What a score is."""
    return {"mae": "Mean absolute error", "mape": "Mean absolute percentage error"}.get(metric or "", "Error")


def error_unit(metric: str | None, workload: str) -> str:
    """The unit of a score; empty where the server doesn't know the workload."""
    if metric == "mape":
        return "%"
    known = workloads().get(workload)
    if known is None or metric is None:
        return ""
    return "percentage points" if known.cost.unit == "percent" else symbol(known.cost.unit)


def score(job: TrainingJob) -> str:
    """A job's best score with its unit."""
    known = workloads().get(job.workload)
    return (
        off(job.best_score, known.cost.unit)
        if job.metric == "mae" and known is not None
        else amount(job.best_score, "%" if job.metric == "mape" else "")
    )
