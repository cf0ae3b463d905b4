"""Convolutions as a kind of work that the profiler measures."""

from collections.abc import Sequence
from functools import partial

from ._configurations import WORKLOAD, ConvConfig, WorkBound
from ._kind import Kind, Sampler
from ._options import ProfileOptions
from ._runners import make_runner
from ._sampler import sample_configurations


def _sampler(options: ProfileOptions) -> Sampler:
    return partial(sample_configurations, uneven=options.uneven, asymmetric=options.asymmetric)


def _uneven(configurations: Sequence[ConvConfig]) -> str:
    """A sentence, or nothing where all are square."""
    count = sum(config.uneven for config in configurations)
    return f" {count:,} of them are such whose kernel, stride or padding differs between directions or sides." * bool(
        count
    )


CONVOLUTIONS = Kind(
    name="convolutions",
    workload=WORKLOAD,
    configuration=ConvConfig,
    sentinel=ConvConfig(1, 64, 56, 56, 64, 3, 1, 1),
    bound=WorkBound(),
    sampler=_sampler,
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
    told=_uneven,
)
