"""Sums of calls, from models whose answers are known."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pytest

from perfcast.networks import CONVOLUTIONS, OPERATORS, TERMS, Ask, Call, Plan, add_up, plan, read_preset
from perfcast.workloads import Rows, builtin_workloads


@dataclass(frozen=True)
class Told:
    """The answers of a model that takes a microsecond for each image and channel, and is off by a tenth."""

    cost: Rows
    lower: Rows | None
    upper: Rows | None
    extrapolated: npt.NDArray[np.bool_]


def by(workload: str, channels: str, each: float, *, bounds: bool = True) -> dict[str, object]:
    names = builtin_workloads()[workload].feature_names
    at = names.index("batch_size"), names.index(channels)

    def ask(rows: Rows) -> Told:
        cost = (each * rows[:, at[0]] * rows[:, at[1]]).astype(np.float32)
        lower, upper = (cost * 0.9, cost * 1.1) if bounds else (None, None)
        return Told(cost, lower, upper, np.asarray(rows > 1000))

    return {workload: ask}


ASK: Ask = {**by(CONVOLUTIONS, "input_channels", 1e-3), **by(OPERATORS, "channels", 1e-4)}  # type: ignore[dict-item]


def convolution(name: str, channels: int) -> Call:
    features: dict[str, float | str] = {
        "batch_size": 1, "input_channels": channels, "input_height": 8, "input_width": 8, "output_channels": 8,
        "kernel_size": 1,
    }  # fmt: skip
    shape = (1, channels, 8, 8)
    return Call(name, "convolution", features, (name,), shape, (1, 8, 8, 8), 10, 100, 1000)


def reorder(name: str, channels: int) -> Call:
    features: dict[str, float | str] = {
        "operator": "reorder_in",
        "batch_size": 1,
        "channels": channels,
        "height": 8,
        "width": 8,
    }
    shape = (1, channels, 8, 8)
    return Call(f"{name} in blocks", "reorder_in", features, (name,), shape, shape, sign=-1)


def test_a_sum_takes_off_what_calls_are_spared() -> None:
    found = add_up(Plan((convolution("a", 64), reorder("a", 16), convolution("b", 32))), 4, ASK)
    np.testing.assert_allclose(found.ms, [4 * 64e-3, -4 * 16e-4, 4 * 32e-3], rtol=1e-6)
    assert found.lower is not None
    assert found.upper is not None
    assert found.lower.sum() < found.ms.sum() < found.upper.sum()
    np.testing.assert_allclose(found.upper[1], -0.9 * 4 * 16e-4, rtol=1e-6)
    assert dict(zip(TERMS, found.terms.sum(axis=0), strict=True)) == pytest.approx(
        {"convolutions_ms": 4 * 96e-3, "operators_ms": 0, "inside_ms": 0, "spared_ms": -4 * 16e-4, "calls": 2,
         "weight_megabytes": 2e-3,
         "moved_megabytes": 8e-4}
    )  # fmt: skip


def test_no_call_is_spared_of_more_than_it_takes() -> None:
    found = add_up(Plan((convolution("a", 1), reorder("a", 900), convolution("b", 1))), 1, ASK)
    assert found.ms[0] + found.ms[1] > 0
    assert found.ms[2] == pytest.approx(1e-3)


def test_what_a_device_has_no_model_of_is_named() -> None:
    only = {CONVOLUTIONS: ASK[CONVOLUTIONS]}
    network = plan(read_preset("resnet18"), "torch")
    found = add_up(network, 8, only)
    assert {call.workload for call in found.calls} == {CONVOLUTIONS}
    assert len(found.calls) + len(found.unmodelled) == len(network.calls)
    assert all(OPERATORS in item.reason for item in found.unmodelled)


def test_models_without_intervals_give_a_sum_without_bounds() -> None:
    plain: Ask = {**ASK, **by(OPERATORS, "channels", 1e-4, bounds=False)}  # type: ignore[dict-item]
    found = add_up(plan(read_preset("resnet18"), "onnxruntime"), 1, plain)
    assert found.lower is None
    assert found.upper is None


@pytest.mark.parametrize("runtime", ["torch", "onnxruntime"])
@pytest.mark.parametrize("name", ["alexnet", "inception_v4", "shufflenet_v2_x0_5", "efficientnet_b4", "vit_b_16"])
def test_every_call_of_a_preset_is_a_row_of_its_workload(name: str, runtime: str) -> None:
    network = plan(read_preset(name), runtime)  # type: ignore[arg-type]
    found = add_up(network, 32, ASK)
    assert not network.unmodelled
    assert len(found.calls) == len(network.calls)
    assert found.ms.sum() > 0
