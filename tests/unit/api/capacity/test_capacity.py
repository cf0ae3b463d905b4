"""Headroom and what autoscalers read, over HTTP and on the command line."""

import json
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import numpy as np
import pytest
from starlette.testclient import TestClient
from tests.drafts import draft, weighted
from tests.unit.capacity.test_forecast import load

from perfcast.api.capacity._answers import AutoscaleAnswer, HeadroomAnswer, RunwayAnswer
from perfcast.cli import main
from perfcast.datasets import Dataset, Datasets
from perfcast.manifest import DataFacts
from perfcast.registry import Registry
from perfcast.settings import Settings
from perfcast.storage import Blobs, Database
from perfcast.workloads import builtin_workloads, clock_columns, workload_from_document
from perfcast_client import calls

CPU = builtin_workloads()["cpu-utilization"]
MODEL = "cpu-utilization"
LOAD = {"request_rate": 100, "active_users": 50, "db_connections": 25, "timestamp": "2026-03-02T14:05:00Z"}
ROWS = "watched"


@pytest.fixture
def sized(registry: Registry) -> Registry:
    """A champion: 0.4 a request and 0.2 a user, of whom half a one comes with each request; ±2, ±4 above 50."""
    made = draft(
        CPU,
        weighted(CPU, request_rate=0.4, active_users=0.2),
        ranges={"request_rate": (0, 120), "active_users": (0, 60)},
    )
    facts = DataFacts(ROWS, "", 1, 1, {}, "by time")
    manifest = msgspec.structs.replace(made.manifest, path={"request_rate": {"active_users": 0.5}}, data=facts)
    registry.point(MODEL, "champion", registry.add(MODEL, type(made)(made.graph, manifest)).number)
    return registry


@pytest.fixture
def keep(settings: Settings) -> Callable[[float], None]:
    """Keeps a dataset whose newest row was measured so many seconds ago."""

    def keep(seconds: float) -> None:
        newest = np.datetime64((datetime.now(UTC) - timedelta(seconds=seconds)).replace(tzinfo=None), "us")
        moments = newest - np.arange(3).astype("timedelta64[m]")
        features = np.array([[90 - 10 * at, 45, 20, 0, 1, 0, 1, 0] for at in range(3)], np.float32)
        cost = np.array([30, 31, 32], np.float32)
        database = Database(settings.database_address)
        Datasets(database, Blobs(settings.artifacts_address)).add(
            Dataset(ROWS, CPU, features, cost, moments, {"source": "test"})
        )
        database.close()

    return keep


@pytest.mark.usefixtures("sized")
def test_headroom_is_the_load_at_which_the_bound_meets_the_limit(client: TestClient) -> None:
    answer = client.post("/headroom", json={"limit": 84, "scenario": LOAD, "load": 900})
    assert answer.status_code == 200
    found = answer.json()
    HeadroomAnswer.model_validate(found, strict=True)
    most = 100 + (84 - 4 - 50) / 0.5  # users follow: 0.4 + 0.5 · 0.2 a request
    assert found["max_load"] == found["max_request_rate"] == pytest.approx(most, rel=1e-3)
    assert found["current"] == {"load": 100, "prediction": pytest.approx(50), "upper": pytest.approx(52, abs=2.1)}
    assert found["headroom_percent"] == pytest.approx(most - 100, abs=0.2)
    assert found["extrapolated"] == ["request_rate", "active_users"]
    assert (found["observed_max"], found["replicas"], found["limit_reached"]) == (120, 6, True)
    assert found["following"] == {"active_users": "rises by 0.5 with each"}
    assert "beyond what the version has seen" in found["words"]
    assert calls.headroom(LOAD, 84).read(answer.content).max_load == found["max_load"]


@pytest.mark.usefixtures("sized")
def test_other_features_can_be_told_to_scale(client: TestClient) -> None:
    asked = {"limit": 74, "scenario": LOAD, "scale_together": ["active_users"], "confidence": 0.9}
    found = client.post("/headroom", json=asked).json()
    assert found["max_load"] == pytest.approx(140, rel=1e-3)
    assert found["following"] == {"active_users": "in proportion"}


@pytest.mark.parametrize(
    ("change", "status", "told"),
    [
        ({"limit": 120}, 422, "limit"),
        ({"limit": "much"}, 422, "limit"),
        ({"confidence": 0.8}, 422, "0.75, 0.9, 0.95, 0.975, 0.995"),
        ({"vary": "hour_sin"}, 422, "vary"),
        ({"vary": "nothing"}, 422, "request_rate"),
        ({"scale_together": ["hour_cos"]}, 422, "scale_together"),
        ({"scenario": {**LOAD, "request_rate": -3}}, 422, "request_rate"),
        ({"scenario": {}}, 422, "request_rate"),
        ({"load": 0}, 422, "load"),
        ({"load": 1e31}, 422, "load"),
        ({"unknown": 1}, 422, "unknown"),
        ({"model_name": "nobody"}, 400, "nobody"),
    ],
)
@pytest.mark.usefixtures("sized")
def test_what_is_wrong_is_named(client: TestClient, change: dict[str, Any], status: int, told: str) -> None:
    answer = client.post("/headroom", json={"limit": 80, "scenario": LOAD, **change})
    assert answer.status_code == status
    assert told in answer.json()["detail"]


