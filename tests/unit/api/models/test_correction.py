"""Every kind of answer bears corrected intervals, and a version's page says how they are corrected."""

from collections.abc import Callable
from typing import Any

import pytest
from starlette.testclient import TestClient
from tests.corrections import take_in, truths
from tests.patience import until

from perfcast.api import Services
from perfcast.api.models._answers import ModelDetails, VersionMetrics
from perfcast.registry import Registry

LOAD: dict[str, Any] = {"request_rate": 100, "active_users": 60, "db_connections": 25}
AT = {"timestamp": "2026-03-02T14:05:00Z"}
COLUMNS = {"columns": {name: [value] for name, value in {**LOAD, **AT}.items()}}
TENSORS = {
    "inputs": [
        {"name": name, "shape": [1], "datatype": "FP64", "data": [value]}
        for name, value in {
            **LOAD, "hour_sin": 0, "hour_cos": 1, "minute_sin": 0, "minute_cos": 1, "is_business_hour": 0
        }.items()
    ]
}  # fmt: skip


def by_columns(client: TestClient) -> float:
    return float(client.post("/predict/batch", json=COLUMNS).json()["columns"]["upper"][0])


def by_list(client: TestClient) -> float:
    return float(client.post("/predict/batch", json=[LOAD | AT]).json()["results"][0]["upper"])


def by_protocol(client: TestClient) -> float:
    outputs = client.post("/v2/models/cpu-utilization/infer", json=TENSORS).json()["outputs"]
    return float(next(tensor["data"][0] for tensor in outputs if tensor["name"] == "upper"))


def by_itself(client: TestClient) -> float:
    return float(client.post("/predict", json=LOAD | AT).json()["upper"])


def by_csv(client: TestClient) -> float:
    head, row = ",".join([*LOAD, *AT]), ",".join(map(str, [*LOAD.values(), *AT.values()]))
    headers = {"content-type": "text/csv", "accept": "application/json"}
    reply = client.post("/predict/batch", content=f"{head}\n{row}\n", headers=headers)
    return float(reply.json()["columns"]["upper"][0])


def correct(client: TestClient, services: Services, registry: Registry, error: float = 10) -> None:
    answer = client.post("/predict", json=LOAD | AT).json()
    take_in(services.database, registry, truths(answer, error))
    until(lambda: by_itself(client) == pytest.approx(25 + error))


@pytest.mark.parametrize("ask", [by_itself, by_list, by_columns, by_csv, by_protocol])
def test_an_answer_bears_the_corrected_interval(
    client: TestClient, services: Services, registry: Registry, ask: Callable[[TestClient], float]
) -> None:
    assert ask(client) == 27
    correct(client, services, registry)
    assert ask(client) == pytest.approx(35)


def test_a_versions_page_says_how_it_is_corrected(client: TestClient, services: Services, registry: Registry) -> None:
    assert "correction" not in client.get("/models/cpu-utilization/metrics").json()
    correct(client, services, registry)
    details = client.get("/models/cpu-utilization").json()
    shown = client.get("/models/cpu-utilization/metrics").json()["correction"]
    assert (shown["actuals"], shown["kind"]) == (60, "added")
    assert shown["bounds"]["0.9"] == {"lower": pytest.approx(12), "upper": pytest.approx(8)}
    assert set(shown["bounds"]) == {"0.5", "0.8", "0.9", "0.95"}
    assert [version.get("correction") for version in details["versions"]] == [shown, None]
    ModelDetails.model_validate(details, strict=True)
    VersionMetrics.model_validate(client.get("/models/cpu-utilization/metrics").json(), strict=True)


def test_an_activation_over_http_answers_with_the_calibrated_interval_at_once(
    client: TestClient, services: Services, registry: Registry
) -> None:
    correct(client, services, registry)
    client.post("/models/cpu-utilization:2/activate")
    client.post("/models/cpu-utilization:1/activate")
    assert by_itself(client) == 27
    assert "correction" not in client.get("/models/cpu-utilization/metrics").json()
