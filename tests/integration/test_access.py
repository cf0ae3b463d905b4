"""Keys on a real server: no spelling of a request gets past them, by either way of answering."""

import json
import socket
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import httpx2
import pytest
from benchmarks.hostile import Case, ask, head, once, post
from tests.contract.conftest import fill, start
from tests.patience import PATIENCE_SECONDS

from perfcast.cli import main

KEYS = "hunter2-reader:read,hunter2-predictor:predict,hunter2-chief:admin"
BODY = b'{"request_rate": 100, "active_users": 1, "db_connections": 1, "timestamp": "2026-03-02T14:05:00Z"}'
SPELLINGS = (
    "/models/2/activate",
    "/models/2/activate/",
    "//models/2/activate",
    "/models//2/activate",
    "/./models/2/activate",
    "/health/../models/2/activate",
    "/health/..%2fmodels/2/activate",
    "/%6dodels/2/activate",
    "/models/2/%61ctivate",
    "/models/2%2Factivate",
    "/models%2F2%2Factivate",
    "/models/%32/activate",
    "/models/2/activate?x=/health",
    "/models/2/activate%3F",
    "/models/2/activate%0A",
    "/models/2/activate%00",
    "/models/2/activate;/health",
    "/models/2/activate#/health",
    "/models/cpu-utilization:2/activate",
    "/models/cpu-utilization%3A2/activate",
    "/MODELS/2/ACTIVATE",
    "http://perfcast/models/2/activate",
    "http://perfcast/health/../models/2/activate",
)
DISGUISES = (
    (),
    ("X-HTTP-Method-Override: GET",),
    ("X-Original-URL: /health",),
    ("X-Rewrite-URL: /health",),
    ("X-Forwarded-Prefix: /models",),
    ("X-API-Key:", "X-API-Key: hunter2-chief"),
)


class Guarded:
    """A server with keys."""

    def __init__(self, url: str) -> None:
        where = urlsplit(url)
        assert where.hostname
        assert where.port
        self.url, self._address = url, (where.hostname, where.port)

    def status(self, message: bytes) -> int:
        """What one message gets."""
        (status,) = ask(self._address, Case("", once(message), (0,))).statuses
        return status

    def champion(self) -> int:
        answer = httpx2.get(f"{self.url}/models/cpu-utilization", headers={"X-API-Key": "hunter2-reader"})
        return int(answer.json()["champion"])


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Guarded]:
    folder = tmp_path_factory.mktemp("guarded")
    fill(folder)
    process, address = start(folder, API_KEY=KEYS, LOG_LEVEL="DEBUG")
    yield Guarded(address)
    process.terminate()
    _, log = process.communicate(timeout=PATIENCE_SECONDS)
    assert "hunter2" not in log


@pytest.mark.parametrize("path", SPELLINGS)
def test_no_spelling_reaches_a_guarded_route_without_its_scope(guarded: Guarded, path: str) -> None:
    length = "Content-Length: 0"
    for disguise in DISGUISES:
        assert guarded.status(head("POST", path, length, *disguise)) in (400, 401)
    for weak in ("X-API-Key: hunter2-reader", "x-api-key: hunter2-predictor"):
        assert guarded.status(head("POST", path, length, weak)) in (400, 403)
    assert guarded.champion() == 1


@pytest.mark.parametrize(
    ("path", "key", "status"),
    [
        ("/predict", "hunter2-predictor", 200),
        ("/predict", "hunter2-chief", 200),
        ("/predict", "hunter2-reader", 403),
        ("/predict", "hunter2", 401),
        ("/predict", "", 401),
        ("/%70redict", "hunter2-predictor", 200),
        ("/%70redict", "hunter2-reader", 403),
        ("/%70redict", "", 401),
        ("/predict%0A", "", 401),
        ("/predict/", "", 401),
        ("/predict?a=b", "", 401),
        ("/predict?a=b", "hunter2-predictor", 200),
    ],
)
def test_a_prediction_is_guarded_whichever_way_it_is_answered(
    guarded: Guarded, path: str, key: str, status: int
) -> None:
    assert guarded.status(post(BODY, f"X-API-Key: {key}", path=path)) == status
    parts = (head("POST", path, "Transfer-Encoding: chunked", f"X-API-Key: {key}"), b"%x\r\n%b\r\n0\r\n\r\n")
    assert guarded.status(parts[0] + parts[1] % (len(BODY), BODY)) == status


