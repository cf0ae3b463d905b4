"""Null characters, which PostgreSQL can't keep, are refused whatever the database, and the field is named."""

import json

import pytest
from starlette.testclient import TestClient

SCHEDULE = "/schedules/cpu-utilization"


@pytest.mark.parametrize(
    ("method", "path", "field"),
    [
        ("GET", "/jobs/a%00b", "job_id"),
        ("GET", "/train/status/%00", "job_id"),
        ("POST", "/train/cancel/%00", "job_id"),
        ("GET", "/schedules/%00", "model"),
        ("GET", "/schedules/%00/history", "model"),
        ("GET", "/models/%00", "name"),
        ("GET", "/train/jobs?workload=%00&limit=3", "workload"),
    ],
)
def test_one_in_a_path_or_a_query_is_refused_by_the_name_of_its_parameter(
    client: TestClient, method: str, path: str, field: str
) -> None:
    answer = client.request(method, path)
    assert answer.status_code == 422
    assert answer.json()["errors"] == [{"field": field, "message": "must not hold a null character"}]


@pytest.mark.parametrize(
    ("body", "fields"),
    [
        ({"cron": "0 3 * * *", "request": {"dataset": "a\0b"}}, ["dataset"]),
        ({"cron": "\0", "request": {"families": ["xgboost", "\0"]}}, ["cron", "families"]),
        ({"cron": "0 3 * * *", "request": {"a\0b": 1}}, ["request"]),
        (["\0"], ["body"]),
    ],
)
def test_one_in_a_body_is_refused_by_the_innermost_name(client: TestClient, body: object, fields: list[str]) -> None:
    answer = client.put(SCHEDULE, json=body)
    assert answer.status_code == 422
    assert [error["field"] for error in answer.json()["errors"]] == fields


@pytest.mark.parametrize("encoding", ["utf-16", "utf-32-be"])
def test_one_in_a_body_is_refused_in_whatever_encoding_json_may_have(client: TestClient, encoding: str) -> None:
    body = json.dumps({"cron": "0 3 * * *", "request": {"dataset": "a\0b"}}).encode(encoding)
    answer = client.put(SCHEDULE, content=body, headers={"Content-Type": "application/json"})
    assert (answer.status_code, answer.json()["errors"][0]["message"]) == (422, "must not hold a null character")


def test_a_backslash_before_the_same_letters_is_none(client: TestClient) -> None:
    answer = client.put(SCHEDULE, json={"cron": "0 3 * * *", "request": {"dataset": "a\\u0000b"}})
    assert answer.json()["detail"].startswith("dataset: unknown dataset")


def test_a_query_that_no_route_reads_is_let_through(client: TestClient) -> None:
    assert client.get("/models?unknown=%00").status_code == 200


def test_a_body_that_is_no_json_is_refused_for_that(client: TestClient) -> None:
    for body in (b'{"a": "\\u0000"', b"\\u0000"):
        answer = client.put(SCHEDULE, content=body, headers={"Content-Type": "application/json"})
        assert (answer.status_code, answer.json()["errors"][0]["field"]) != (422, "a")
        assert 400 <= answer.status_code < 500


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-be", "utf-32"])
def test_one_in_a_body_of_another_encoding_is_refused_too(client: TestClient, encoding: str) -> None:
    body = r'{"cron": "0 3 * * *", "request": {"dataset": "a\u0000b"}}'.encode(encoding)
    answer = client.put(SCHEDULE, content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["message"] == "must not hold a null character"
