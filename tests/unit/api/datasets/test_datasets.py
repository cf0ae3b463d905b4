"""`GET /datasets`, one of them, and some of its rows; on SQLite and on PostgreSQL."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydantic import BaseModel
from starlette.testclient import TestClient
from tests.services import empty
from tests.workers import small_dataset

from perfcast.api import Services, create_app
from perfcast.api.datasets._answers import DatasetDetails, DatasetList, DatasetRows
from perfcast.datasets import Dataset, DatasetRecord, Datasets
from perfcast.settings import Settings, load_settings
from perfcast.workloads import workload_from_document

ZONES = workload_from_document(
    {
        "name": "zones",
        "cost": {"name": "zone_ms", "unit": "ms"},
        "features": [
            {"name": "rate", "unit": "requests/s", "meaning": "Arrivals"},
            {"name": "zone", "type": "choice", "values": ["east", "west"]},
            {"name": "pods", "type": "integer"},
        ],
    }
)


def timed(rows: int) -> Dataset:
    moments = np.datetime64("2026-03-01T00:00:00", "us") + np.arange(rows) * np.timedelta64(60, "s")
    columns = [np.arange(rows) / 3, np.arange(rows) % 2, np.arange(rows)]
    features, cost = np.stack(columns, axis=1).astype(np.float32), np.arange(rows, dtype=np.float32)
    return Dataset("shop", ZONES, features, cost, moments, {"source": "by hand", "device": {"cores": 2}})


@pytest.fixture(params=["SQLite", "PostgreSQL"])
def settings(request: pytest.FixtureRequest, tmp_path: Path) -> Settings:
    if request.param == "SQLite":
        shutil.copy(request.getfixturevalue("migrated_sqlite"), tmp_path)
        return load_settings(data_dir=tmp_path)
    return load_settings(data_dir=tmp_path, database_url=request.getfixturevalue("migrated_postgres_url"))


@pytest.fixture
def kept(settings: Settings) -> Iterator[Datasets]:
    """Two datasets named `shop`, the newer with 3,000 rows, and one without times."""
    services = Services(settings)
    empty(services.database)
    for dataset in (timed(100), small_dataset(60), timed(3000)):
        services.datasets.add(dataset)
    yield services.datasets
    services.database.close()


@pytest.fixture
def newest(kept: Datasets) -> DatasetRecord:
    return kept.find("shop")


@pytest.fixture
def client(settings: Settings, kept: Datasets) -> Iterator[TestClient]:
    assert kept.list()
    with TestClient(create_app(settings), raise_server_exceptions=False) as client:
        yield client


def asked(client: TestClient, path: str, model: type[BaseModel]) -> dict[str, Any]:
    response = client.get(path)
    assert response.status_code == 200, response.text
    found: dict[str, Any] = response.json()
    assert model.model_validate(found, strict=True).model_dump(exclude_unset=True) == found
    return found


def test_datasets_are_listed_newest_first_with_their_time(client: TestClient) -> None:
    found = asked(client, "/datasets", DatasetList)
    listed = [(item["name"], item["workload"], item["rows"], item["newest"]) for item in found["datasets"]]
    assert listed == [
        ("shop", "zones", 3000, True),
        ("simulated", "cpu-utilization", 60, True),
        ("shop", "zones", 100, False),
    ]
    times = [(item["measured_from"], item["measured_until"], item["source"]) for item in found["datasets"]]
    assert times[0] == ("2026-03-01T00:00:00.000000Z", "2026-03-03T01:59:00.000000Z", "by hand")
    assert times[1] == (None, None, "")


@pytest.mark.parametrize(
    ("query", "rows", "total"),
    [
        ("name=shop", [3000, 100], 2),
        ("workload=cpu-utilization", [60], 1),
        ("limit=1&offset=1", [60], 3),
        ("name=shop&limit=1&offset=1", [100], 2),
        ("name=nowhere", [], 0),
    ],
)
def test_the_list_is_filtered_and_paged(client: TestClient, query: str, rows: list[int], total: int) -> None:
    found = asked(client, f"/datasets?{query}", DatasetList)
    assert ([item["rows"] for item in found["datasets"]], found["total"]) == (rows, total)
    assert [item["newest"] for item in found["datasets"] if item["rows"] == 100] in ([], [False])


def test_a_dataset_tells_where_it_comes_from_and_what_its_columns_hold(client: TestClient) -> None:
    found = asked(client, "/datasets/shop", DatasetDetails)
    assert (found["rows"], found["newest"], found["cost"]) == (3000, True, "zone_ms")
    assert found["provenance"] == {"source": "by hand", "device": {"cores": 2}}
    rate, zone, pods, cost = found["columns"]
    assert (rate["unit"], rate["meaning"], rate["minimum"], rate["maximum"]) == ("requests/s", "Arrivals", 0, 999.6667)
    assert list(rate["quantiles"]) == ["0", "0.05", "0.25", "0.5", "0.75", "0.95", "1"]
    assert rate["quantiles"]["0.5"] == pytest.approx(2999 / 6, rel=1e-6)
    assert zone == {"name": "zone", "unit": "", "meaning": "", "shares": {"east": 0.5, "west": 0.5}}
    assert (pods["maximum"], cost["name"], cost["unit"], cost["maximum"]) == (2999, "zone_ms", "ms", 2999)


def test_an_older_dataset_is_found_by_the_beginning_of_its_digest(client: TestClient, kept: Datasets) -> None:
    old = next(record for record in kept.list("shop") if record.rows == 100)
    found = asked(client, f"/datasets/shop@{old.digest[:10]}", DatasetDetails)
    assert (found["digest"], found["newest"], found["measured_until"]) == (
        old.digest,
        False,
        "2026-03-01T01:39:00.000000Z",
    )


@pytest.mark.parametrize("limit", [1, 7, 2999, 3000, 5000])
def test_rows_are_whole_spread_and_the_same_each_time(client: TestClient, limit: int) -> None:
    found = asked(client, f"/datasets/shop/rows?limit={limit}", DatasetRows)
    assert (found["rows"], found["shown"], found["cost"]) == (3000, min(limit, 3000), "zone_ms")
    numbers = found["columns"]["pods"]
    assert all(isinstance(number, int) for number in numbers)
    assert found["columns"]["zone_ms"] == numbers
    assert found["columns"]["zone"] == [("east", "west")[number % 2] for number in numbers]
    assert found["columns"]["rate"] == pytest.approx([number / 3 for number in numbers], rel=1e-6)
    moments = np.datetime64("2026-03-01T00:00:00", "us") + np.array(numbers) * np.timedelta64(60, "s")
    assert found["measured_at"] == [f"{moment}Z" for moment in moments]
    widest = max(np.diff([-1, *numbers, 3000]).tolist())
    assert widest <= 2 * -(-3000 // found["shown"])
    assert client.get(f"/datasets/shop/rows?limit={limit}").json()["columns"] == found["columns"]


def test_rows_without_times_have_none(client: TestClient) -> None:
    found = asked(client, "/datasets/simulated/rows", DatasetRows)
    assert (found["shown"], found["measured_at"], found["workload"]) == (60, None, "cpu-utilization")


@pytest.mark.parametrize("limit", ["0", "5001", "all"])
def test_the_number_of_rows_has_bounds(client: TestClient, limit: str) -> None:
    response = client.get(f"/datasets/shop/rows?limit={limit}")
    assert (response.status_code, response.json()["errors"][0]["field"]) == (422, "limit")


@pytest.mark.parametrize("path", ["/datasets/shoop", "/datasets/shoop/rows", "/datasets/shop@abc"])
def test_an_unknown_dataset_names_the_closest(client: TestClient, path: str) -> None:
    response = client.get(path)
    assert response.status_code == 404
    assert "did you mean 'shop'" in response.json()["detail"]


def test_a_dataset_whose_rows_are_lost_hides_no_other(
    client: TestClient, newest: DatasetRecord, settings: Settings
) -> None:
    Services(settings).blobs.delete(newest.blob)
    first, *others = asked(client, "/datasets", DatasetList)["datasets"]
    assert "missing from" in first["problem"]
    assert first["measured_from"] is None
    assert others[-1]["measured_from"] == "2026-03-01T00:00:00.000000Z"
    response = client.get("/datasets/shop/rows")
    assert (response.status_code, response.json()["title"]) == (422, "Broken version")