def test_the_champion_moves_with_the_right_key(guarded: Guarded) -> None:
    for version in ("2", "1"):
        path = f"/models/{version}/activate"
        assert guarded.status(head("POST", path, "Content-Length: 0", "X-API-Key: hunter2-chief")) == 200
        assert guarded.champion() == int(version)


def test_answers_at_once_count_towards_the_limit_and_one_too_many_is_refused(tmp_path: Path) -> None:
    fill(tmp_path)
    process, address = start(tmp_path, RATE_LIMIT="4/hour")
    where = urlsplit(address)
    sent = once(post(BODY) * 3 + post(b"{") + post(BODY))
    answer = ask((str(where.hostname), int(where.port or 0)), Case("", sent, (0,) * 5))
    process.terminate()
    process.communicate(timeout=PATIENCE_SECONDS)
    assert answer.statuses == (200, 200, 200, 422, 429)


def call(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str, str]:
    monkeypatch.setattr(sys, "argv", ["perfcast", *words])
    with pytest.raises(SystemExit) as stopped:
        main()
    shown = capsys.readouterr()
    return int(stopped.value.code or 0), shown.out, shown.err


def test_commands_send_the_key_that_they_are_given(
    guarded: Guarded, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    predict = ["predict", "--url", guarded.url, *("request_rate=100", "active_users=1", "db_connections=1")]
    predict.append("timestamp=2026-03-02T14:05:00Z")
    status, out, err = call(monkeypatch, capsys, *predict)
    assert (status, "--api-key or PERFCAST_API_KEY" in err) == (1, True)
    status, out, err = call(monkeypatch, capsys, *predict, "--api-key", "hunter2-predictor")
    assert (status, json.loads(out)["cpu_utilization"]) == (0, 25.0), err
    monkeypatch.setenv("PERFCAST_API_KEY", "hunter2-reader")
    for words in (["jobs", "list", "--json"], ["schedules", "list", "--json"]):
        status, out, err = call(monkeypatch, capsys, *words, "--url", guarded.url)
        assert (status, json.loads(out)) == (0, []), err
    status, out, err = call(monkeypatch, capsys, *predict)
    assert (status, "scope predict" in err) == (1, True)
    assert "hunter2" not in call(monkeypatch, capsys, "jobs", "list", "--help")[1]
    monkeypatch.setenv("PERFCAST_API_KEY", "schlüssel")
    assert call(monkeypatch, capsys, *predict)[0] == 1


def test_the_servers_own_keys_are_not_sent_to_other_servers(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("API_KEY", "hunter2-server")
    with socket.create_server(("127.0.0.1", 0)) as other:
        other.settimeout(10)
        monkeypatch.setattr("perfcast.cli._remote._SECONDS", 0.5)
        assert call(monkeypatch, capsys, "jobs", "list", "--url", f"http://127.0.0.1:{other.getsockname()[1]}")[0] == 1
        with other.accept()[0] as connection:
            assert b"hunter2" not in connection.recv(65_536)


def test_doctor_counts_keys_and_shows_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("DATA_DIR", str(tmp_path))
    monkeypatch.setenv("API_KEY", KEYS)
    monkeypatch.setenv("RATE_LIMIT", "600/minute")
    _, out, err = call(monkeypatch, capsys, "doctor")
    assert "3 keys; 600 requests in 60 s" in out
    assert "hunter2" not in out + err
