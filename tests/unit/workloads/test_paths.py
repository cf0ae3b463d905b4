"""The quantities that say which way a runtime takes, against what PyTorch and ONNX Runtime say themselves."""

import numpy as np
import pytest

from perfcast.workloads import Rows, builtin_workloads
from perfcast.workloads.cnn_execution_time.profiler._configurations import ConvConfig, WorkBound
from perfcast.workloads.cnn_execution_time.profiler._paths import BLOCKED, BLOCKED_DIRECTLY, OWN
from perfcast.workloads.cnn_execution_time.profiler._runners import OnnxRuntimeRunner, TorchRunner
from perfcast.workloads.cnn_execution_time.profiler._sampler import sample_configurations

SMALL = WorkBound(flops=2e7, tensor_bytes=2e6)
MOST_WRONG = 0.01
"""Of the configurations, where oneDNN has a kernel for an older processor that the rules don't know."""


@pytest.fixture(scope="module")
def configurations() -> list[ConvConfig]:
    return sample_configurations(400, seed=11, bound=SMALL, uneven=0.4)


def quantities(configurations: list[ConvConfig]) -> dict[str, Rows]:
    """Model inputs by name, float32 [configurations]."""
    workload = builtin_workloads()["cnn-execution-time"]
    stated = [[getattr(item, name) for name in workload.feature_names] for item in configurations]
    return dict(zip(workload.input_names, workload.inputs(np.array(stated, dtype=np.float32)).T, strict=True))


def test_torch_calls_onednn_and_its_gemm_where_the_quantities_say_so(configurations: list[ConvConfig]) -> None:
    found = quantities(configurations)
    runner = TorchRunner(device="cpu", training=False)
    try:
        paths = np.array([runner.path(item) for item in configurations])
    finally:
        runner.close()
    assert len(set(paths)) > 3
    np.testing.assert_array_equal(paths != OWN, found["torch_onednn"] == 1)
    if any("avx512" in path for path in paths):  # the other kernels are those of that processor
        gemm = np.char.find(paths, "gemm") >= 0
        assert gemm.any()
        assert (gemm != (found["torch_gemm"] == 1)).mean() < MOST_WRONG


def test_onnxruntime_blocks_channels_where_the_quantities_say_so(configurations: list[ConvConfig]) -> None:
    configurations = configurations + sample_configurations(60, seed=12, bound=SMALL, uneven=1, asymmetric=True)
    found = quantities(configurations)
    runner = OnnxRuntimeRunner()
    paths = np.array([runner.path(item) for item in configurations])
    assert set(paths) == {OWN, BLOCKED, BLOCKED_DIRECTLY}
    block = max((8, 16), key=lambda size: ((found[f"nchwc_{size}"] == 1) == (paths != OWN)).mean())
    np.testing.assert_array_equal(paths != OWN, found[f"nchwc_{block}"] == 1)
