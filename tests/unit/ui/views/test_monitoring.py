"""The page Monitoring: health, traffic, live accuracy, intervals that follow, drift."""

import json
import shutil
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest
from tests.patience import until
from tests.stocked import CNN, CPU, ONNXRUNTIME, OPERATORS, OTHER_CPU, TORCH
from tests.unit.ui.conftest import KEY, Open, refusals, running, words

from perfcast.monitoring import Corrections, LiveAccuracy, Observer, versions_of
from perfcast.monitoring.drift import Drift
from perfcast.registry import Registry
from perfcast.storage import Blobs, Database
from perfcast.ui import _place
from perfcast_client import Client

LOAD = {"request_rate": 100.0, "active_users": 50.0, "db_connections": 20.0}
HOURS, AN_HOUR = 12, 12
TRAFFIC = ("Requests", "Time of a prediction", "The server's machine")
ACCURACY = ("Mean error", "Bias, predicted less true", "Share inside the 90 % interval", "Width of the 90 % interval")


@pytest.fixture(scope="module")
def watched_api(stocked: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A server that was told twelve hours of costs far higher than its model `CPU` says, and an observer's work."""
    folder = tmp_path_factory.mktemp("watched")
    shutil.copytree(stocked, folder, dirs_exist_ok=True)
    with running(folder) as address, Client(address) as client:
        client.feedback_batch(_told())
        _observe(folder, client)
        yield address


def _told() -> list[dict[str, Any]]:
    begin = datetime.now(UTC).replace(minute=0, second=0, microsecond=0) - timedelta(hours=HOURS + 1)
    moments = [begin + timedelta(minutes=60 / AN_HOUR * n) for n in range(HOURS * AN_HOUR)]
    return [
        {
            "model_name": CPU, "features": LOAD | {"timestamp": "2026-03-02T14:05:00Z"}, "actual": 65.0,
            "measured_at": moment.isoformat(),
        }
        for moment in moments
    ]  # fmt: skip


def _observe(folder: Path, client: Client) -> None:
    database = Database(f"sqlite:///{folder / 'perfcast.db'}")
    version_of = versions_of(Registry(database, Blobs(str(folder / "artifacts"))))
    drift = Drift(version_of, lambda *_: None, alarms_per_week=1.0)
    observer = Observer(database, [LiveAccuracy(version_of), Corrections(version_of), drift], version_of)

    def all_judged() -> bool:
        observer.look()
        live = client.models.metrics(CPU).live.get("champion", {})
        known = "all" in live and live["all"].actuals == HOURS * AN_HOUR
        return known and 'ml_drift_state{kind="error"' in client.metrics()

    until(all_judged)
    database.close()


def figure(page: AppTest, key: str) -> dict[str, Any]:
    """Traces of a figure by name."""
    (found,) = [one for one in page.get("plotly_chart") if one.key == key]
    return {one.get("name", ""): one for one in json.loads(found.proto.spec)["data"]}


def figures(page: AppTest) -> set[str]:
    return {str(one.key) for one in page.get("plotly_chart")}


def cells(page: AppTest) -> str:
    """What all tables of the page hold."""
    return "\n".join(table.value.to_string() for table in page.table)


def biases(page: AppTest) -> list[str]:
    """Of each arm, in the window that is chosen."""
    arms = next(table.value for table in page.table if "Arm" in table.value)
    return list(arms["Bias"])


def again(page: AppTest) -> AppTest:
    """The page as it is five seconds later, when copies are old."""
    st.cache_data.clear()
    return page.run()


def test_health_tells_the_state_each_dependency_and_the_machine(open_page: Open) -> None:
    page = open_page("monitoring")
    assert refusals(page) == []
    assert "**Healthy**" in words(page)
    assert "database" in cells(page)
    assert "artifacts" in cells(page)
    assert {"Processors in use", "Memory in use", "Disk in use"} <= {one.label for one in page.metric}


def test_traffic_is_drawn_from_the_second_look_on(open_page: Open, api: str) -> None:
    page = open_page("monitoring")
    assert "the first figures come in 5 seconds" in words(page)
    assert not figures(page) & set(TRAFFIC)
    with Client(api) as client:
        for _ in range(7):
            client.predict(LOAD | {"timestamp": "2026-03-02T14:05:00Z"}, model=CPU)
        for _ in range(3):
            with pytest.raises(Exception, match="request_rate"):
                client.predict(LOAD | {"request_rate": -1, "timestamp": "2026-03-02T14:05:00Z"}, model=CPU)
    again(page)
    assert refusals(page) == []
    assert set(TRAFFIC) <= figures(page)
    bars = figure(page, "Predictions by model")[""]
    assert (bars["y"], bars["text"]) == ([CPU], ["7"])
    failed = figure(page, "Failed predictions by kind")[""]
    assert (failed["y"], failed["text"]) == (["invalid input"], ["3"])
    assert {"answered", "refused", "failed"} == set(figure(page, "Requests"))
    assert "Jobs queued" in cells(page)


def test_nothing_that_happened_is_told_as_such(open_page: Open, empty_api: str) -> None:
    page = again(open_page("monitoring", api=empty_api))
    assert "Nothing was predicted meanwhile." in words(page)
    assert "No prediction failed meanwhile." in words(page)


def test_without_a_model_it_says_so_and_how_to_get_one(open_page: Open, empty_api: str) -> None:
    page = open_page("monitoring", api=empty_api)
    assert "**Unhealthy**" in words(page)
    assert "There is no model to watch yet" in words(page)
    assert "`perfcast train`" in words(page)
    assert not page.selectbox


def test_where_no_true_cost_was_told_it_says_how_to(open_page: Open) -> None:
    page = open_page("monitoring", model=OTHER_CPU)
    assert refusals(page) == []
    assert "`POST /feedback`" in words(page)
    assert not figures(page) & set(ACCURACY)
    assert "as calibrated" in words(page)


def test_live_accuracy_is_shown_against_what_was_promised(open_page: Open, watched_api: str) -> None:
    page = open_page("monitoring", api=watched_api, model=CPU)
    assert set(ACCURACY) <= figures(page)
    bias = figure(page, "Bias, predicted less true")["champion (version 1)"]
    assert bias["x"] == ["1 hour", "24 hours", "7 days", "all"]
    assert bias["y"][0] is None  # told of hours before the last one
    assert bias["y"][-1] == pytest.approx(bias["y"][1])
    assert bias["y"][-1] < -30
    held = figure(page, "Share inside the 90 % interval")["champion (version 1)"]
    assert held["y"][-1] == 0.0


def test_the_window_is_chosen_by_the_address_or_by_hand(open_page: Open, watched_api: str) -> None:
    page = open_page("monitoring", api=watched_api, model=CPU, window="1 hour")
    assert biases(page) == ["–"]
    page.button_group("window").set_value("all").run()
    (bias,) = biases(page)
    assert bias.startswith("-")


def test_corrections_say_how_far_each_bound_was_moved(open_page: Open, watched_api: str) -> None:
    page = open_page("monitoring", api=watched_api, model=CPU)
    assert f"corrected by {HOURS * AN_HOUR} true costs" in words(page)
    moved = figure(page, "correction")
    assert all(value > 0 for value in moved["upper bound"]["y"])
    assert moved["upper bound"]["x"] == ["50\u202f%", "80\u202f%", "90\u202f%", "95\u202f%"]  # 99 needs more


def test_an_alarm_of_drift_is_told_on_top_and_in_words_with_its_runbook(open_page: Open, watched_api: str) -> None:
    page = open_page("monitoring", api=watched_api, model=CPU)
    told = refusals(page)
    assert f"**{CPU}** drifts" in told[0]
    assert "errors above usual" in told[0]
    assert any("times what is usual" in one and "PerfcastErrorUp in docs/runbooks.md" in one for one in told[1:])
    bars = figure(page, "drift")[""]
    assert bars["y"][0] in ("mean error of an hour", "misses of the 90 % interval")
    assert bars["x"][0] >= 1.0
    assert bars["x"] == sorted(bars["x"], reverse=True)


def test_a_model_that_is_not_watched_says_why(open_page: Open, watched_api: str) -> None:
    page = open_page("monitoring", api=watched_api, model=OTHER_CPU)
    assert "Nothing is watched: " in words(page)
    assert "drift" not in figures(page)


def test_the_runbooks_are_linked_where_they_are_served(
    open_page: Open, watched_api: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DOCS_URL", "https://docs.example/perfcast/")
    monkeypatch.setenv("GRAFANA_URL", "https://grafana.example")
    page = open_page("monitoring", api=watched_api, model=CPU)
    assert any("(https://docs.example/perfcast/runbooks/#perfcasterrorup)" in one for one in refusals(page))
    links = {one.proto.label: one.proto.url for one in page.get("link_button")}
    assert links["Grafana"] == "https://grafana.example"
    assert links["Runbooks"] == "https://docs.example/perfcast/runbooks/"
    assert links["API documentation"] == f"{_place.public_url()}/docs"


def test_where_nobody_names_them_grafana_and_runbooks_are_not_linked(open_page: Open) -> None:
    links = {one.proto.label for one in open_page("monitoring").get("link_button")}
    assert links == {"API documentation", "Metrics as text"}


def test_a_server_that_wants_a_key_shows_its_health_and_asks_for_the_key(open_page: Open, keyed_api: str) -> None:
    page = open_page("monitoring", api=keyed_api)
    assert "**Healthy**" in words(page)
    assert "This API asks for a key" in words(page)
    page.text_input[0].set_value(KEY)
    next(one for one in page.button if one.label == "Continue").click().run()
    assert refusals(page) == []
    devices = [f"{CNN}-{ONNXRUNTIME}", f"{CNN}-{TORCH}"]
    assert page.selectbox("model").options == [CNN, *devices, OTHER_CPU, CPU, f"{OPERATORS}-{TORCH}"]


def test_an_api_that_is_away_is_told_once(open_page: Open, nobody: str) -> None:
    (told,) = refusals(open_page("monitoring", api=nobody))
    assert "doesn't answer" in told
    assert nobody in told


def test_a_model_whose_graph_is_broken_is_told_with_what_it_means(
    open_page: Open, stocked: Path, tmp_path: Path
) -> None:
    shutil.copytree(stocked, tmp_path, dirs_exist_ok=True)
    for kept in (tmp_path / "artifacts").glob("*/*"):
        kept.write_bytes(b"nothing of the kind")
    with running(tmp_path) as address:
        told = "\n".join(refusals(open_page("monitoring", api=address)))
    assert f"**{CPU}" in told
    assert "PerfcastModelNotLoaded" in told
