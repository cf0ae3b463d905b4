"""`GET /models/{ref}/judged`: held-out rows beside what a version says of them."""

from collections.abc import Iterator
from typing import Any

import msgspec
import numpy as np
import pytest
from starlette.testclient import TestClient
from tests.drafts import draft, weighted
from tests.workers import small_dataset

from perfcast.api import Services
from perfcast.api.models._judged_answers import JudgedRows
from perfcast.datasets import Dataset, Datasets
from perfcast.jobs import Effort, run_training
from perfcast.manifest import DataFacts, Draft
from perfcast.registry import Registry, Version
from perfcast.settings import Settings
from perfcast.storage import Blobs, Database
from perfcast.workloads import workload_from_document

ROWS = small_dataset(600)


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Draft]:
    """What training makes of 600 rows."""
    folder = tmp_path_factory.mktemp("trained")
    database = Database(f"sqlite:///{folder}/state.db")
    database.migrate()
    registry = Registry(database, Blobs(str(folder)))
    (version,) = run_training(registry, ROWS, "m", Effort(n_trials=1, families=("polynomial",))).versions
    yield Draft(registry.graph(version), version.manifest)
    database.close()


@pytest.fixture
def datasets(settings: Settings, registry: Registry) -> Datasets:
    return Datasets(registry._database, Blobs(settings.artifacts_address))


@pytest.fixture
def version(trained: Draft, registry: Registry, datasets: Datasets) -> Version:
    datasets.add(ROWS)
    return registry.add("cpu-utilization", trained)


def asked(client: TestClient, path: str) -> dict[str, Any]:
    response = client.get(path)
    assert response.status_code == 200, response.text
    found: dict[str, Any] = response.json()
    assert JudgedRows.model_validate(found, strict=True).model_dump(exclude_unset=True) == found
    return found


def test_they_are_the_rows_that_the_versions_own_figures_were_made_from(client: TestClient, version: Version) -> None:
    found = asked(client, f"/models/{version.reference}/judged?limit=5000")
    metrics = version.manifest.metrics
    assert metrics is not None
    assert (found["held_out_rows"], found["shown"]) == (metrics.rows, metrics.rows)
    actual, predicted = np.array(found["actual"]), np.array(found["predicted"])
    assert np.abs(actual - predicted).mean() == pytest.approx(metrics.mae, rel=1e-5)
    held = (found["lower"] <= actual) & (actual <= found["upper"])
    assert 100 * held.mean() == pytest.approx(metrics.coverage["0.9"])
    assert (found["coverage"], found["cost"], found["unit"]) == (0.9, "cpu_utilization", "percent")
    assert found["dataset"] == f"simulated@{ROWS.digest}"
    assert found["measured_at"] is None


def test_features_are_those_of_the_rows_and_predict_answers_the_same(client: TestClient, version: Version) -> None:
    found = asked(client, f"/models/{version.reference}/judged?limit=3")
    assert found["shown"] == 3
    for row in range(3):
        features = {name: column[row] for name, column in found["features"].items()}
        answer = client.post("/predict", json={"model_name": version.reference, "features": features}).json()
        assert answer["cpu_utilization"] == pytest.approx(found["predicted"][row], rel=1e-5)
        assert answer["upper"] == pytest.approx(found["upper"][row], rel=1e-5)


def test_rows_have_their_time_where_they_have_one_and_fewer_are_among_more(
    client: TestClient, registry: Registry, datasets: Datasets
) -> None:
    moments = np.datetime64("2026-03-01T00:00:00", "us") + np.arange(600) * np.timedelta64(60, "s")
    rows = Dataset("shop", ROWS.workload, ROWS.features, ROWS.cost, moments)
    datasets.add(rows)
    split = rows.split()
    until = f"{split.calibrate.measured_at.max()}Z"  # type: ignore[union-attr]
    facts = DataFacts("shop", rows.digest, 600, 600, {"test": len(split.test)}, "by time", learnt_until=until)
    reference = registry.add("cpu-utilization", _of(facts)).reference
    few, many = (asked(client, f"/models/{reference}/judged?limit={limit}") for limit in (10, 5000))
    assert many["shown"] == len(split.test)
    assert many["measured_at"] == sorted(many["measured_at"])
    assert many["measured_at"][0] > until
    assert few["shown"] == 10
    assert set(zip(few["measured_at"], few["actual"], strict=True)) <= set(
        zip(many["measured_at"], many["actual"], strict=True)
    )