def test_a_version_without_intervals_has_no_headroom(client: TestClient, registry: Registry) -> None:
    version = registry.add(MODEL, draft(CPU, weighted(CPU, request_rate=0.4), calibrated=False))
    asked = {"limit": 80, "scenario": LOAD, "model_name": version.reference}
    answer = client.post("/headroom", json=asked)
    assert answer.status_code == 422
    assert "promises no interval" in answer.json()["detail"]


@pytest.mark.usefixtures("sized")
def test_an_autoscaler_reads_the_bound_at_the_newest_load(client: TestClient, keep: Callable[[float], None]) -> None:
    keep(20)
    answer = client.get(f"/autoscale/{MODEL}")
    assert answer.status_code == 200
    found = answer.json()
    AutoscaleAnswer.model_validate(found, strict=True)
    assert found["prediction"] == pytest.approx(0.4 * 90 + 0.2 * 45)
    assert found["value"] == pytest.approx(0.4 * 90 + 0.2 * 45 + 2)
    assert found["source"].startswith(f"{ROWS}@")
    assert found["features"]["request_rate"] == 90
    keep(1)
    assert client.get(f"/autoscale/{MODEL}").json()["observed_at"] > found["observed_at"]


@pytest.mark.usefixtures("sized")
def test_a_load_in_the_query_is_answered_instead(client: TestClient) -> None:
    answer = client.get(f"/autoscale/{MODEL}", params={**LOAD, "confidence": 0.975})
    assert answer.status_code == 200
    assert (answer.json()["source"], answer.json()["prediction"]) == ("query", pytest.approx(50))
    refused = client.get(f"/autoscale/{MODEL}", params={**LOAD, "request_rate": "many"})
    assert refused.status_code == 422
    assert "request_rate" in refused.json()["detail"]


@pytest.mark.usefixtures("sized")
def test_what_is_stale_or_missing_is_never_a_figure(client: TestClient, keep: Callable[[float], None]) -> None:
    missing = client.get(f"/autoscale/{MODEL}")
    assert missing.status_code == 409
    assert f"dataset '{ROWS}'" in missing.json()["detail"]
    keep(1000)
    stale = client.get(f"/autoscale/{MODEL}")
    assert stale.status_code == 503
    assert "perfcast collect follow" in stale.json()["detail"]
    assert client.get(f"/autoscale/{MODEL}?max_age_seconds=2000").status_code == 200
    assert client.get("/autoscale/nobody").status_code == 404
    assert client.get(f"/autoscale/{MODEL}?confidence=0.8").status_code == 422
    assert client.get(f"/autoscale/{MODEL}?max_age_seconds=0").status_code == 422
    assert client.get(f"/autoscale/{MODEL}?max_age_seconds=nan").status_code == 422


@pytest.mark.usefixtures("sized")
def test_a_load_of_the_future_is_none(client: TestClient, keep: Callable[[float], None]) -> None:
    keep(-3600)
    ahead = client.get(f"/autoscale/{MODEL}")
    assert ahead.status_code == 503
    assert "ahead of this clock" in ahead.json()["detail"]


@pytest.mark.usefixtures("sized", "registry")
def test_each_version_reads_the_newest_load_as_it_declares(
    client: TestClient, registry: Registry, keep: Callable[[float], None]
) -> None:
    keep(20)
    assert client.get(f"/autoscale/{MODEL}").status_code == 200
    document = CPU.document()
    fewer = workload_from_document({**document, "features": document["features"][:3], "derived": []})
    made = draft(fewer, weighted(fewer, request_rate=0.4))
    manifest = msgspec.structs.replace(made.manifest, data=DataFacts(ROWS, "", 1, 1, {}, "by time"))
    other = registry.add("fewer", type(made)(made.graph, manifest))
    answer = client.get(f"/autoscale/{other.reference}")
    assert answer.status_code == 409
    assert "other features by now" in answer.json()["detail"]


@pytest.fixture
def lived(settings: Settings) -> None:
    """Four weeks of a load that grows, as the dataset of the champion."""
    moments, rate = load(28, growth=0.2, noise=0.03)
    clocks = clock_columns(moments, CPU.feature_names[3:], UTC)
    columns = [rate, 0.5 * rate, np.full(len(rate), 20.0), *clocks.values()]
    features = np.stack(columns, axis=1).astype(np.float32)
    database = Database(settings.database_address)
    dataset = Dataset(ROWS, CPU, features, features[:, 0] * np.float32(0.4), moments, {"source": "test"})
    Datasets(database, Blobs(settings.artifacts_address)).add(dataset)
    database.close()


