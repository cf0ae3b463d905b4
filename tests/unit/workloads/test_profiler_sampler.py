"""The sampler of convolution configurations and the configurations themselves."""

import math
from dataclasses import astuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from perfcast.workloads import builtin_workloads
from perfcast.workloads.cnn_execution_time.profiler._configurations import ConvConfig, WorkBound, network_layers
from perfcast.workloads.cnn_execution_time.profiler._sampler import sample_configurations


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 2**31), count=st.integers(1, 200))
def test_samples_are_distinct_valid_and_within_the_work_bound(seed: int, count: int) -> None:
    chosen = sample_configurations(count, seed=seed)
    assert len(chosen) == count == len(set(chosen))
    for config in chosen:
        assert config.valid
        assert min(config.output_size) >= 1
        assert config.flops <= 8e9
        assert config.tensor_bytes <= 480e6


def test_the_same_seed_gives_the_same_configurations_and_another_seed_others() -> None:
    first = sample_configurations(50, seed=3)
    assert first == sample_configurations(50, seed=3)
    assert first != sample_configurations(50, seed=4)


def test_known_configurations_are_not_chosen_again() -> None:
    first = sample_configurations(300, seed=1)
    assert set(first).isdisjoint(sample_configurations(300, seed=1, known=first))


def test_a_smaller_bound_is_kept_by_all_but_the_large_share() -> None:
    bound = WorkBound(flops=1e7, tensor_bytes=1e6)
    chosen = sample_configurations(400, seed=5, bound=bound)
    assert sum(not bound.admits(config) for config in chosen) <= 20
    assert all(config.flops <= 2e7 for config in chosen)


def test_groups_dilation_padding_and_every_order_of_magnitude_of_work_occur() -> None:
    chosen = sample_configurations(2000, seed=0)
    assert sum(config.groups > 1 for config in chosen) > 200
    assert sum(config.groups == config.input_channels > 1 for config in chosen) > 100
    assert sum(config.dilation > 1 for config in chosen) > 30
    assert sum(config.padding != config.dilation * (config.kernel_size - 1) // 2 for config in chosen) > 100
    assert sum(config.stride > 1 for config in chosen) > 300
    decades = {int(math.log10(config.flops)) for config in chosen}
    assert decades >= set(range(3, 10))


def test_a_share_is_uneven_and_one_or_none_gives_only_such_or_none() -> None:
    usual = sample_configurations(2000, seed=0)
    assert 200 < sum(config.uneven for config in usual) < 400
    assert not any(config.asymmetric for config in usual)
    assert not any(config.uneven for config in sample_configurations(300, seed=0, uneven=0))
    assert all(config.uneven for config in sample_configurations(300, seed=0, uneven=1))


def test_uneven_ones_have_kernels_of_one_row_strides_of_one_direction_and_where_wanted_same_padding() -> None:
    chosen = sample_configurations(1500, seed=2, uneven=1, asymmetric=True)
    kernels = {(config.kernel_size, config.kernel_width) for config in chosen}
    assert kernels >= {(1, 7), (7, 1), (1, 3), (3, 1), (1, 5), (5, 1), (3, 5), (1, 11)}
    assert sum((config.stride, config.stride_width) == (2, 1) for config in chosen) > 10
    asymmetric = [config for config in chosen if config.asymmetric]
    assert 150 < len(asymmetric) < 400
    assert sum((one.padding, one.padding_bottom, one.stride) == (0, 1, 2) for one in asymmetric) > 50
    assert sum(config.groups > 1 for config in chosen) > 150


def test_every_sample_passes_the_declared_bounds_of_the_workload() -> None:
    features = builtin_workloads()["cnn-execution-time"].features
    assert ConvConfig.__slots__ == tuple(feature.name for feature in features)
    for config in sample_configurations(500, seed=9):
        for feature, value in zip(features, astuple(config), strict=True):
            assert feature.minimum <= value <= feature.maximum


def test_layers_of_well_known_networks_are_valid_convolutions() -> None:
    layers = network_layers()
    assert len(set(layers)) > 150
    assert all(layer.valid for layer in layers)


def test_flops_and_bytes_are_those_of_a_convolution_worked_out_by_hand() -> None:
    config = ConvConfig(2, 3, 8, 10, 4, 3, stride=2, padding=1)
    assert config.output_shape == (2, 4, 4, 5)
    assert config.flops == 2 * (2 * 4 * 4 * 5) * (3 * 3 * 3)
    assert config.tensor_bytes == 4 * (2 * 3 * 8 * 10 + 4 * 3 * 3 * 3 + 2 * 4 * 4 * 5)


@pytest.mark.parametrize(
    "config",
    [
        ConvConfig(0, 3, 8, 8, 4, 3),
        ConvConfig(1, 3, 8, 8, 4, 3, groups=2),
        ConvConfig(1, 3, 4, 8, 4, 5),
        ConvConfig(1, 3, 8, 8, 4, 3, dilation=4),
        ConvConfig(1, 3, 8, 8, 4, 65),
        ConvConfig(1, 3, 8, 8, 4, 1, kernel_width=9, padding_width=0),
    ],
)
def test_what_the_workload_does_not_allow_is_no_configuration(config: ConvConfig) -> None:
    assert not config.valid


def test_large_ones_can_be_asked_for_alone() -> None:
    bound = WorkBound().between(96e6, 300e6)
    sizes = [config.tensor_bytes for config in sample_configurations(60, seed=1, bound=bound)]
    assert min(sizes) >= 96e6
    assert sorted(sizes)[-3] <= 300e6
    assert bound.flops == pytest.approx(4e9 * (300 / 96) ** 2)
