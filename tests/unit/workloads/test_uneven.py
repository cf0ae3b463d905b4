"""Convolutions that aren't square: what is derived of them, and that square ones are what they were before."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from perfcast.errors import InvalidInput
from perfcast.workloads import ArrayArithmetic, RowReader, Rows, Workload, builtin_workloads, evaluate, parse
from perfcast.workloads.cnn_execution_time.profiler._configurations import ConvConfig
from perfcast.workloads.cnn_execution_time.profiler._sampler import sample_configurations
from perfcast.workloads.cnn_execution_time.profiler._uneven import with_same_padding

BEFORE = {
    "output_height": "(input_height + 2 * padding - dilation * (kernel_size - 1) - 1) // stride + 1",
    "output_width": "(input_width + 2 * padding - dilation * (kernel_size - 1) - 1) // stride + 1",
    "kernel_area": "kernel_size * kernel_size",
    "reuse": "kernel_area / (stride * stride)",
    "padded_share": "(input_height + 2 * padding) * (input_width + 2 * padding) / (input_height * input_width)",
    "winograd": "max(0, 1 - abs(kernel_size - 3)) * max(0, 2 - stride) * max(0, 2 - dilation) * max(0, 2 - groups)",
    "pointwise": "max(0, 2 - kernel_size)",
    "kernel_extent": "dilation * (kernel_size - 1) + 1",
    "kernel_width_extent": "dilation * (kernel_size - 1) + 1",
    "kernel_aspect": "kernel_size / kernel_size",
    "unread_rows": "(input_height + 2 * padding - kernel_extent) % stride",
    "kernel_even": "1 - kernel_size % 2",
    "same_megabytes": (
        "4e-6 * batch_size * input_channels * (input_height + same_padding) * (input_width + same_padding)"
    ),
    "fourier_tiles": (
        "batch_size * ceil(output_height / max(1, 33 - kernel_extent))"
        " * ceil(output_width / max(1, 33 - kernel_extent))"
    ),
    "kernel_of_width": "kernel_extent / input_width",
    "padded_beyond_same": "min(1, max(0, 2 * padding - kernel_extent + 1))",
    "kernel_beyond_input": "min(1, max(0, kernel_extent - min(input_height, input_width)))",
    "stride_beyond_kernel": "min(1, max(0, stride - kernel_size))",
    "touched_megabytes": (
        "4e-6 * batch_size * input_channels * ((output_height - 1) * min(stride, kernel_extent) + kernel_extent)"
        " * ((output_width - 1) * min(stride, kernel_extent) + kernel_extent)"
    ),
    "inner_share": (
        "max(0, min(output_height - 1, (input_height + padding - kernel_extent) // stride)"
        " - ceil(padding / stride) + 1)"
        " * max(0, min(output_width - 1, (input_width + padding - kernel_extent) // stride)"
        " - ceil(padding / stride) + 1) / output_area"
    ),
    "torch_onednn": (
        "min(1, stride - 1 + dilation - 1 + kernel_size - 1 + max(0, batch_size - 15))"
        " * min(1, groups - 1 + max(0, kernel_size - 3) + batch_size - 1"
        " + max(0, input_channels * input_area - 20480))"
    ),
    "torch_gemm": (
        "torch_onednn * max(min(1, max(0, padding - min(output_width, 6 * depthwise + 28 * (1 - depthwise)))),"
        " min(1, groups - 1) * (1 - depthwise * max(0, 2 - filters_per_group))"
        " * min(1, channels_per_group % 4 + filters_per_group % 4))"
    ),
}
"""Quantities as they were before kernels had a width, in the order of the workload's file."""
SWAPPED = {
    "input_height": "input_width",
    "kernel_size": "kernel_width",
    "stride": "stride_width",
    "padding": "padding_width",
    "padding_bottom": "padding_right",
    "output_height": "output_width",
    "kernel_extent": "kernel_width_extent",
    "kernel_of_height": "kernel_of_width",
}
"""What becomes what when a picture is turned by its diagonal."""
ALIKE = (
    "kernel_area", "gigaflops", "input_megabytes", "output_megabytes", "weight_megabytes", "im2col_megabytes", "reuse",
    "padded_share", "winograd", "winograd_tiles", "pointwise", "kernel_even", "fourier_tiles", "padded_beyond_same",
    "kernel_beyond_input", "stride_beyond_kernel", "touched_megabytes", "inner_share", "torch_onednn", "nchwc_16",
)  # fmt: skip
"""What turning doesn't change."""
configurations = st.builds(
    lambda seed, index: sample_configurations(index + 1, seed=seed, uneven=1, asymmetric=True)[index],
    st.integers(0, 2**31), st.integers(0, 7),
)  # fmt: skip


@pytest.fixture(scope="module")
def convolution() -> Workload:
    return builtin_workloads()["cnn-execution-time"]


def quantities(*found: ConvConfig) -> dict[str, Rows]:
    """Model inputs by name, float32 [configurations]."""
    workload = builtin_workloads()["cnn-execution-time"]
    rows = np.array([[getattr(one, name) for name in workload.feature_names] for one in found], dtype=np.float32)
    return dict(zip(workload.input_names, workload.inputs(rows).T, strict=True))


