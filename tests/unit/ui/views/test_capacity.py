"""The page Capacity: a service's cost by each cause and by time, against the rows measured and a limit."""

import json
import shutil
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest
from tests.stocked import CPU, OTHER_CPU
from tests.unit.capacity.test_forecast import load
from tests.unit.ui.conftest import Open, refusals, running, words

from perfcast.datasets import Dataset, Datasets
from perfcast.storage import Blobs, Database
from perfcast.ui.parts._form import scale
from perfcast.ui.views.capacity import _range, _verdict
from perfcast.workloads import builtin_workloads, clock_columns
from perfcast_client.answers import DatasetRows, FeatureEntry

CAUSES = ("Request rate: impact", "Active users: impact", "DB connections: impact")
TIMES = ("A business day", "A Sunday")


def drawn(page: AppTest, key: str) -> dict[str, Any]:
    """Traces of a figure by name."""
    (found,) = [one for one in page.get("plotly_chart") if one.key == key]
    return {one["name"]: one for one in json.loads(found.proto.spec)["data"]}  # type: ignore[attr-defined]


def alt(page: AppTest, key: str) -> str:
    return str(next(one.proto.alt for one in page.get("plotly_chart") if one.key == key))  # type: ignore[attr-defined]


def test_each_cause_and_time_has_its_curve_with_its_band(open_page: Open) -> None:
    page = open_page("capacity", service=CPU)
    assert refusals(page) == []
    for name in (*CAUSES, *TIMES):
        assert {"predicted", "interval", "lower"} <= set(drawn(page, name)), name


def test_rows_that_were_measured_lie_behind_the_causes(open_page: Open) -> None:
    page = open_page("capacity", service=CPU)
    for cause in CAUSES:
        dots = drawn(page, cause)["measured, most alike"]
        assert len(dots["x"]) == len(dots["y"]) > 50


def test_a_model_without_rows_of_its_own_has_curves_and_no_dots(open_page: Open) -> None:
    page = open_page("capacity", service=OTHER_CPU)
    assert refusals(page) == []
    assert "measured, most alike" not in drawn(page, CAUSES[0])


def test_more_requests_cost_more_in_every_curve(open_page: Open) -> None:
    low, high = (open_page("capacity", service=OTHER_CPU, request_rate=rate) for rate in ("10", "90"))
    assert [one.value for one in low.metric][:1] == ["2.00\u202f%"]  # 0.2 × 10
    assert [one.value for one in high.metric][:1] == ["18.0\u202f%"]
    for name in (*CAUSES[1:], *TIMES):
        assert max(drawn(low, name)["predicted"]["y"]) < min(drawn(high, name)["predicted"]["y"]), name


def test_headroom_is_where_the_upper_bound_meets_the_limit(open_page: Open) -> None:
    page = open_page("capacity", service=OTHER_CPU, request_rate="90", limit="34")
    assert refusals(page) == []
    answer = next(one for one in page.metric if one.label == "Largest request rate")
    assert answer.value == "160\u202frequests/s"  # 0.2 a request, and 2 above it
    assert answer.delta == "+78\u202f% of the present load"
    assert {"predicted", "interval", "lower"} <= set(drawn(page, "headroom"))
    assert "160" in alt(page, "headroom")


def test_a_load_is_shared_by_replicas(open_page: Open) -> None:
    page = open_page("capacity", service=OTHER_CPU, limit="34")
    page.number_input("shared load").set_value(1000.0).run()
    assert refusals(page) == []
    assert next(one.value for one in page.metric if one.label == "Replicas needed") == "7"


def test_more_confidence_is_less_headroom(open_page: Open) -> None:
    most = []
    for confidence in ("75\u202f%", "97.5\u202f%"):
        page = open_page("capacity", service=CPU, limit="60", confidence=confidence)
        assert refusals(page) == []
        most.append(next(one.value for one in page.metric if one.label == "Largest request rate"))
    first, second = (float(text.split("\u202f")[0]) for text in most)
    assert first > second


def lived(folder: Path) -> None:
    """Four weeks of a load that grows, in the line that the service has learnt from."""
    workload = builtin_workloads()[CPU]
    moments, rate = load(28, growth=0.2, noise=0.03)
    clocks = clock_columns(moments, workload.feature_names[3:], UTC)
    features = np.stack([rate, rate / 2, rate / 8, *clocks.values()], axis=1).astype(np.float32)
    database = Database(f"sqlite:///{folder / 'perfcast.db'}")
    rows = Dataset("simulated", workload, features, features[:, 0] * np.float32(0.15), moments, {"source": "test"})
    Datasets(database, Blobs(str(folder / "artifacts"))).add(rows)
    database.close()


