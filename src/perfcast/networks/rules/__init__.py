"""The rules by which runtimes turn a network into kernels.

Both runtimes go the same way: nodes that a file writes as several are made one again (`_compositions`), a runtime
merges what it fuses (`_rewriting`, `_fusions`), and what is left is counted, each operator in one place (`_kernels`,
`_convolution`, `_shapes`). `_torch` knows which tensors have to be copied before they can be read, `_blocks` where ONNX
Runtime keeps channels in blocks.
"""

from perfcast.networks.rules._onnxruntime import onnxruntime_calls
from perfcast.networks.rules._torch import torch_calls

__all__ = ["onnxruntime_calls", "torch_calls"]
