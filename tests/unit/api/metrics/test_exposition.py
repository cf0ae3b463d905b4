"""What Prometheus is shown: every metric by its name, kind and labels, each from where it comes."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from prometheus_client.parser import text_string_to_metric_families
from starlette.testclient import TestClient
from tests.drafts import draft, weighted
from tests.patience import until

from perfcast.api import Services
from perfcast.api.metrics import METRICS
from perfcast.registry import Registry
from perfcast.storage import schema, time_text
from perfcast.workloads import builtin_workloads

LOAD = {"request_rate": 100, "active_users": 1, "db_connections": 1, "timestamp": "2026-03-02T14:05:00Z"}
MODEL = "cpu-utilization"


def families(client: TestClient) -> dict[str, Any]:
    """Every family by the name that is exposed."""
    found = text_string_to_metric_families(client.get("/metrics").text)
    return {f"{one.name}_total" if one.type == "counter" else one.name: one for one in found}


def value(client: TestClient, name: str, **labels: str) -> float | None:
    """One sample's value; None where there is no such."""
    family = families(client).get(name)
    samples = [] if family is None else family.samples
    return next((one.value for one in samples if one.name == name and one.labels == labels), None)


def test_what_is_shown_is_in_the_catalogue_with_its_kind_and_its_labels(client: TestClient) -> None:
    client.post("/predict", json=LOAD)
    client.post("/predict", json={})
    shown = families(client)
    assert set(shown) <= set(METRICS)
    for name, family in shown.items():
        assert (family.type, family.documentation) == (METRICS[name].kind, METRICS[name].meaning)
        for sample in family.samples:
            assert sample.labels.keys() - {"le"} == set(METRICS[name].labels), name
    assert {"http_requests_total", "ml_predictions_total", "process_resident_memory_bytes"} <= set(shown)


def test_buckets_tell_quantiles_between_50_microseconds_and_a_second(client: TestClient) -> None:
    client.post("/predict", json=LOAD)
    buckets = families(client)["ml_prediction_duration_seconds"].samples
    bounds = [float(one.labels["le"]) for one in buckets if one.name.endswith("_bucket")]
    inside = [bound for bound in bounds if 25e-6 <= bound <= 1]
    assert max(high / low for low, high in pairwise(inside)) < 1.61
    assert (inside[0], inside[-1], bounds[-2]) == (25e-6, 1.0, 10.0)


def test_errors_are_told_by_model_and_kind(client: TestClient) -> None:
    client.post("/predict", json={"model_name": MODEL, "request_rate": "many"})
    client.post("/predict", json={**LOAD, "model_name": "nobody"})
    client.post("/predict/batch", json=[LOAD, {**LOAD, "request_rate": -1}])
    errors = "ml_prediction_errors_total"
    assert value(client, errors, model_name=MODEL, kind="invalid") == 1
    assert value(client, errors, model_name="unknown", kind="unknown_model") == 1
    assert value(client, errors, model_name="unknown", kind="invalid") == 1
    assert value(client, "ml_batch_rows_count", form="list") is None  # of a histogram, a sample's name is longer
    rows = {one.name: one.value for one in families(client)["ml_batch_rows"].samples if one.labels == {"form": "list"}}
    assert rows == {"ml_batch_rows_count": 1, "ml_batch_rows_sum": 2}


def test_extrapolated_answers_are_counted_one_by_one_and_in_batches(client: TestClient, registry: Registry) -> None:
    workload = builtin_workloads()[MODEL]
    graph = weighted(workload, request_rate=0.1)
    registry.add("narrow", draft(workload, graph, ranges={"request_rate": (0.0, 200.0)}))
    registry.point("narrow", "champion", 1)
    inside = {**LOAD, "model_name": "narrow"}
    beyond = {**inside, "request_rate": 300}
    until(lambda: client.post("/predict", json=inside).status_code == 200)
    told = [client.post("/predict", json=beyond).json()["extrapolated"]]
    answer = client.post("/predict/batch", json=[inside, beyond, beyond]).json()["results"]
    told += [one["extrapolated"] for one in answer]
    columns = {name: [value] * 2 for name, value in LOAD.items()} | {"request_rate": [300, 100]}
    reply = client.post("/predict/batch?model_name=narrow", json={"columns": columns})
    assert reply.status_code == 200, reply.text
    told += reply.json()["columns"]["extrapolated"]
    assert [bool(names) for names in told] == [True, False, True, True, True, False]
    assert value(client, "ml_extrapolated_predictions_total", model_name="narrow") == 4


