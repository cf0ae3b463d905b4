"""Which way a runtime takes through its kernels, as it says itself: a label of a configuration, not a feature."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory, TemporaryFile
from typing import Any, BinaryIO

OWN = "unrolled"
"""PyTorch's own path, and what ONNX Runtime does where it doesn't block channels: im2col and GEMMs."""
BLOCKED, BLOCKED_DIRECTLY = "blocked", "blocked from rows"
"""ONNX Runtime's layout NCHWc, and its kernel that reads NCHW, for a few channels."""
_STANDARD_OUTPUT = 1


def torch_path(torch: Any, call: Callable[[], Any]) -> str:
    """The implementation that oneDNN names for the convolution in a call, or `OWN` where it runs none.

    oneDNN tells each primitive on standard output (`ONEDNN_VERBOSE=1`, version 1 of the format): marker, version,
    `primitive`, `exec`, engine, kind, implementation, …
    """
    verbose = torch.backends.mkldnn
    with TemporaryFile() as told:
        with _standard_output_to(told), verbose.verbose(verbose.VERBOSE_ON):
            call()
        told.seek(0)
        fields = [line.split(",") for line in told.read().decode(errors="replace").splitlines()]
    ran = [parts[6] for parts in fields if parts[0] == "onednn_verbose" and parts[5:6] == ["convolution"]]
    return ran[0] if ran else OWN


def onnxruntime_path(runtime: Any, onnx: Any, model: bytes, options: Any) -> str:
    """What ONNX Runtime makes of a graph of one convolution, from the graph that it has optimised."""
    with TemporaryDirectory() as folder:
        options.optimized_model_filepath = str(Path(folder) / "optimised.onnx")
        runtime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
        nodes = onnx.load(options.optimized_model_filepath).graph.node
    if not any(node.domain == "com.microsoft.nchwc" and node.op_type == "Conv" for node in nodes):
        return OWN
    return BLOCKED if any(node.op_type == "ReorderInput" for node in nodes) else BLOCKED_DIRECTLY


@contextmanager
def _standard_output_to(file: BinaryIO) -> Iterator[None]:
    """What this process writes to standard output, C libraries included, goes to a file."""
    before = os.dup(_STANDARD_OUTPUT)
    os.dup2(file.fileno(), _STANDARD_OUTPUT)
    try:
        yield
    finally:
        os.dup2(before, _STANDARD_OUTPUT)
        os.close(before)
