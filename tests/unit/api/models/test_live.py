"""Live accuracy and the comparison of arms, over HTTP."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from starlette.testclient import TestClient
from tests.patience import until

from perfcast.api import Services
from perfcast.api.feedback._answers import LOAD
from perfcast.api.models._answers import Traffic, VersionMetrics
from perfcast.monitoring import LiveAccuracy, Observer, versions_of
from perfcast.registry import Registry
from perfcast.storage import time_text

MODEL = "/models/cpu-utilization"


def validated(model: Any, document: Any) -> Any:
    assert model.model_validate(document, strict=True).model_dump(exclude_unset=True) == document
    return document


def observe(services: Services, registry: Registry) -> None:
    assert services.records is not None
    services.records.flush()
    version_of = versions_of(registry)
    Observer(services.database, [LiveAccuracy(version_of)], version_of).look()


def tell(client: TestClient, reference: str, hours: int, actual: float) -> None:
    """An actual for each of the last hours, whose predictions a version made."""
    begin = datetime.now(UTC).replace(minute=0)
    for hour in range(1, hours + 1):
        item = {"features": LOAD, "actual": actual + hour % 3, "measured_at": time_text(begin - timedelta(hours=hour))}
        assert client.post("/feedback", json=item | {"model_name": reference}).json()["accepted"] == 1


def test_a_version_shows_its_live_accuracy_by_arm_and_window(
    client: TestClient, services: Services, registry: Registry
) -> None:
    nothing = validated(VersionMetrics, client.get(f"{MODEL}/metrics").json())
    assert nothing["live"] == {}
    tell(client, "cpu-utilization", 2, 29.0)
    tell(client, "cpu-utilization:1", 1, 30.0)
    observe(services, registry)
    live = validated(VersionMetrics, client.get(f"{MODEL}/metrics").json())["live"]
    assert live.keys() == {"champion", "named"}
    assert live["champion"].keys() == {"1h", "24h", "7d", "all"}
    assert live["champion"]["24h"] == {
        "predictions": 2,
        "extrapolated": 0.0,
        "width": 4.0,
        "actuals": 2,
        "mae": 0.5,
        "rmse": pytest.approx(0.5**0.5),
        "bias": -0.5,
        "mape": pytest.approx(100 * 0.5 / 31),
        "coverage": 100.0,
    }
    assert client.get("/models/cpu-utilization:2/metrics").json()["live"] == {}


def test_traffic_shows_how_true_each_arm_is_and_whether_the_difference_is_sure(
    client: TestClient, services: Services, registry: Registry
) -> None:
    registry.point("cpu-utilization", "shadow", 2)
    services.follower.refresh()
    tell(client, "cpu-utilization", 30, 29.0)
    until(lambda: services.tally.shadows and next(iter(services.tally.shadows.values())).answers == 30)
    observe(services, registry)
    arms = validated(Traffic, client.get(f"{MODEL}/traffic").json())["arms"]
    assert arms["champion"]["live"]["7d"]["actuals"] == arms["shadow"]["live"]["7d"]["actuals"] == 30
    assert "against_champion" not in arms["champion"]
    compared = arms["shadow"]["against_champion"]
    assert (compared["measure"], compared["hours"]) == ("mae", 30)
    assert (compared["significant"], compared["better"]) == (True, "champion")
    assert 28 < compared["lower"] < compared["difference"] < compared["upper"] < 31
