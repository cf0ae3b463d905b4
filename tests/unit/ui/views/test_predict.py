"""The page Predict: a scenario answered, compared, swept, kept."""

import json
import shutil
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from streamlit.testing.v1 import AppTest
from tests.stocked import CNN, CPU, OTHER_CPU
from tests.unit.ui.conftest import Open, refusals, running, words

from perfcast.ui.parts import Scenario
from perfcast.ui.views.predict import _trust, steps
from perfcast_client import Client
from perfcast_client.answers import Prediction

SERVICE = {"what": "CPU utilisation of a service"}


def figure(page: AppTest, key: str) -> dict[str, Any]:
    (found,) = [one for one in page.get("plotly_chart") if one.key == key]
    return json.loads(found.proto.spec)  # type: ignore[attr-defined,no-any-return]


def answer(page: AppTest, model: str) -> str:
    (found,) = [one.value for one in page.metric if f" {model} " in f"{one.label} "]
    return str(found)


def test_the_first_preset_is_answered_at_once(open_page: Open) -> None:
    page = open_page("predict")
    assert refusals(page) == []
    assert answer(page, CNN).endswith("\u202fms")
    assert "90\u202f% of cases lie between" in words(page)


def test_a_value_changes_the_answer(open_page: Open) -> None:
    page = open_page("predict")
    before = answer(page, CNN)
    page.number_input("batch_size").set_value(64).run()
    assert answer(page, CNN) != before


def test_an_address_brings_its_scenario_back(open_page: Open) -> None:
    page = open_page("predict", batch_size="64", output_channels="32")
    assert (page.number_input("batch_size").value, page.number_input("output_channels").value) == (64, 32)
    assert answer(page, CNN) == "35.2\u202fms"  # 0.5 × 64 + 0.1 × 32


@pytest.mark.parametrize("value", ["many", "", "-5", "1e99"])
def test_an_address_with_nonsense_is_a_page_like_any_other(open_page: Open, value: str) -> None:
    page = open_page("predict", batch_size=value, coverage="2", what="nothing known")
    assert refusals(page) == []
    assert answer(page, CNN)


def test_a_preset_fills_the_form(open_page: Open) -> None:
    page = open_page("predict")
    chosen = page.selectbox(f"{CNN} preset").options[5]
    before = [one.value for one in page.number_input]
    page.selectbox(f"{CNN} preset").set_value(chosen).run()
    assert refusals(page) == []
    assert [one.value for one in page.number_input] != before


def test_a_kernel_that_is_made_larger_than_a_presets_stays_square(open_page: Open) -> None:
    page = open_page("predict")
    (preset,) = (one for one in page.selectbox(f"{CNN} preset").options if one.startswith("VGG-16, third"))
    page.selectbox(f"{CNN} preset").set_value(preset).run()
    follow = ("padding", "kernel_width", "stride_width", "padding_width", "padding_bottom", "padding_right")
    assert [page.number_input(name).value for name in follow] == [None] * 6
    (preset,) = (one for one in page.selectbox(f"{CNN} preset").options if one.startswith("Inception v3, 1 × 7"))
    page.selectbox(f"{CNN} preset").set_value(preset).run()
    assert [page.number_input(name).value for name in follow] == [None, 7, None, None, None, None]
    assert refusals(page) == []


def test_presets_of_a_service_set_the_time_too(open_page: Open) -> None:
    page = open_page("predict", **SERVICE)
    asked = {}
    for preset in page.selectbox(f"{CPU} preset").options[:3]:
        page.selectbox(f"{CPU} preset").set_value(preset).run()
        assert refusals(page) == []
        asked[preset] = (page.number_input("request_rate").value, page.slider("hour").value)
    assert len(set(asked.values())) > 1


def test_two_models_stand_side_by_side(open_page: Open) -> None:
    page = open_page("predict", **SERVICE)
    page.multiselect(f"{CPU} models").set_value([CPU, OTHER_CPU]).run()
    assert refusals(page) == []
    page.number_input("request_rate").set_value(100.0).run()
    assert answer(page, OTHER_CPU) == "20.0\u202f%"  # 0.2 × 100
    assert answer(page, CPU) != answer(page, OTHER_CPU)
    assert {one["name"] for one in figure(page, "sweep")["data"]} >= {CPU, OTHER_CPU}


def test_without_a_model_the_default_answers(open_page: Open) -> None:
    page = open_page("predict", **SERVICE)
    page.multiselect(f"{CPU} models").set_value([]).run()
    assert answer(page, CPU)


def test_a_sweep_goes_along_the_parameter_that_was_chosen(open_page: Open) -> None:
    page = open_page("predict", batch_size="20")
    page.selectbox(f"{CNN} along").set_value("Output channels").run()
    assert figure(page, "sweep")["layout"]["xaxis"]["title"]["text"] == "Output channels"
    page.selectbox(f"{CNN} along").set_value("Batch size (images)").run()
    line = figure(page, "sweep")["data"][-1]
    assert (line["x"][0], line["x"][-1]) == (1.0, 60.0)
    assert line["y"][-1] - line["y"][0] == pytest.approx(0.5 * 59, rel=1e-4)


def test_the_table_beside_a_sweep_has_what_it_shows(open_page: Open) -> None:
    page = open_page("predict")
    (table,) = [one.value for one in page.dataframe]
    assert list(table.columns) == ["Batch size (images)", CNN, f"{CNN}, lower", f"{CNN}, upper"]
    assert list(table[CNN]) == figure(page, "sweep")["data"][-1]["y"]


