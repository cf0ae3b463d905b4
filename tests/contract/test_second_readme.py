"""The calls of the second predecessor's README, as it shows them (CNN execution time)."""

from datetime import datetime

import httpx2

REQUEST = b"""{
    "model_name": "xgb_prediction-training-gpul40s",
    "cnn_config": {
      "batch_size": 32,
      "input_channels": 3,
      "input_height": 224,
      "input_width": 224,
      "output_channels": 64,
      "kernel_size": 3,
      "stride": 1
    }
  }"""


def test_the_model_prediction_has_the_shown_shape(client: httpx2.Client) -> None:
    response = client.post("/predict", headers={"Content-Type": "application/json"}, content=REQUEST)
    assert response.status_code == 200
    answer = response.json()
    shown = ["execution_time_ms", "model_name", "model_type", "prediction_timestamp", "status"]
    assert list(answer)[:5] == shown
    assert {name: answer[name] for name in shown if name != "prediction_timestamp"} == {
        "execution_time_ms": 45.67,
        "model_name": "xgb_prediction-training-gpul40s",
        "model_type": "xgboost",
        "status": "success",
    }
    assert datetime.fromisoformat(answer["prediction_timestamp"]).tzinfo is not None


def test_the_health_check_succeeds(client: httpx2.Client) -> None:
    response = client.get("/health")
    assert response.status_code == 200
    health = response.json()
    assert health["status"] == "healthy"
    assert health["models_loaded"] == 2
    assert health["uptime_seconds"] > 0
    assert {"cpu_percent", "memory_percent", "disk_percent", "available_memory_gb"} <= set(health["system_info"])


def test_health_answers_within_50_ms(client: httpx2.Client) -> None:
    times = sorted(client.get("/health").elapsed.total_seconds() for _ in range(20))
    assert times[10] < 0.05


def test_a_models_details_are_shown(client: httpx2.Client) -> None:
    model = client.get("/models/xgb_prediction-training-gpul40s").json()
    assert model["type"] == "xgboost"
    assert [feature["name"] for feature in model["features"]][:7] == [
        "batch_size",
        "input_channels",
        "input_height",
        "input_width",
        "output_channels",
        "kernel_size",
        "stride",
    ]


def test_metrics_are_in_prometheus_text(client: httpx2.Client) -> None:
    client.post("/predict", content=REQUEST)
    text = client.get("/metrics").text
    assert 'ml_predictions_total{model_name="xgb_prediction-training-gpul40s",status="success"}' in text
    assert 'ml_prediction_duration_seconds_bucket{le="0.0001",model_name="xgb_prediction-training-gpul40s"}' in text
    assert "ml_models_loaded_total 2.0" in text


def test_the_documentation_is_there(client: httpx2.Client) -> None:
    assert client.get("/docs").status_code == 200
    assert "/predict" in client.get("/openapi.json").json()["paths"]


def test_a_batch_is_a_list_of_prediction_bodies(client: httpx2.Client) -> None:
    body = b"[%b, {}, %b]" % (REQUEST, REQUEST.replace(b'"stride": 1', b'"stride": 2'))
    response = client.post("/predict/batch", headers={"Content-Type": "application/json"}, content=body)
    assert response.status_code == 200
    answer = response.json()
    assert list(answer) == ["results", "total_requests", "successful_predictions", "timestamp"]
    assert (answer["total_requests"], answer["successful_predictions"]) == (3, 2)
    first, second, third = answer["results"]
    assert first["execution_time_ms"] == 45.67
    assert set(second) == {"status", "error", "model_name"}
    assert second["status"] == "error"
    assert third["status"] == "success"


def test_the_benchmark_call_has_the_shown_shape(client: httpx2.Client) -> None:
    response = client.get("/benchmark/xgb_prediction-training-gpul40s?iterations=100")
    assert response.status_code == 200
    answer = response.json()
    assert answer["model_name"] == "xgb_prediction-training-gpul40s"
    assert (answer["iterations"], answer["successful_predictions"]) == (100, 100)
    assert 0 < answer["min_latency_ms"] <= answer["avg_latency_ms"] <= answer["max_latency_ms"]
    assert answer["predictions_per_second"] > 0
    assert datetime.fromisoformat(answer["timestamp"]).tzinfo is not None


def test_detail_is_a_string_as_the_predecessors_clients_expect(client: httpx2.Client) -> None:
    response = client.post("/predict", content=REQUEST.replace(b"gpul40s", b"gpu140s"))
    assert response.status_code == 400
    assert "did you mean 'xgb_prediction-training-gpul40s'" in response.json()["detail"]
