"""Figures of where a network's time goes."""

import pytest

from perfcast.palette import DARK, LIGHT, Palette
from perfcast.ui.charts import LayerBar, dearest, layers, operators
from perfcast.ui.charts._layers import ELSE, colours, kind_of

SHOWN = [
    LayerBar("conv1", "convolution", 2.0, 0.5, "1×3 → 1×64"),
    LayerBar("relu", "relu", 0.5, 0.125),
    LayerBar("layer1.0.a.very.long.name.of.a.layer", "convolution", 1.0, 0.25),
    LayerBar("fc", "linear", 0.5, 0.125),
]


def test_bars_stand_in_the_order_in_which_layers_run_with_their_kinds_colour() -> None:
    traces = {trace.name: trace for trace in layers(LIGHT, SHOWN).data}
    assert (list(traces["convolutions"].x), list(traces["convolutions"].y)) == ([1, 3], [2.0, 1.0])
    assert (list(traces[ELSE].x), list(traces["matrix products"].x)) == ([2], [4])
    assert traces["convolutions"].marker.color == LIGHT.accent
    assert traces["convolutions"].customdata[0] == ["conv1", "1×3 → 1×64", 50.0]


def test_five_hundred_bars_touch_each_other_and_four_do_not() -> None:
    assert layers(LIGHT, SHOWN).data[0].width < 1
    many = layers(LIGHT, SHOWN * 125)
    assert many.data[0].width == 1
    assert many.layout.xaxis.range == (0.4, 500.6)


def test_the_dearest_have_their_names_shortened_at_their_beginning() -> None:
    figure = dearest(DARK, SHOWN)
    assert figure.layout.yaxis.ticktext == ("conv1", "relu", "…very.long.name.of.a.layer", "fc")
    assert list(figure.data[0].x) == [2.0, 0.5, 1.0, 0.5]
    assert figure.layout.yaxis.autorange == "reversed"


def test_operators_share_one_bar_and_the_larger_ones_are_named_in_it() -> None:
    figure = operators(LIGHT, {"convolution": 0.75, "batch_norm": 0.2, "relu": 0.05})
    assert [list(trace.x) for trace in figure.data] == [[75.0], [20.0], [5.0]]
    assert [trace.text[0] for trace in figure.data] == ["convolution 75 %", "batch norm 20 %", ""]
    assert figure.layout.xaxis.range == (0, 100.0)


def test_figures_of_nothing_are_empty() -> None:
    assert len(layers(LIGHT, []).data) == 0
    assert dearest(LIGHT, []).layout.xaxis.range == (0, 1.0)
    assert operators(LIGHT, {}).layout.xaxis.range == (0, 100.0)


@pytest.mark.parametrize("palette", [LIGHT, DARK])
def test_kinds_can_be_told_apart(palette: Palette) -> None:
    found = colours(palette)
    assert len(set(found.values())) == len(found)
    assert {kind_of(operator) for operator in ("convolution", "matmul", "gelu", "max_pool", "concat")} == set(found)