def test_runway_is_shown_when_it_is_asked_for(open_page: Open, stocked: Path, tmp_path: Path) -> None:
    shutil.copytree(stocked, tmp_path, dirs_exist_ok=True)
    lived(tmp_path)
    with running(tmp_path) as address:
        page = open_page("capacity", api=address, service=CPU, limit="25", horizon="3 months")
        assert "The limit is first passed" not in [one.label for one in page.metric]
        page.toggle("show runway").set_value(True).run()
        assert refusals(page) == []
        assert next(one.value for one in page.metric if one.label == "The limit is first passed").startswith("2026-")
        assert "of the courses pass it within 90 days" in words(page)
        assert "growth +" in words(page)
        assert {"upper bound at the day's peak", "interval"} <= set(drawn(page, "runway"))
        page.text_input("holidays").set_value("nowhere").run()
        assert "Not known: country: must be an ISO 3166 code" in words(page)
        page.text_input("holidays").set_value("DE").run()
        assert "The limit is first passed" in [one.label for one in page.metric]


def test_a_model_without_rows_has_no_runway(open_page: Open) -> None:
    page = open_page("capacity", service=OTHER_CPU, **{"show runway": "true"})
    assert refusals(page) == []
    assert "Not known: " in words(page)


def test_sliders_reach_beyond_what_was_measured(open_page: Open) -> None:
    page = open_page("capacity", service=CPU)
    assert page.slider("request_rate").max > 400
    assert 100 < page.slider("request_rate").value < 300


@pytest.mark.parametrize(
    ("limit", "verdict"),
    [("30", "below the limit"), ("19", "may pass the limit of 19.0\u202f%"), ("10", "over the limit of 10.0\u202f%")],
)
def test_the_limit_is_judged_in_words(open_page: Open, limit: str, verdict: str) -> None:
    page = open_page("capacity", service=OTHER_CPU, request_rate="90", limit=limit)
    assert verdict in words(page)
    assert verdict in alt(page, "gauge")
    assert ":material" not in alt(page, "gauge")


def test_a_slider_changes_the_answer(open_page: Open) -> None:
    page = open_page("capacity", service=OTHER_CPU)
    page.slider("request_rate").set_value(70.0).run()
    assert page.metric[0].value == "14.0\u202f%"


@pytest.mark.parametrize("value", ["lots", "-1", "1e99"])
def test_an_address_with_nonsense_is_a_page_like_any_other(open_page: Open, value: str) -> None:
    page = open_page("capacity", service="nobody's", request_rate=value, limit=value, hour=value)
    assert refusals(page) == []
    assert page.metric[0].value


def test_each_figure_has_its_table(open_page: Open) -> None:
    page = open_page("capacity", service=CPU)
    assert len(page.dataframe) == len(CAUSES) + len(TIMES) + 1  # and of the headroom
    assert list(page.dataframe[0].value)[1:] == ["predicted", "lower", "upper"]


def test_a_scenario_can_be_kept(open_page: Open) -> None:
    page = open_page("capacity", service=OTHER_CPU, request_rate="70")
    page.button("keep capacity").click().run()
    kept = page.dataframe[-1].value
    assert "request rate 70" in kept["scenario"][0]
    assert kept["link"][0].startswith("./capacity?")
    assert "request_rate=70" in kept["link"][0]


def feature(kind: str, minimum: float | None, maximum: float | None) -> FeatureEntry:
    return FeatureEntry("load", kind, "", minimum, maximum, True, None, [], None, False, "")  # noqa: FBT003


@pytest.mark.parametrize(
    ("kind", "bounds", "within", "ends"),
    [
        ("integer", (1.0, 4096.0), (1.0, 4096.0), (1.0, 4096.0)),
        ("integer", (0.0, None), (0.0, 413.0), (0.0, 413.0)),
        ("number", (0.0, None), (0.0, 413.3), (0.0, 414.0)),
        ("number", (None, None), (-3.7, 41.0), (-3.7, 41.0)),
    ],
)
def test_a_sliders_ends_are_round_and_not_beyond_what_is_declared(
    kind: str, bounds: tuple[float | None, float | None], within: tuple[float, float], ends: tuple[float, float]
) -> None:
    least, most, _ = scale(feature(kind, *bounds), within)
    assert (least, most) == pytest.approx(ends)


def test_what_was_measured_below_nothing_can_be_chosen() -> None:
    at = datetime(2026, 3, 2, tzinfo=UTC)
    rows = DatasetRows("shop", "shop", "0", 2, 2, "cost", {"load": [-4.0, 10.0]}, None, at)
    assert _range(feature("number", None, None), rows) == (-4.0, 15.0)
    assert _range(feature("number", 0.0, None), rows) == (0.0, 15.0)


def test_a_version_without_intervals_promises_none() -> None:
    assert _verdict(12.0, None, 80.0, "percent") == "no interval: this version is not calibrated"