def test_the_version_that_answers_is_told_with_its_workload(client: TestClient) -> None:
    client.post("/predict", json=LOAD)
    about = {"model_name": MODEL, "version": "1", "type": "xgboost", "workload": MODEL, "alias": "champion"}
    assert value(client, "ml_model_info", **about) == 1
    assert value(client, "ml_workload_predictions_total", workload=MODEL) == 1
    until(lambda: value(client, "ml_model_activated_timestamp_seconds", model_name=MODEL))
    assert value(client, "ml_model_loads_total") == 1


def test_layers_of_popular_networks_are_counted_at_any_batch_size(
    client: TestClient, registry: Registry, services: Services
) -> None:
    workload = builtin_workloads()["cnn-execution-time"]
    registry.add("conv", draft(workload, weighted(workload, batch_size=1)))
    registry.point("conv", "champion", 1)
    layer = {"input_channels": 3, "input_height": 224, "input_width": 224, "output_channels": 64, "kernel_size": 7}
    body = {"model_name": "conv", "features": {**layer, "stride": 2, "padding": 3, "batch_size": 32}}
    until(lambda: client.post("/predict", json=body).status_code == 200)
    counts = "ml_preset_predictions_total"
    until(lambda: value(client, counts, workload="cnn-execution-time", preset="resnet_bottleneck")
          or value(client, counts, workload="cnn-execution-time", preset="resnet_basic"))  # fmt: skip
    body["features"]["input_width"] = 200  # type: ignore[index]
    presets = families(client)[counts].samples
    client.post("/predict", json=body)
    services.records.flush()  # type: ignore[union-attr]
    assert families(client)[counts].samples == presets


def test_callers_are_counted_and_probes_are_none(client: TestClient) -> None:
    assert value(client, "http_callers", window="1h") == 0
    client.post("/predict", json=LOAD)
    client.get("/models")
    assert value(client, "http_callers", window="1h") == value(client, "http_new_callers_total") == 1


def test_what_lies_in_sql_is_shown(client: TestClient, services: Services) -> None:
    now = time_text(datetime.now(UTC))
    live = dict.fromkeys((column.name for column in schema.live_accuracy.c), 0)
    live |= {"model": MODEL, "version": 1, "arm": "champion", "at": now, "actuals": 4, "percents": 2, "percent": 30.0}
    live |= {"error": -2.0, "absolute": 6.0, "covered": 3, "judged_intervals": 4, "width": 10.0, "intervals": 5}
    findings = {
        "state": {"inputs": True, "error": False},
        "alarms": {"inputs": 2},
        "findings": [
            {"kind": "inputs", "feature": "request_rate", "score": 1.25},
            {"kind": "error", "feature": None, "score": 0.5},
        ],
    }
    with services.database.begin() as connection:
        connection.execute(schema.live_accuracy.insert().values(**live))
        connection.execute(schema.watched.insert().values(model=MODEL, updated_at=now, state={}, findings=findings))
        since = connection.scalar(sa.select(schema.alias.c.updated_at))
        state = {"shown": {"actuals": 60, "moves": {}, "means": {"0.9": [-1.5, 2.5]}}}
        given = {"model": MODEL, "version": 1, "since": since, "updated_at": now, "state": state}
        connection.execute(schema.correction.insert().values(**given))
        event = {"model": MODEL, "at": now, "kind": "fired", "trigger": "cron", "reason": "due"}
        connection.execute(schema.schedule_event.insert().values(**event))
    arm = {"model_name": MODEL, "arm": "champion", "version": "1"}
    until(lambda: value(client, "ml_live_actuals_total", **arm) == 4)
    for window in ("1h", "24h", "7d"):
        figures = [
            value(client, f"ml_live_{name}", **arm, window=window)
            for name in ("mae", "mape_percent", "bias", "coverage_percent", "interval_width")
        ]
        assert figures == [1.5, 15.0, -0.5, 75.0, 2.0]
    assert value(client, "ml_drift_score", model_name=MODEL, feature="request_rate") == 1.25
    assert value(client, "ml_drift_score", model_name=MODEL, feature="error") == 0.5
    assert value(client, "ml_drift_state", model_name=MODEL, kind="inputs") == 1
    assert value(client, "ml_drift_alarms_total", model_name=MODEL, kind="inputs") == 2
    assert value(client, "ml_interval_correction", model_name=MODEL, version="1", side="lower") == -1.5
    assert value(client, "ml_interval_correction", model_name=MODEL, version="1", side="upper") == 2.5
    assert value(client, "perfcast_schedule_fired_total", model_name=MODEL, trigger="cron") == 1
    assert value(client, "perfcast_jobs", status="queued") == 0
    assert value(client, "perfcast_health", status="healthy") == 1
    assert value(client, "perfcast_dependency_up", dependency="database") == 1


