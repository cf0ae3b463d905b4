"""The file that says what is collected: what it means, and how it says what is wrong."""

from pathlib import Path
from typing import Any

import pytest
from tests.unit.collect.conftest import QUERIES, Make

from perfcast.collect import example, read_collection, seconds
from perfcast.errors import InvalidSetting
from perfcast.workloads import builtin_workloads

URL = "http://localhost:9090"


def test_the_example_can_be_read(tmp_path: Path) -> None:
    (tmp_path / "collect.yaml").write_text(example("shop"))
    collection = read_collection(tmp_path / "collect.yaml", builtin_workloads())
    assert collection.queries["request_rate"].endswith("[60s]))")
    assert (collection.step, collection.window, collection.lag) == (60, 60, 90)


def test_one_window_is_filled_into_every_query(collection_of: Make) -> None:
    collection = collection_of(URL, window="2m", capacity="sum(avg_over_time(cores[${window}]))")
    assert all("[120s]" in query for query in collection.queries.values())
    assert list(collection.queries) == ["request_rate", "active_users", "db_connections", "cpu_utilization", "capacity"]


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"server": {"url": "prometheus:9090"}}, r"server\.url: .*got 'prometheus:9090'"),
        ({"server": {"url": "http://me:pw@host"}}, r"server\.url: must hold no password"),
        ({"server": {"url": "htp://me:pw@host"}}, r"server\.url: must hold no password"),
        ({"server": {"url": URL, "bearer_token": "abc"}}, r"server\.bearer_token.*say {env: NAME} or {file: PATH}"),
        ({"server": {"url": URL, "bearer_token": {"env": "NOWHERE_TOKEN"}}}, "no environment variable NOWHERE_TOKEN"),
        ({"server": {"url": URL, "bearer_token": {"file": "/nowhere/t"}}}, "/nowhere/t can't be read"),
        ({"server": {"url": URL, "bearer_token": {}}}, "say env: NAME or file: PATH"),
        (
            {"server": {"url": URL, "bearer_token": {"env": "ODD_TOKEN"}}},
            r"server\.bearer_token: a header is one line of",
        ),
        ({"server": {"url": URL, "username": "me"}}, "username and password belong together"),
        ({"server": {"url": URL, "ca_file": "/nowhere/ca.pem"}}, r"server\.ca_file: /nowhere/ca\.pem can't be used"),
        ({"server": {"url": URL, "headers": {"X Y": "1"}}}, r"server\.headers\.X Y"),
        ({"server": {"url": URL, "headers": {"X": "1\r\nY: 2"}}}, r"server\.headers\.X"),
        ({"server": {"url": URL, "matcher": "cluster"}}, r"server\.matcher"),
        ({"server": {"url": URL, "timeout": "never"}}, r"server\.timeout: .*got 'never'"),
        ({"workload": "cpu"}, "unknown workload 'cpu'"),
        ({"dataset": "a b"}, "a dataset can't be called 'a b'"),
        ({"features": QUERIES | {"users": "up"}}, "has no feature 'users'"),
        ({"features": QUERIES | {"request_rate": ""}}, "request_rate: the query is empty"),
        ({"features": {"request_rate": "up"}}, "a query for active_users is missing"),
        ({"target": " "}, "target: is empty"),
        ({"target": None}, "target"),
        ({"capacity": 0}, "capacity: must be above 0 cores, got 0"),
        ({"step": "fast"}, "step: expected a duration such as 60s, 5m or 1h30m, got 'fast'"),
        ({"step": 0.5}, "step: must be whole seconds"),
        ({"keep_rows": 5}, "keep_rows: must be from 1,000 to 2,000,000, got 5"),
        ({"publish_rows": 0}, "publish_rows: must be 1 or more, got 0"),
        ({"windows": "1m"}, "windows"),
    ],
)
def test_what_is_wrong_is_named(
    collection_of: Make, changes: dict[str, Any], told: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ODD_TOKEN", "abc…")
    with pytest.raises(InvalidSetting, match=told) as raised:
        collection_of(URL, **changes)
    assert "collect.yaml" in str(raised.value)


@pytest.mark.parametrize(("text", "expected"), [("90", 90), (90, 90), ("1m30s", 90), ("2h", 7200), ("14d", 1_209_600)])
def test_durations_are_read(text: str | float, expected: float) -> None:
    assert seconds("step", text) == expected


@pytest.mark.parametrize("text", ["", "0", "-5", "5 minutes", "1x", "nan", "inf", "1m2"])
def test_durations_that_are_none_are_refused(text: str) -> None:
    with pytest.raises(InvalidSetting, match="step: expected a duration"):
        seconds("step", text)


def test_the_signature_changes_with_what_rows_mean(collection_of: Make) -> None:
    signatures = {
        collection_of(URL, **changes).signature
        for changes in (
            {},
            {"capacity": 3},
            {"window": 120},
            {"step": 30},
            {"server": {"url": URL, "matcher": 'a="b"'}},
        )
    }
    assert len(signatures) == 5
    assert collection_of("http://elsewhere:9090", lag=300).signature == collection_of(URL).signature
