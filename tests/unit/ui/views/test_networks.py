"""The page Networks: what a whole network takes, where the time goes, and which device is cheapest."""

import json
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest
from tests.onnx_files import small_network
from tests.stocked import ONNXRUNTIME, TORCH
from tests.unit.ui.conftest import Open, refusals, words

from perfcast.ui.parts.networks._where import as_csv, by_operator, columns_of
from perfcast_client.answers import NetworkLayer


def drawn(page: AppTest, key: str) -> list[dict[str, Any]]:
    """The traces of a figure."""
    (found,) = [one for one in page.get("plotly_chart") if one.key == key]
    return json.loads(found.proto.spec)["data"]  # type: ignore[attr-defined,no-any-return]


def table_with(page: AppTest, column: str) -> Any:
    return next(one.value for one in page.dataframe if column in one.value.columns)


def metric(page: AppTest, label: str) -> str:
    return next(str(one.value) for one in page.metric if one.label == label)


def test_a_network_has_its_time_figures_and_layers(open_page: Open) -> None:
    page = open_page("networks", network="ResNet-18", devices=TORCH)
    assert refusals(page) == []
    assert metric(page, f"Time of a call · {TORCH}").endswith("\u202fms")
    assert metric(page, "Parameters") == "11.7\u202fM"
    assert metric(page, "Kernels") == "68"
    assert sum(len(trace["x"]) for trace in drawn(page, "layers")) == 68
    assert "if all layers are off in one direction; no whole network was measured there" in words(page)
    assert "not in the sum" not in words(page)
    table = table_with(page, "layer")
    assert list(table["layer"])[:3] == ["conv1", "bn1", "relu"]
    assert sum(table["share (%)"]) == pytest.approx(100)


def test_what_a_device_does_not_know_is_said_with_its_share(open_page: Open) -> None:
    page = open_page("networks", network="ResNet-18", devices=ONNXRUNTIME)
    assert refusals(page) == []
    assert "not in the sum" in words(page)
    assert "**Not in the sum**" in words(page)
    missing = table_with(page, "Why")
    assert "linear" in list(missing["Operator"])


def test_layers_beyond_experience_are_counted(open_page: Open) -> None:
    page = open_page("networks", network="ResNet-18", devices=TORCH)  # 224 pixels high, trained on 200
    assert "1 of 68 layers are outside what the models were trained on" in words(page)


def test_more_images_take_longer(open_page: Open) -> None:
    one, eight = (
        open_page("networks", network="ResNet-18", devices=TORCH, batch=batch) for batch in ("1", "8")
    )  # 8 × as long, but for what the channels add
    label = f"Time of a call · {TORCH}"
    assert float(metric(one, label).split()[0].replace(",", "")) < float(
        metric(eight, label).split()[0].replace(",", "")
    )


def test_the_dearest_layers_can_come_first(open_page: Open) -> None:
    page = open_page("networks", network="ResNet-18", devices=TORCH)
    page.segmented_control("order").set_value("Dearest first").run()
    (bars,) = drawn(page, "layers")
    assert bars["x"] == sorted(bars["x"], reverse=True)
    assert len(bars["x"]) == 20


def test_the_quickest_and_the_cheapest_are_told_in_a_sentence(open_page: Open) -> None:
    page = open_page("networks", network="ResNet-18")
    assert f"Most images: **{ONNXRUNTIME} with " in words(page)
    page.number_input(f"price {TORCH}").set_value(0.01)
    page.number_input(f"price {ONNXRUNTIME}").set_value(1000.0).run()
    assert f"Cheapest: **{TORCH} with " in words(page)
    page.number_input("within").set_value(0.001).run()
    assert "Nothing stays within" in words(page)
    assert refusals(page) == []


def test_an_onnx_file_is_asked_about_without_its_weights(open_page: Open) -> None:
    page = open_page("networks", devices=TORCH)
    page.segmented_control("source").set_value("ONNX file").run()
    assert "Choose an ONNX file" in words(page)
    page.file_uploader("onnx").upload("mine.onnx", small_network(unknown="Softsign"), "application/onnx").run()
    assert refusals(page) == []
    assert "Softsign" in words(page)
    assert sum(len(trace["x"]) for trace in drawn(page, "layers")) == 4


def test_a_file_that_is_none_is_refused_in_the_servers_words(open_page: Open) -> None:
    page = open_page("networks", devices=TORCH)
    page.segmented_control("source").set_value("ONNX file").run()
    page.file_uploader("onnx").upload("mine.onnx", b"nothing of the kind", "application/onnx").run()
    assert any("must be an ONNX file" in one for one in refusals(page))


@pytest.mark.parametrize("value", ["lots", "-1", "1e99"])
def test_an_address_with_nonsense_is_a_page_like_any_other(open_page: Open, value: str) -> None:
    page = open_page("networks", network=value, devices=value, batch=value, coverage=value, within=value)
    assert refusals(page) == []
    assert page.metric[0].value


def test_without_a_device_it_says_what_to_do(open_page: Open, empty_api: str) -> None:
    page = open_page("networks", api=empty_api)
    assert refusals(page) == []
    assert "perfcast starters" in words(page)


def layer(name: str, operator: str, share: float) -> NetworkLayer:
    return NetworkLayer(name, operator, [name], [1, 3, 8, 8], [1, 4, 8, 8], 0.1, 0.2, 1.5, share, extrapolated=False)


def test_operators_are_added_up_the_dearest_first() -> None:
    shares = by_operator([layer("a", "relu", 0.25), layer("b", "convolution", 0.5), layer("c", "relu", 0.25)])
    assert list(shares.items()) == [("relu", 0.5), ("convolution", 0.5)]


def test_a_name_in_the_csv_is_no_formula() -> None:
    text = as_csv(columns_of([layer("=SUM(A1)", "relu", 1.0)]))
    header, row = text.splitlines()
    assert header.startswith("layer,operator,ms,share (%),input,output,")
    assert row.startswith("'=SUM(A1),relu,1.5,100.0,1×3×8×8,1×4×8×8,")
