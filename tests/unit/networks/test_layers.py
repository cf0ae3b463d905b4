"""Networks as lists of layers."""

from typing import Any

import pytest

from perfcast.errors import InvalidInput
from perfcast.networks import CONVOLUTIONS, OPERATORS
from perfcast.networks._layers import MOST_CALLS, plan_of_layers

CONVOLUTION = {"input_channels": 3, "input_height": 32, "input_width": 20, "output_channels": 8, "kernel_size": 3}


def test_a_convolution_has_its_shapes_work_and_weights() -> None:
    (call,) = plan_of_layers([{**CONVOLUTION, "stride": 2, "padding": 1}]).calls
    assert (call.workload, call.name) == (CONVOLUTIONS, "convolution_0")
    assert (call.input_shape, call.output_shape) == ((1, 3, 32, 20), (1, 8, 16, 10))
    assert call.flops == 2 * (16 * 10) * 8 * (3 * 3 * 3)
    assert call.weight_bytes == 4 * 8 * 3 * 3 * 3
    assert call.moved_bytes == 4 * (3 * 32 * 20 + 8 * 16 * 10)


def test_a_rectangular_kernel_counts_its_own_sides() -> None:
    (call,) = plan_of_layers([{**CONVOLUTION, "kernel_size": 1, "kernel_width": 7}]).calls
    assert call.output_shape == (1, 8, 32, 20)
    assert call.weight_bytes == 4 * 8 * 3 * 7


@pytest.mark.parametrize(
    ("layer", "made", "flops", "weights"),
    [
        ({"operator": "relu", "channels": 4, "height": 3, "width": 5}, (1, 4, 3, 5), 60, 0),
        ({"operator": "linear", "channels": 1, "height": 2, "width": 5, "output_channels": 7}, (1, 1, 2, 7), 140, 35),
        ({"operator": "matmul", "channels": 4, "height": 2, "width": 5, "output_channels": 3}, (1, 4, 2, 3), 240, 0),
        (
            {"operator": "max_pool", "channels": 4, "height": 8, "width": 8, "output_height": 4, "output_width": 4,
             "kernel_size": 2, "stride": 2},
            (1, 4, 4, 4), 64, 0,
        ),
    ],
)  # fmt: skip
def test_other_operators_have_theirs(layer: dict[str, Any], made: tuple[int, ...], flops: int, weights: int) -> None:
    (call,) = plan_of_layers([layer]).calls
    assert (call.workload, call.output_shape, call.flops, call.weight_bytes) == (OPERATORS, made, flops, 4 * weights)


def test_a_layer_runs_as_often_as_it_says() -> None:
    calls = plan_of_layers([{**CONVOLUTION, "name": "stem", "count": 3}, CONVOLUTION]).calls
    assert [call.name for call in calls] == ["stem", "stem", "stem", "convolution_1"]


@pytest.mark.parametrize(
    ("layers", "field"),
    [
        ([], "layers"),
        ([CONVOLUTION, {}], "layers[1].input_channels"),
        ([{**CONVOLUTION, "batch_size": 2}], "layers[0].batch_size"),
        ([{**CONVOLUTION, "count": 0}], "layers[0].count"),
        ([{**CONVOLUTION, "count": 2.5}], "layers[0].count"),
        ([{**CONVOLUTION, "count": MOST_CALLS}, {**CONVOLUTION, "count": 1}], "layers[1].count"),
        ([{**CONVOLUTION, "kernel_size": 99}], "layers[0].kernel_size"),
        ([{**CONVOLUTION, "colour": 1}], "layers[0].colour"),
        ([{"operator": "flatten", "channels": 1, "height": 1, "width": 1}], "layers[0].operator"),
        ([{"operator": ["relu"], "channels": 1, "height": 1, "width": 1}], "layers[0].operator"),
    ],
)
def test_what_is_wrong_is_named_with_its_layer(layers: list[dict[str, Any]], field: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        plan_of_layers(layers)
    assert refused.value.fields[0].field == field