def test_rows_are_predicted_once_for_all_that_ask(client: TestClient, version: Version, services: Services) -> None:
    first = asked(client, f"/models/{version.reference}/judged")
    record = services.datasets.find("simulated")
    services.blobs.delete(record.blob)
    assert asked(client, f"/models/{version.reference}/judged")["predicted"] == first["predicted"]
    assert asked(client, f"/models/{version.reference}/judged?limit=5")["shown"] == 5


def test_a_version_without_intervals_has_no_bounds(client: TestClient, registry: Registry, datasets: Datasets) -> None:
    datasets.add(ROWS)
    facts = DataFacts("simulated", ROWS.digest, 600, 600, {}, ROWS.split().description)
    reference = registry.add("cpu-utilization", _of(facts, calibrated=False)).reference
    found = asked(client, f"/models/{reference}/judged")
    assert (found["coverage"], found["lower"], found["upper"]) == (None, None, None)
    assert len(found["predicted"]) == found["shown"] > 0
    calibrated = asked(client, f"/models/{registry.add('cpu-utilization', _of(facts)).reference}/judged")
    assert calibrated["predicted"] == found["predicted"]  # the same graph, which answers are remembered by
    assert calibrated["lower"] is not None


def test_a_version_that_names_no_dataset_is_409_with_the_reason(client: TestClient) -> None:
    response = client.get("/models/cpu-utilization/judged")
    assert response.status_code == 409
    assert "cpu-utilization:1 was not trained here and names no dataset" in response.json()["detail"]


def test_a_version_whose_dataset_is_gone_is_409_with_the_reason(
    client: TestClient, trained: Draft, registry: Registry
) -> None:
    reference = registry.add("cpu-utilization", trained).reference
    response = client.get(f"/models/{reference}/judged")
    assert response.status_code == 409
    assert f"{reference} was made from dataset 'simulated@{ROWS.digest[:12]}'" in response.json()["detail"]
    assert "not kept here" in response.json()["detail"]


def test_a_version_that_does_not_tell_what_judged_it_or_reads_other_features_is_409(
    client: TestClient, registry: Registry, datasets: Datasets
) -> None:
    datasets.add(ROWS)
    facts = DataFacts("simulated", ROWS.digest, 600, 600, {}, "by hand")
    silent = registry.add("cpu-utilization", _of(facts)).reference
    assert "doesn't say which rows" in client.get(f"/models/{silent}/judged").json()["detail"]
    queries = workload_from_document({"name": "queries", "cost": {"name": "ms"}, "features": [{"name": "rows"}]})
    other = draft(queries, weighted(queries, rows=1.0))
    registry.add("queries", Draft(other.graph, msgspec.structs.replace(other.manifest, data=facts)))
    response = client.get("/models/queries:1/judged")
    assert response.status_code == 409
    assert "reads other features" in response.json()["detail"]


@pytest.mark.parametrize(("path", "status"), [("cpu-utilisation", 404), ("cpu-utilization:9", 404), ("a b", 422)])
def test_what_is_no_version_is_told(client: TestClient, path: str, status: int) -> None:
    assert client.get(f"/models/{path}/judged").status_code == status


@pytest.mark.parametrize("limit", ["0", "5001", "all"])
def test_the_number_of_rows_has_bounds(client: TestClient, limit: str) -> None:
    response = client.get(f"/models/cpu-utilization/judged?limit={limit}")
    assert (response.status_code, response.json()["errors"][0]["field"]) == (422, "limit")


def _of(facts: DataFacts, *, calibrated: bool = True) -> Draft:
    """A version that says it was made from those rows."""
    made = draft(ROWS.workload, weighted(ROWS.workload, request_rate=0.15), calibrated=calibrated)
    return Draft(made.graph, msgspec.structs.replace(made.manifest, data=facts))
