"""What callers see of keys and limits."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from perfcast.api import Services, create_app
from perfcast.api.access import make_gate
from perfcast.api.access._keys import address_of
from perfcast.api.http._identifiers import CLIENT
from perfcast.api.http._schemas import ProblemDetails
from perfcast.errors import InvalidSetting
from perfcast.registry import Registry
from perfcast.settings import load_settings

KEYS = "reader-1:read,predictor-1:predict,trainer-1:train,chief-1:admin,all-1"
LOAD = {"request_rate": 100, "active_users": 1, "db_connections": 1, "timestamp": "2026-03-02T14:05:00Z"}
OPEN = ["/", "/livez", "/readyz", "/health", "/metrics", "/docs", "/redoc", "/openapi.json"]

Opened = Callable[..., TestClient]


@pytest.fixture
def opened(tmp_path: Path, registry: Registry) -> Iterator[Opened]:
    """Opens the application with the given access settings."""
    clients: list[TestClient] = []

    def open_with(**given: Any) -> TestClient:
        settings = load_settings(data_dir=tmp_path, refresh_seconds=0.05, **given)
        client = TestClient(create_app(settings, services=Services(settings)), raise_server_exceptions=False)
        clients.append(client.__enter__())
        return client

    yield open_with
    for client in clients:
        client.__exit__(None, None, None)


def key(secret: str) -> dict[str, str]:
    return {"X-API-Key": secret}


def test_without_keys_and_limits_there_is_no_gate(opened: Opened) -> None:
    assert make_gate(load_settings()) is None
    assert opened().post("/predict", json=LOAD).status_code == 200


@pytest.mark.parametrize("path", OPEN)
def test_the_open_routes_ask_for_no_key_and_are_not_limited(opened: Opened, path: str) -> None:
    client = opened(api_key=KEYS, rate_limit="1/hour")
    for _ in range(3):
        assert client.get(path).status_code == 200
        assert client.get(path, headers=key("wrong")).status_code == 200


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("GET", "/models", {"reader-1"}),
        ("HEAD", "/models", {"reader-1"}),
        ("GET", "/models/cpu-utilization", {"reader-1"}),
        ("GET", "/models/cpu-utilization/metrics", {"reader-1"}),
        ("POST", "/predict", {"predictor-1"}),
        ("POST", "/train/cancel/none", {"trainer-1"}),
        ("GET", "/jobs/none", {"reader-1", "trainer-1"}),
        ("GET", "/train/jobs", {"reader-1", "trainer-1"}),
        ("GET", "/schedules", {"reader-1", "trainer-1"}),
        ("DELETE", "/schedules/none", {"trainer-1"}),
        ("POST", "/models/2/activate", set()),
        ("GET", "/nowhere", set()),
        ("PATCH", "/models", set()),
    ],
)
def test_a_route_is_open_to_the_keys_of_its_scope_alone(
    opened: Opened, method: str, path: str, allowed: set[str]
) -> None:
    client = opened(api_key=KEYS)
    for secret in ("reader-1", "predictor-1", "trainer-1", "chief-1", "all-1"):
        answer = client.request(method, path, headers=key(secret))
        assert (answer.status_code == 403) == (secret not in allowed | {"chief-1", "all-1"}), secret
        assert answer.status_code not in (401, 500)
    for headers in ({}, key("wrong"), key(""), key("reader-1:read"), key("reader-1,all-1")):
        assert client.request(method, path, headers=headers).status_code == 401


def test_a_refusal_is_a_problem_that_says_what_is_missing(opened: Opened) -> None:
    client = opened(api_key=KEYS)
    nothing = client.post("/predict", json=LOAD, headers={"X-Request-ID": "mine-1"})
    assert (nothing.status_code, nothing.headers["www-authenticate"].partition(" ")[0]) == (401, "ApiKey")
    assert nothing.headers["content-type"] == "application/problem+json"
    assert nothing.headers["x-request-id"] == nothing.json()["request_id"] == "mine-1"
    assert "send it as X-API-Key" in nothing.json()["detail"]
    wrong = client.post("/predict", json=LOAD, headers=key("hunter2"))
    assert wrong.status_code == 401
    assert "hunter2" not in wrong.text
    weak = client.post("/predict", json=LOAD, headers=key("reader-1"))
    assert weak.status_code == 403
    assert "the scope predict; yours has read" in weak.json()["detail"]
    for answer in (nothing, wrong, weak):
        assert ProblemDetails.model_validate(answer.json(), strict=True).status == answer.status_code
    counted = client.get("/metrics").text
    assert 'http_requests_total{method="POST",route="refused",status="401"} 2.0' in counted
    assert "hunter2" not in counted


def test_the_right_key_predicts_as_ever(opened: Opened) -> None:
    answer = opened(api_key=KEYS, rate_limit="5/hour").post("/predict", json=LOAD, headers=key("predictor-1"))
    assert (answer.status_code, answer.json()["cpu_utilization"]) == (200, 25.0)


def test_a_request_too_many_gets_429_and_the_time_to_come_again(opened: Opened) -> None:
    client = opened(rate_limit="2/hour;100/day")
    assert [client.post("/predict", json=LOAD).status_code for _ in range(3)] == [200, 200, 429]
    answer = client.get("/models")
    assert answer.status_code == 429
    assert ProblemDetails.model_validate(answer.json(), strict=True).title == "Too Many Requests"
    assert 3590 <= int(answer.headers["retry-after"]) <= 3600
    assert answer.headers["x-ratelimit-limit"] == "2"
    assert answer.headers["x-ratelimit-remaining"] == "0"
    assert answer.headers["x-ratelimit-reset"] == answer.headers["retry-after"]


def test_each_key_is_limited_for_itself_and_wrong_keys_by_their_address(opened: Opened) -> None:
    client = opened(api_key=KEYS, rate_limit="2/hour")
    statuses = [client.get("/models", headers=key(f"guess-{number}")).status_code for number in range(4)]
    assert statuses == [401, 401, 429, 429]
    assert client.get("/models").status_code == 429
    assert [client.get("/models", headers=key("reader-1")).status_code for _ in range(3)] == [200, 200, 429]
    assert [client.get("/models", headers=key("all-1")).status_code for _ in range(3)] == [200, 200, 429]


def test_the_document_has_the_scheme_and_says_which_scope_a_route_needs(opened: Opened) -> None:
    document = opened(api_key=KEYS).get("/openapi.json").json()
    assert document["components"]["securitySchemes"]["ApiKey"]["name"] == "X-API-Key"
    activate = document["paths"]["/models/{ref}/activate"]["post"]
    assert activate["security"] == [{"ApiKey": []}]
    assert "Scope: `admin`." in activate["description"]
    assert {"401", "403", "429"} <= set(activate["responses"])
    assert "security" not in document["paths"]["/health"]["get"]
    assert "401" not in document["paths"]["/health"]["get"]["responses"]
    for operations in document["paths"].values():
        for operation in operations.values():
            assert ("security" in operation) == ("429" in operation["responses"])


def test_without_keys_the_document_says_that_none_is_needed(opened: Opened) -> None:
    predict = opened().get("/openapi.json").json()["paths"]["/predict"]["post"]
    assert predict["security"] == [{}, {"ApiKey": []}]


@pytest.mark.parametrize(
    ("client", "name"),
    [
        (("10.1.2.3", 5), "address:10.1.2.3"),
        (("::ffff:10.1.2.3", 5), "address:10.1.2.3"),
        (("2001:db8:1:2:3:4:5:6", 5), "address:2001:db8:1:2::/64"),
        (("2001:db8:1:2::9", 5), "address:2001:db8:1:2::/64"),
        (("fe80::1%eth0", 5), "address:fe80::/64"),
        (("no:address", 5), "address:no:address"),
        (None, "address:"),
    ],
)
def test_a_caller_without_a_key_is_its_address_and_of_ipv6_its_network(client: Any, name: str) -> None:
    assert address_of(client) == name


@pytest.mark.parametrize(("given", "name"), [("all-1", "key:"), ("", "address:testclient")])
def test_the_callers_name_is_in_the_scope_for_what_must_stick_to_it(given: str, name: str) -> None:
    gate = make_gate(load_settings(api_key=KEYS if given else "", rate_limit="9/second"))
    assert gate is not None
    scope: dict[str, Any] = {"type": "http", "method": "POST", "path": "/predict", "client": ("testclient", 1)}
    scope["headers"] = [(b"x-api-key", given.encode())]
    with pytest.raises(StopIteration) as done:
        gate.admit(scope).send(None)
    assert done.value.value is None
    assert scope[CLIENT].startswith(name)
    assert given == "" or given not in scope[CLIENT]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("rate_limit", "600"),
        ("rate_limit", "1/minute,2/hour"),
        ("rate_limit", "0/second"),
        ("trusted_proxies", "nginx"),
    ],
)
def test_a_rule_that_cannot_be_used_is_named(name: str, value: str) -> None:
    with pytest.raises(InvalidSetting, match=name.upper()):
        make_gate(load_settings(**{name: value}))
