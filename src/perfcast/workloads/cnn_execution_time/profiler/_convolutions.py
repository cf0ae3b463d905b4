"""Convolutions as a kind of work that the profiler measures."""

from ._configurations import WORKLOAD, ConvConfig, WorkBound, sample_configurations
from ._kind import Kind
from ._runners import make_runner

CONVOLUTIONS = Kind(
    name="convolutions",
    workload=WORKLOAD,
    configuration=ConvConfig,
    sentinel=ConvConfig(1, 64, 56, 56, 64, 3, 1, 1),
    bound=WorkBound(),
    sampler=lambda options: sample_configurations,
    make_runner=make_runner,
    rows="two-dimensional float32 convolutions (no bias)",
    calls={
        ("torch", "forward"): "`torch.conv2d` in inference mode",
        ("torch", "training"): "`torch.conv2d` forward, then the gradients of input and weights",
        ("onnxruntime", "forward"): (
            "an ONNX model of one Conv node with constant weights, input and output bound in advance"
        ),
    },
    choice=(
        "Part of the configurations are layers of well-known networks at several batch sizes, the others have "
        "log-uniform sizes"
    ),
)
