"""`POST /feedback`: each actual counts once, belongs to what was predicted, and is kept before the answer comes."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
import sqlalchemy as sa
from starlette.testclient import TestClient

from perfcast.api import Services, create_app
from perfcast.api.feedback._answers import BODY, FeedbackTaken
from perfcast.api.predict import LOAD
from perfcast.monitoring import LiveAccuracy, Observer, read_accuracy, versions_of
from perfcast.registry import Registry
from perfcast.settings import Settings, load_settings
from perfcast.storage import schema

AT = "2026-03-01T10:29:00Z"
ID = "019d2f4c3a17c0ffee00000002"


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return load_settings(**settings.model_dump() | {"max_body_bytes": 10_000_000})


def tell(client: TestClient, body: Any, **headers: str) -> Any:
    answer = client.post("/feedback", content=json.dumps(body), headers=headers)
    assert answer.status_code == 202, answer.text
    document = answer.json()
    assert FeedbackTaken.model_validate(document, strict=True).model_dump(exclude_unset=True) == document
    return document


def counts(document: Any) -> tuple[int, int, int]:
    return document["accepted"], document["repeated"], document["refused"]


def refused(client: TestClient, body: Any, status: int) -> str:
    answer = client.post("/feedback", content=body if isinstance(body, str) else json.dumps(body))
    assert answer.status_code == status, answer.text
    return str(answer.json()["detail"])


def kept(services: Services) -> list[tuple[str, float, str | None]]:
    c = schema.actual.c
    with services.database.read() as connection:
        query = sa.select(c.prediction, c.value, c.measured_at).order_by(c.id)
        return [(name, value, at) for name, value, at in connection.execute(query)]


def predicted(services: Services) -> int:
    assert services.records is not None
    services.records.flush()
    with services.database.read() as connection:
        return int(connection.execute(sa.func.coalesce(sa.func.sum(schema.prediction_block.c.count), 0)).scalar_one())


def features(
    rate: float = 100.0, actual: float = 30.0, at: str | None = AT, model: str | None = "cpu-utilization"
) -> Any:
    body: dict[str, Any] = {"features": LOAD | {"request_rate": rate}, "actual": actual}
    return body | ({"measured_at": at} if at else {}) | ({"model_name": model} if model else {})


def predict(client: TestClient) -> str:
    return str(client.post("/predict", json=LOAD).json()["prediction_id"])


def test_the_documented_examples_are_taken(client: TestClient) -> None:
    for name, example in BODY["content"]["application/json"]["examples"].items():
        told = tell(client, example["value"])
        assert counts(told) == ((1, 0, 0) if name != "list" else (1, 1, 0)), name


def test_an_actual_is_kept_under_its_predictions_id(client: TestClient, services: Services) -> None:
    name = predict(client)
    assert tell(client, {"prediction_id": name, "actual": 31.5})["results"] == [
        {"status": "accepted", "prediction_id": name}
    ]
    assert kept(services) == [(name, 31.5, None)]


def test_the_same_actual_twice_counts_once_and_another_value_is_refused(client: TestClient, services: Services) -> None:
    first, second = predict(client), predict(client)
    items = [
        {"prediction_id": first, "actual": 31.5},
        {"prediction_id": first, "actual": 31.5, "measured_at": AT},
        {"prediction_id": first, "actual": 32.5},
        {"prediction_id": second, "actual": 32.5},
    ]
    for expected in ((2, 1, 1), (0, 3, 1)):
        told = tell(client, items)
        assert counts(told) == expected
        assert told["results"][2] == {
            "status": "refused",
            "prediction_id": first,
            "error": "actual: 31.5 was told before and stays, got 32.5",
        }
    assert "31.5 was told before and stays, got 33" in refused(client, {"prediction_id": first, "actual": 33}, 409)
    assert [value for _, value, _ in kept(services)] == [31.5, 32.5]


def test_features_are_predicted_and_recorded_as_for_any_caller(
    client: TestClient, services: Services, registry: Registry
) -> None:
    registry.point("cpu-utilization", "shadow", 2)
    services.follower.refresh()
    minutes = range(10, 30)
    told = tell(client, [features(90.0 + minute, 30.0, f"2026-03-01T10:{minute}:00Z") for minute in minutes])
    assert counts(told) == (20, 0, 0)
    with services.database.read() as connection:
        blocks = connection.execute(schema.prediction_block.select()).all()
    assert [(block.model, block.version, block.arm, block._mapping["count"]) for block in blocks[:1]] == [
        ("cpu-utilization", 1, "champion", 20)
    ]
    assert kept(services) == [  # in order of time, in which watchers are to hear of them
        (result["prediction_id"], 30.0, f"2026-03-01T10:{minute}:00.000000Z")
        for result, minute in zip(told["results"], minutes, strict=True)
    ]


def test_features_of_one_time_count_once_and_are_predicted_once(client: TestClient, services: Services) -> None:
    items = [features(), features(), features(actual=31.0), features(at="2026-03-01T10:30:00Z")]
    first = tell(client, items)
    assert counts(first) == (2, 1, 1)
    assert predicted(services) == 2
    again = tell(client, items)
    assert counts(again) == (0, 3, 1)
    assert predicted(services) == 2
    assert again["results"][0]["prediction_id"] == first["results"][0]["prediction_id"]
    by_id = {"prediction_id": first["results"][0]["prediction_id"], "actual": 30.0}
    assert counts(tell(client, by_id)) == (0, 1, 0)


def test_without_a_time_each_is_a_measurement_of_its_own_unless_the_request_has_a_name(
    client: TestClient, services: Services
) -> None:
    items = [features(at=None), features(at=None)]
    assert counts(tell(client, items)) == (2, 0, 0)
    assert counts(tell(client, items)) == (2, 0, 0)
    assert counts(tell(client, items, **{"Idempotency-Key": "monday"})) == (2, 0, 0)
    assert counts(tell(client, items, **{"Idempotency-Key": "monday"})) == (0, 2, 0)
    assert counts(tell(client, items, **{"Idempotency-Key": "tuesday"})) == (2, 0, 0)
    assert predicted(services) == len(kept(services)) == 8


def test_what_is_wrong_with_an_item_stands_in_its_place_and_the_others_are_taken(
    client: TestClient, services: Services
) -> None:
    good = predict(client)
    items: list[tuple[Any, str]] = [
        ({"prediction_id": good, "actual": 30}, ""),
        (7, "body: expected an object with an actual, or a list of such, got 7"),
        ({"prediction_id": good}, "actual: is required"),
        ({"prediction_id": good, "actual": "30"}, 'actual: must be a finite number, got "30"'),
        ({"prediction_id": good, "actual": True}, "actual: must be a finite number, got true"),
        ({"prediction_id": "ours", "actual": 30}, "must be the prediction_id of an answer; row 2 of a /v2 answer has"),
        ({"prediction_id": good, "actual": 30, "features": LOAD}, "features: is not known here"),
        ({"actual": 30}, "prediction_id: is required, or else model_name and features"),
        (features(at="yesterday"), "measured_at: expected"),
        (features(at="2999-01-01T00:00:00Z"), 'measured_at: lies in the future, got "2999-01-01T00:00:00Z"'),
        (features(model="cpu-utilisation"), "did you mean 'cpu-utilization'?"),
        (features(rate=-1.0), "request_rate: "),
        (features(actual=130), "actual: cpu_utilization is from 0 to 100 percent, got 130"),
    ]
    told = tell(client, [item for item, _ in items])
    assert counts(told) == (1, 0, len(items) - 1)
    for (item, expected), result in zip(items, told["results"], strict=True):
        assert expected in result.get("error", ""), item
    assert len(kept(services)) == 1


def test_an_item_alone_is_refused_with_a_status_of_its_own(client: TestClient, services: Services) -> None:
    assert "did you mean 'cpu-utilization'?" in refused(client, features(model="cpu-utilisation"), 400)
    assert "request_rate" in refused(client, features(rate=-1.0), 422)
    assert "from 0 to 100" in refused(client, features(actual=130), 422)
    assert "measured_at" in refused(client, features(at="yesterday"), 422)
    assert "is required" in refused(client, {"actual": 3}, 422)
    assert "is not JSON" in refused(client, "[{", 422)
    assert "is not JSON" in refused(client, "{", 422)
    for body in ("5", "null", ""):
        assert "expected an object with an actual, or a list of such" in refused(client, body, 422)
    assert "got NaN" in refused(client, f'{{"prediction_id": "{ID}", "actual": NaN}}', 422)
    assert "empty list" in refused(client, "[]", 422)
    assert 'got "x"' in refused(client, '"x"', 422)
    assert kept(services) == []


def test_an_actual_of_a_list_that_is_no_number_spoils_the_others_not(client: TestClient) -> None:
    answer = client.post("/feedback", content=json.dumps([features(actual=float("nan")), features()]))
    assert answer.status_code == 202
    first, second = answer.json()["results"]
    assert first == {"status": "refused", "error": "actual: must be a finite number, got NaN"}
    assert second["status"] == "accepted"


def test_a_value_that_the_cost_cannot_have_is_refused_where_the_prediction_is_known(
    client: TestClient, services: Services
) -> None:
    name = predict(client)
    assert predicted(services) == 1
    assert "cpu_utilization is from 0 to 100 percent, got 130" in refused(
        client, {"prediction_id": name, "actual": 130}, 422
    )


def test_more_than_a_hundred_thousand_are_too_many(client: TestClient) -> None:
    body = "[" + ",".join(["1"] * 100_001) + "]"
    assert "more than the 100,000 rows that POST /feedback allows" in refused(client, body, 413)


def test_rows_of_a_request_of_the_inference_protocol_are_told_by_their_number(
    client: TestClient, services: Services, registry: Registry
) -> None:
    tensor = {"name": "features", "datatype": "FP32", "shape": [2, 8], "data": [*LOAD.values(), *LOAD.values()]}
    answer = client.post("/v2/models/cpu-utilization/infer", json={"inputs": [tensor]}).json()
    name = answer["parameters"]["prediction_id"]
    tell(client, [{"prediction_id": f"{name}-{row}", "actual": 30.0 + row} for row in (0, 1)])
    predicted(services)
    version_of = versions_of(registry)
    Observer(services.database, [LiveAccuracy(version_of)], version_of).look()
    with services.database.read() as connection:
        ((_, found),) = read_accuracy(connection).items()
    assert (found["all"].predictions, found["all"].actuals) == (2, 2)
    assert found["all"].bias == pytest.approx(-0.5)


def test_nothing_is_kept_while_the_database_refuses(client: TestClient, services: Services) -> None:
    name = predict(client)
    predicted(services)
    with services.database.begin() as connection:
        connection.execute(sa.text("ALTER TABLE actual RENAME TO away"))
    answer = client.post("/feedback", json=[{"prediction_id": name, "actual": 3}, features()])
    assert answer.status_code == 503
    with services.database.begin() as connection:
        connection.execute(sa.text("ALTER TABLE away RENAME TO actual"))
    assert kept(services) == []
    assert counts(tell(client, [{"prediction_id": name, "actual": 3}, features()])) == (2, 0, 0)


def test_results_are_counted(client: TestClient) -> None:
    tell(client, [features(), features(), features(actual=31)])
    shown = client.get("/metrics").text
    for result in ("accepted", "repeated", "refused"):
        assert f'ml_feedback_total{{result="{result}"}} 1.0' in shown


@pytest.fixture
def unrecorded(settings: Settings, registry: Registry) -> Iterator[TestClient]:
    off = load_settings(**settings.model_dump() | {"prediction_log": False})
    with TestClient(create_app(off)) as client:
        yield client


def test_where_predictions_are_not_recorded_actuals_are_refused(unrecorded: TestClient) -> None:
    assert "PREDICTION_LOG is off" in refused(unrecorded, features(), 409)
