"""From a prediction through `POST /feedback` and a worker to live accuracy, with files alone and with servers."""

import httpx2
from tests.contract.conftest import start
from tests.drafts import draft, weighted
from tests.patience import PATIENCE_SECONDS, until
from tests.workers import Shop, stop, working

from perfcast.workloads import builtin_workloads

MODEL = "cpu-utilization"
LOAD = {"request_rate": 120, "active_users": 60, "db_connections": 25, "timestamp": "2026-03-01T10:29:00Z"}


def test_what_was_told_is_shown_as_live_accuracy(either_shop: Shop) -> None:
    shop, workload = either_shop, builtin_workloads()[MODEL]
    for number, alias in ((1, "champion"), (2, "shadow")):
        shop.registry.add(MODEL, draft(workload, weighted(workload, request_rate=0.25 * number)))
        shop.registry.point(MODEL, alias, number)
    server, url = start(shop.settings.data_dir, **shop.settings.environment | {"API_PORT": "0", "LOG_FORMAT": "json"})
    try:
        with working(shop.settings), httpx2.Client(base_url=url, timeout=PATIENCE_SECONDS) as client:
            predicted = client.post("/predict", json=LOAD).json()["prediction_id"]
            told = client.post("/feedback", json=[
                {"prediction_id": predicted, "actual": 31},
                {"model_name": MODEL, "features": LOAD, "actual": 33, "measured_at": "2026-03-01T10:29:00Z"},
            ])  # fmt: skip
            assert told.status_code == 202, told.text
            assert told.json()["accepted"] == 2

            def arms() -> dict[str, float]:
                shown = client.get(f"/models/{MODEL}/traffic").json()["arms"]
                every = {alias: arm["live"].get("all", {}) for alias, arm in shown.items()}
                return {alias: live["mae"] for alias, live in every.items() if live and live["actuals"] == 2}

            assert until(lambda: found if len(found := arms()) == 2 else None) == {"champion": 2.0, "shadow": 28.0}
    finally:
        stop(server)  # type: ignore[arg-type]