def test_square_convolutions_have_the_quantities_that_they_had_before_to_the_bit() -> None:
    now = quantities(*sample_configurations(2000, seed=3, uneven=0))
    for name, expression in BEFORE.items():
        before = evaluate(parse(expression), now, ArrayArithmetic())
        np.testing.assert_array_equal(now[name], before.astype(np.float32), err_msg=name)


@pytest.mark.parametrize(
    ("stated", "filled"),
    [
        ({"kernel_size": 5}, [5, 1, 2, 2, 2]),
        ({"kernel_size": 5, "stride": 2, "padding": 0}, [5, 2, 0, 0, 0]),
        ({"kernel_size": 1, "kernel_width": 7}, [7, 1, 3, 0, 3]),
        ({"kernel_size": 7, "kernel_width": 1, "padding": 3}, [1, 1, 0, 3, 0]),
        ({"kernel_size": 7, "kernel_width": 1, "padding": 0}, [1, 1, 0, 0, 0]),
        ({"kernel_size": 3, "padding": 0, "padding_bottom": 1, "padding_right": 1}, [3, 1, 0, 1, 1]),
        ({"kernel_size": 3, "stride": 2, "stride_width": 1}, [3, 1, 1, 1, 1]),
    ],
)
def test_what_is_not_given_of_the_width_follows_the_height(
    convolution: Workload, stated: dict[str, int], filled: list[int]
) -> None:
    shape = {"batch_size": 1, "input_channels": 3, "input_height": 9, "input_width": 8, "output_channels": 4}
    row = RowReader(convolution).read(shape | stated)
    assert row[10:] == filled
    padding = {"padding": row[convolution.feature_names.index("padding")]}
    assert list(map(float, [*vars_of(ConvConfig(**shape | padding | stated))])) == row  # type: ignore[arg-type]


def vars_of(config: ConvConfig) -> list[float]:
    """Its numbers, in declared order."""
    return [getattr(config, name) for name in ConvConfig.__slots__]


def test_a_kernel_must_fit_in_both_directions_with_the_padding_of_both_sides(convolution: Workload) -> None:
    reader, shape = RowReader(convolution), {"batch_size": 1, "input_channels": 1, "output_channels": 1}
    shape |= {"input_height": 4, "input_width": 4, "kernel_size": 1, "kernel_width": 6, "padding_width": 0}
    with pytest.raises(InvalidInput, match="wider than the padded input"):
        reader.read(shape)
    with pytest.raises(InvalidInput, match="wider than the padded input"):
        reader.read(shape | {"padding_bottom": 9, "padding_right": 1})
    assert reader.read(shape | {"padding_right": 2})


@settings(max_examples=60, deadline=None)
@given(configurations)
def test_turning_a_convolution_by_its_diagonal_turns_its_quantities(config: ConvConfig) -> None:
    swap = SWAPPED | {after: before for before, after in SWAPPED.items()}
    names = [name for name in ConvConfig.__slots__ if name in swap]
    turned = replace(config, **{name: getattr(config, swap[name]) for name in names})
    straight, found = quantities(config), quantities(turned)
    for name in (*ALIKE, *swap):
        np.testing.assert_allclose(found[swap.get(name, name)], straight[name], rtol=1e-5, err_msg=name)


@settings(max_examples=60, deadline=None)
@given(configurations)
def test_windows_inside_the_input_and_pixels_that_are_read_are_counted_right(config: ConvConfig) -> None:
    inner, touched = [], []
    for size, extent, stride, before, count in zip(
        (config.input_height, config.input_width),
        config.extent,
        (config.stride, config.stride_width),
        (config.padding, config.padding_width),
        config.output_size,
        strict=True,
    ):
        begins = [at * stride - before for at in range(count)]
        inner.append(sum(begin >= 0 and begin + extent <= size for begin in begins))
        touched.append(len({begin + pixel for begin in begins for pixel in range(extent)}))
    found = quantities(config)
    assert found["inner_share"] == pytest.approx(np.prod(inner) / np.prod(config.output_size), rel=1e-5)
    megabytes = 4e-6 * config.batch_size * config.input_channels * np.prod(touched)
    assert found["touched_megabytes"] == pytest.approx(megabytes, rel=1e-5)
    assert (found["output_height"], found["output_width"]) == config.output_size
    assert found["gigaflops"] == pytest.approx(1e-9 * config.flops, rel=1e-5)


def test_same_padding_is_what_tensorflow_adds() -> None:
    even = with_same_padding(ConvConfig(1, 3, 224, 225, 32, 3, stride=2))
    assert (even.padding, even.padding_bottom, even.padding_width, even.padding_right) == (0, 1, 1, 1)
    five = with_same_padding(ConvConfig(1, 3, 112, 112, 32, 5, stride=2))
    assert (five.padding, five.padding_bottom, five.output_size) == (1, 2, (56, 56))
    found = quantities(even)
    assert (found["same_padding"], found["same_height"]) == (1, 112)