def test_the_queue_is_shown(client: TestClient, services: Services) -> None:
    job = {column.name: None for column in schema.job.c}
    texts = dict.fromkeys(("workload", "dataset", "stage", "outcome"), "")
    numbers = dict.fromkeys(("attempt", "handed_back", "spent_seconds", "trial", "n_trials"), 0)
    rows = [
        ("1", "succeeded", 1.0, 30.0), ("2", "succeeded", 1.0, 40.0), ("3", "failed", 0.2, 5.0),
        ("4", "running", 0.25, 0.0), ("5", "queued", 0.0, 0.0),
    ]  # fmt: skip
    created = time_text(datetime.now(UTC) - timedelta(minutes=10))
    with services.database.begin() as connection:
        for name, status, progress, seconds in rows:
            about = {"id": name, "status": status, "progress": progress, "spent_seconds": seconds, "model": MODEL}
            always = {"created_at": created, "request": {}, "trials": []}
            connection.execute(schema.job.insert().values(**{**job, **texts, **numbers, **about, **always}))
    until(lambda: value(client, "perfcast_jobs", status="queued") == 1)
    assert value(client, "perfcast_jobs", status="running") == 1
    assert value(client, "perfcast_job_outcomes_total", model_name=MODEL, status="succeeded") == 2
    assert value(client, "perfcast_job_outcomes_total", model_name=MODEL, status="failed") == 1
    assert value(client, "perfcast_job_progress", model_name=MODEL) == 0.25
    assert value(client, "perfcast_job_last_seconds", model_name=MODEL) == 40
    assert (value(client, "perfcast_job_oldest_queued_seconds") or 0) > 590


def test_findings_that_can_not_be_read_hide_nothing_else(client: TestClient, services: Services) -> None:
    with services.database.begin() as connection:
        for model, findings in (
            ("broken", {"findings": [{"score": "high"}]}),
            ("right", {"state": {}, "alarms": {"error": 1}, "findings": []}),
        ):
            row = {"model": model, "updated_at": "", "state": {}, "findings": findings}
            connection.execute(schema.watched.insert().values(**row))
    until(lambda: value(client, "ml_drift_alarms_total", model_name="right", kind="error") == 1)
    assert value(client, "perfcast_jobs", status="queued") == 0


def test_the_docs_have_every_metric() -> None:
    page = (Path(__file__).parents[4] / "docs" / "metrics.md").read_text()
    for name, metric in METRICS.items():
        labels = ", ".join(f"`{label}`" for label in metric.labels)
        assert f"| `{name}` | {metric.kind} | {labels} | {metric.meaning} |" in page
