"""Whole networks: what is sent of an ONNX file, and what is best of several answers."""

from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import onnx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx import TensorProto, helper, numpy_helper
from tests.onnx_files import small_network

from perfcast_client import best_of, calls, options_of
from perfcast_client._onnx import without_weights
from perfcast_client.answers import NetworkAnswer

# ONNX files without weights


def heavy() -> onnx.ModelProto:
    """Weights as an initializer, as a constant's value and in a branch; a small shape beside them."""
    large = numpy_helper.from_array(np.ones((64, 64), np.float32), "large")
    floats = helper.make_tensor("floats", TensorProto.FLOAT, [2048], [1.5] * 2048)
    small = numpy_helper.from_array(np.array([1, -1], np.int64), "shape")
    inner = helper.make_graph([helper.make_node("Identity", ["large"], ["out"])], "branch", [], [], [large])
    nodes = [
        helper.make_node("Constant", [], ["constant"], value=large),
        helper.make_node("If", ["condition"], ["out"], then_branch=inner, else_branch=inner),
        helper.make_node("Reshape", ["image", "shape"], ["flat"]),
    ]
    return helper.make_model(helper.make_graph(nodes, "heavy", [], [], [large, floats, small]))


def test_large_weights_are_left_out_and_all_else_stays() -> None:
    model = heavy()
    light = onnx.load_from_string(without_weights(model.SerializeToString()))
    assert light.ByteSize() < 1_000
    assert model.ByteSize() > 16_000
    for one in (model.graph, *(model.graph.node[1].attribute[at].g for at in (0, 1))):
        for tensor in one.initializer:
            if tensor.name != "shape":
                tensor.ClearField("raw_data")
                tensor.ClearField("float_data")
    model.graph.node[0].attribute[0].t.ClearField("raw_data")
    assert light == model
    assert numpy_helper.to_array(light.graph.initializer[2]).tolist() == [1, -1]


def test_a_file_of_240_megabytes_is_sent_as_some_hundred_bytes() -> None:
    model = onnx.load_from_string(small_network())
    before = model.ByteSize()
    model.graph.initializer.append(numpy_helper.from_array(np.zeros(60_000_000, np.float32), "large"))
    assert len(without_weights(model.SerializeToString())) < before + 100


@given(st.binary(max_size=400))
def test_what_is_no_onnx_file_is_sent_in_full_or_shorter(content: bytes) -> None:
    assert len(without_weights(content)) <= len(content) + 16  # lengths may be written longer than they need to be


@settings(max_examples=200)
@given(st.data())
def test_a_damaged_file_is_still_sent(data: st.DataObject) -> None:
    content = bytearray(small_network())
    for _ in range(data.draw(st.integers(1, 5))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    assert isinstance(without_weights(bytes(content)), bytes)


# What is sent


def test_a_file_is_called_as_its_name(tmp_path: Path) -> None:
    path = tmp_path / "mine.onnx"
    path.write_bytes(small_network())
    files = calls.predict_network(network=path, device="cpu-torch", batch_size=8).files
    assert files is not None
    assert files["network"] == ("mine.onnx", without_weights(small_network()), "application/onnx")
    assert {name: content for name, (_, content, _) in files.items() if name != "network"} == {
        "device": b"cpu-torch", "batch_size": b"8",
    }  # fmt: skip
    other = calls.predict_network(network=small_network(), name="other").files
    assert other is not None
    assert other["network"][0] == "other"


@pytest.mark.parametrize("asked", [{}, {"preset": "resnet18", "layers": []}, {"layers": [], "network": b""}])
def test_one_network_is_asked_for(asked: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"^network: give one of"):
        calls.predict_network(**asked)  # type: ignore[arg-type]


def test_a_feature_that_is_no_number_is_refused() -> None:
    with pytest.raises(ValueError, match=r"^stride: must be a finite number"):
        calls.predict_network(layers=[{"stride": float("nan")}])


# What is best


def answer(device: str, batch_size: int, ms: float, upper: float | None = None) -> NetworkAnswer:
    lower = None if upper is None else ms / 2
    return NetworkAnswer(
        "net", device, batch_size, ms, lower, upper, None, 1e3 * batch_size / ms, 0, 1, 1.0, 1.0, 1, [], [], [], 0.0,
        {}, datetime(2026, 3, 1, tzinfo=UTC),
    )  # fmt: skip


ANSWERS = [answer("slow", 1, 10.0, 12.0), answer("slow", 8, 40.0, 48.0), answer("quick", 1, 5.0, 6.0)]


def test_a_million_images_cost_what_the_device_costs_so_long() -> None:
    found = options_of(ANSWERS, prices={"slow": 3.6})
    assert [one.cost_per_million for one in found] == pytest.approx([10.0, 5.0, None])
    best = best_of(found)
    assert best is not None
    assert (best.answer.device, best.answer.batch_size) == ("slow", 8)


def test_the_limit_is_for_the_upper_bound() -> None:
    found = options_of(ANSWERS, within_ms=45.0, prices={"slow": 3.6})
    assert [one.within for one in found] == [True, False, True]
    best = best_of(found)
    assert best is not None
    assert best.answer.batch_size == 1
    assert options_of([answer("bare", 1, 10.0)], within_ms=10.0)[0].within


def test_without_prices_the_most_images_win() -> None:
    best = best_of(options_of(ANSWERS))
    assert best is not None
    assert (best.answer.device, best.answer.batch_size) == ("slow", 8)  # 200 a second, as quick's, asked first


def test_nothing_is_best_where_nothing_is_quick_enough() -> None:
    assert best_of(options_of(ANSWERS, within_ms=1.0)) is None
    assert best_of(options_of(ANSWERS, within_ms=7.0, prices={"slow": 3.6})) is None
    assert best_of([]) is None