@pytest.mark.usefixtures("sized", "lived")
def test_runway_says_when_the_load_outgrows_the_limit(client: TestClient) -> None:
    answer = client.post("/runway", json={"limit": 70, "horizon_days": 90, "model_name": MODEL})
    assert answer.status_code == 200
    found = answer.json()
    RunwayAnswer.model_validate(found, strict=True)
    band = found["band"]
    assert band["earliest"] < found["first_exceeded_at"] < band["latest"]
    assert found["first_exceeded_at"][:7] in ("2026-04", "2026-05")
    assert found["history"]["growth_percent_per_month"] == pytest.approx(20, abs=5)
    assert found["history"]["dataset"].startswith(f"{ROWS}@")
    assert len(found["probability_by_day"]) == len(found["peaks_by_day"]) in (90, 91)
    assert len(found["replicas_by_hour"]) == 168
    assert found["probability_by_day"][-1]["probability"] == found["probability"] > 0.9
    assert "first passes 70 percent on 2026-0" in found["words"]
    assert "counted from 2026-03-29, when its history ends" in found["words"]
    assert found["history"]["until"] == "2026-03-30T00:00:00Z"
    week = client.post("/runway", json={"limit": 70, "model_name": MODEL, "days_off": ["2026-W14-1", "20260401"]})
    assert week.status_code == 200
    assert calls.runway(70).read(answer.content).probability == found["probability"]


@pytest.mark.parametrize(
    ("change", "status", "told"),
    [
        ({"limit": 120}, 422, "limit"),
        ({"confidence": 0.8}, 422, "confidence"),
        ({"horizon_days": 0}, 422, "horizon_days"),
        ({"horizon_days": 300}, 422, "state the growth"),
        ({"growth_percent_per_month": -100}, 422, "growth_percent_per_month"),
        ({"country": "XX"}, 422, "such as DE or US-CA, got 'XX'"),
        ({"country": "DE-ZZ"}, 422, "DE has the parts BB"),
        ({"days_off": ["tomorrow"]}, 422, "tomorrow"),
        ({"growth_percent_per_month": 1e31}, 422, "growth_percent_per_month"),
        ({"vary": "hour_sin"}, 422, "vary"),
        ({"unknown": 1}, 422, "unknown"),
        ({"model_name": "nobody"}, 400, "nobody"),
    ],
)
@pytest.mark.usefixtures("sized", "lived")
def test_what_is_wrong_with_a_runway_is_named(
    client: TestClient, change: dict[str, Any], status: int, told: str
) -> None:
    answer = client.post("/runway", json={"limit": 80, **change})
    assert (answer.status_code, told in answer.json()["detail"]) == (status, True)


@pytest.mark.usefixtures("sized")
def test_without_a_history_there_is_no_runway(client: TestClient, keep: Callable[[float], None]) -> None:
    assert client.post("/runway", json={"limit": 80}).status_code == 409
    keep(20)
    short = client.post("/runway", json={"limit": 80})
    assert short.status_code == 422
    assert "needs 7" in short.json()["detail"]


@pytest.mark.usefixtures("sized", "lived")
def test_the_runway_command_shows_days_or_json(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("DATA_DIR", str(settings.data_dir))
    words = ["perfcast", "runway", MODEL, "--limit", "70", "--horizon", "8w"]
    for more in ([], ["--json"], ["--horizon", "soon"], ["--growth", "much"], ["--growth", "60%/year"]):
        monkeypatch.setattr(sys, "argv", [*words, *more])
        with pytest.raises(SystemExit) as ended:
            main()
        shown = capsys.readouterr()
        if more in (["--horizon", "soon"], ["--growth", "much"]):
            assert ended.value.code
            assert more[1] in shown.err
        elif more == ["--json"]:
            assert json.loads(shown.out)["horizon_days"] == 56
        elif more:
            assert "+4.0 % a month" in shown.out
        else:
            assert "the upper bound" in shown.err
            assert "passed by then" in shown.out


@pytest.mark.usefixtures("sized")
def test_the_command_shows_the_answer_and_its_curve(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("DATA_DIR", str(settings.data_dir))
    words = ["perfcast", "headroom", "--limit", "84", "--load", "900"]
    for more in ([], ["--json"]):
        monkeypatch.setattr(sys, "argv", [*words, *more, *(f"{name}={value}" for name, value in LOAD.items())])
        with pytest.raises(SystemExit) as ended:
            main()
        assert not ended.value.code
        shown = capsys.readouterr()
        if more:
            assert json.loads(shown.out)["max_load"] == pytest.approx(160, rel=1e-3)
        else:
            assert "may rise to 160 before the upper bound passes 84 percent" in shown.err
            assert "replicas needed" in shown.out
            assert len(shown.out.splitlines()) > 18
