"""The calls of the first predecessor's README, as it shows them (CPU utilisation)."""

import httpx2

PREDICTION_REQUEST = {
    "request_rate": 120,
    "active_users": 60,
    "db_connections": 25,
    "hour_sin": 0.5,
    "hour_cos": 0.866,
    "minute_sin": 0.2588,
    "minute_cos": 0.9659,
    "is_business_hour": 1,
}


def test_the_prediction_request_is_answered_in_percent(server: str) -> None:
    response = httpx2.post(f"{server}/predict", json=PREDICTION_REQUEST)
    assert response.status_code == 200
    answer = response.json()
    assert answer["cpu_utilization"] == 30.0
    assert answer["status"] == "success"


def test_models_lists_them_sorted_by_name(client: httpx2.Client) -> None:
    listing = client.get("/models").json()
    assert list(listing["models"]) == ["cpu-utilization", "xgb_prediction-training-gpul40s"]
    model = listing["models"]["cpu-utilization"]
    assert model["input_features"] == list(PREDICTION_REQUEST)
    assert (model["type"], model["champion"], model["loaded"]) == ("xgboost", 1, True)
    assert listing["total_models"] == 2
    assert listing["timestamp"].endswith("Z")


def test_metrics_of_a_version_are_its_held_out_ones(client: httpx2.Client) -> None:
    for version in ("1", "v1", "cpu-utilization:1"):
        answer = client.get(f"/models/{version}/metrics").json()
        assert answer["metrics"] == {"rows": 10, "mae": 1.5, "rmse": 2.0, "r2": 0.9}
        assert answer["search"] == {"trials": 20}


def test_a_version_is_activated_and_answers_at_once(client: httpx2.Client) -> None:
    activated = client.post("/models/2/activate")
    assert activated.status_code == 200
    assert (activated.json()["before"], activated.json()["after"]) == (1, 2)
    assert client.post("/predict", json=PREDICTION_REQUEST).json()["cpu_utilization"] == 60.0
    back = client.post("/models/2/deactivate").json()
    assert (back["before"], back["after"]) == (2, 1)
    assert client.post("/predict", json=PREDICTION_REQUEST).json()["cpu_utilization"] == 30.0


def test_monitoring_data_is_at_metrics(client: httpx2.Client) -> None:
    response = client.get("/metrics")
    assert response.headers["content-type"].startswith("text/plain")
    assert 'ml_predictions_total{model_name="cpu-utilization",status="success"}' in response.text
