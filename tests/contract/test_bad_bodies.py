"""Bodies that are wrong in every way, sent to a real server: each gets a problem that says what and where."""

import httpx2
import pytest

LOAD = '"active_users": 60, "db_connections": 25, "timestamp": "2026-03-02T14:05:00Z"'


@pytest.mark.parametrize(
    ("body", "detail"),
    [
        (b"", "is empty"),
        (b"[]", "got a list"),
        (b"{", "truncated"),
        (b"\xff\xfe", "is not JSON"),
        (b'{"model_name": "\xff"}', "UTF-8"),
        (b"[" * 200_000, "nested too deeply"),
        (f'{{"request_rate": NaN, {LOAD}}}'.encode(), "request_rate: must be a finite number"),
        (f'{{"request_rate": -Infinity, {LOAD}}}'.encode(), "request_rate: must be a finite number"),
        (f'{{"request_rate": 1e308, {LOAD}}}'.encode(), "request_rate"),
        (f'{{"request_rate": {"9" * 5000}, {LOAD}}}'.encode(), "body"),
        (f'{{"request_rate": [1], {LOAD}}}'.encode(), "expected a number"),
        (f'{{"request_rat": 1, {LOAD}}}'.encode(), "did you mean 'request_rate'"),
        (b'{"cnn_config": {}, "features": {}}', "not both"),
        (b'{"timestamp": "yesterday"}', "ISO 8601"),
    ],
)
def test_a_wrong_body_gets_a_422_problem(client: httpx2.Client, body: bytes, detail: str) -> None:
    response = client.post("/predict", content=body)
    assert response.status_code == 422
    assert response.headers["content-type"] == "application/problem+json"
    assert detail in response.json()["detail"]
    assert response.json()["errors"]


def test_a_body_over_the_limit_gets_413_and_the_connection_lives_on(client: httpx2.Client) -> None:
    response = client.post("/predict", content=b" " * 11_000_000)
    assert response.status_code == 413
    assert client.get("/livez").status_code == 200


@pytest.mark.parametrize("body", [b"\xff\xfe", b"{", b"nothing"])
@pytest.mark.parametrize(("method", "path"), [("POST", "/train"), ("PUT", "/schedules/cpu-utilization")])
def test_what_is_not_json_gets_the_same_problem_from_every_route(
    client: httpx2.Client, method: str, path: str, body: bytes
) -> None:
    response = client.request(method, path, content=body, headers={"Content-Type": "application/json"})
    assert (response.status_code, response.headers["content-type"]) == (422, "application/problem+json")
    assert response.json()["errors"]


def test_a_method_that_is_not_allowed_is_told_every_one_that_is(client: httpx2.Client) -> None:
    response = client.patch("/schedules/cpu-utilization")
    assert (response.status_code, response.headers["allow"]) == (405, "DELETE, GET, PUT")