def test_why_leads_from_what_is_usual_to_the_prediction(open_page: Open) -> None:
    page = open_page("predict", **SERVICE)
    page.number_input("request_rate").set_value(140.0).run()
    assert refusals(page) == []
    (bars,) = figure(page, "why")["data"]
    start, end = (line["x0"] for line in figure(page, "why")["layout"]["shapes"])
    steps = [float(text) for text in bars["text"]]
    assert start + sum(steps) == pytest.approx(end, abs=0.1)
    assert answer(page, CPU) == f"{end:.1f}\u202f%"
    assert any(name.startswith("Request rate (requests/s): 140") for name in bars["y"])
    assert "Time" in bars["y"]


def test_a_version_without_usual_rows_says_why_it_cannot_tell(open_page: Open) -> None:
    page = open_page("predict")
    assert refusals(page) == []
    assert "Not known: " in words(page)


def test_of_several_models_one_is_chosen_to_tell_why(open_page: Open) -> None:
    page = open_page("predict", **SERVICE, **{f"{CPU} models": [CPU, OTHER_CPU]})
    assert figure(page, "why")
    page.segmented_control("why model").set_value(OTHER_CPU).run()
    assert refusals(page) == []
    assert "Not known: " in words(page)


def test_a_parameter_without_a_value_is_asked_for_before_it_is_swept(open_page: Open) -> None:
    page = open_page("predict")
    page.selectbox(f"{CNN} along").set_value("Padding (pixels)").run()
    assert refusals(page) == []
    assert "Give Padding (pixels) a value to sweep it." in words(page)


def test_a_wider_share_of_cases_has_a_wider_interval(open_page: Open) -> None:
    trust = [words(open_page("predict", coverage=share)) for share in ("50\u202f%", "95\u202f%")]
    assert ["50\u202f% of cases" in trust[0], "95\u202f% of cases" in trust[1]] == [True, True]


def test_a_scenario_that_was_kept_can_be_opened_again_and_forgotten(open_page: Open) -> None:
    page = open_page("predict", batch_size="64")
    page.button("keep predict").click().run()
    kept = page.dataframe[-1].value
    assert "batch size 64" in kept["scenario"][0]
    assert "batch_size=64" in kept["link"][0]
    page.button("forget").click().run()
    assert len(page.dataframe) == 1


def test_several_models_are_kept_with_a_scenario(open_page: Open) -> None:
    page = open_page("predict", **SERVICE, **{f"{CPU} models": [CPU, OTHER_CPU]})
    page.button("keep predict").click().run()
    (link,) = page.dataframe[-1].value["link"]
    assert parse_qs(urlsplit(link).query)[f"{CPU} models"] == [CPU, OTHER_CPU]


def test_where_no_version_answers_any_more_it_says_how_to_train_one(
    open_page: Open, stocked: Path, tmp_path: Path
) -> None:
    shutil.copytree(stocked, tmp_path, dirs_exist_ok=True)
    with running(tmp_path) as address:
        with Client(address) as client:
            client.models.deactivate(CNN)
        page = open_page("predict", api=address)
        assert refusals(page) == []
        assert "perfcast train --workload cnn-execution-time" in words(page)


def test_a_feature_may_be_called_as_the_time_of_day_is() -> None:
    assert Scenario({"hour": 3, "day": 1}).row(hour=5) == {"hour": 5, "day": 1}
    assert Scenario({"load": 1}, hour=9.0).row(hour=5.5)["timestamp"].endswith("T05:30:00")


def test_what_the_server_refuses_is_told_in_its_words(open_page: Open) -> None:
    page = open_page("predict")
    page.number_input("input_height").set_value(1)
    page.number_input("input_width").set_value(1)
    page.number_input("padding").set_value(0)
    page.number_input("kernel_size").set_value(11).run()
    told = refusals(page)
    assert told
    assert all("kernel" in one for one in told), told
    page.number_input("kernel_size").set_value(1).run()
    assert refusals(page) == []


def test_dark_figures_for_a_dark_page(open_page: Open) -> None:
    colours = {
        theme: figure(open_page("predict", theme=theme), "sweep")["layout"]["font"]["color"]
        for theme in ("light", "dark")
    }
    assert colours == {"light": "#1a2027", "dark": "#e6eaee"}


@pytest.mark.parametrize(
    ("present", "most", "bounds", "whole", "ends", "count"),
    [
        (10.0, 3.0, (1.0, None), True, (1.0, 32.0), 32),
        (50.0, 3.0, (1.0, None), True, (1.0, 150.0), 61),
        (10.0, 3.0, (None, 12.0), False, (0.0, 12.0), 61),
        (0.0, 3.0, (None, None), False, (0.0, 1.0), 61),
        (5.0, 3.0, (5.0, 5.0), True, (5.0, 5.0), 1),
        (-5.0, 3.0, (None, None), False, (-15.0, -5.0), 61),
        (-5.0, 3.0, (-20.0, None), False, (-20.0, -5.0), 61),
    ],
)
def test_a_sweep_stays_within_bounds_and_starts_with_the_least(
    present: float,
    most: float,
    bounds: Any,
    whole: bool,  # noqa: FBT001
    ends: tuple[float, float],
    count: int,
) -> None:
    values = steps(present, most, *bounds, whole=whole)
    assert ((values[0], values[-1]), len(values)) == (ends, count)
    assert values == sorted(values)


@pytest.mark.parametrize(("cost", "said"), [(5.0, False), (3.9, True), (6.1, True)])
def test_a_prediction_that_its_corrected_interval_leaves_out_is_explained(cost: float, said: bool) -> None:  # noqa: FBT001
    at = datetime(2026, 3, 2, tzinfo=UTC)
    told = Prediction(cost, "ms", "m", "xgboost", 1, "1a", at, "success", 4.0, 6.0, 0.9, [])
    assert ("the interval follows them" in _trust(told, "ms")) is said
