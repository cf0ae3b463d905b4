"""The Open Inference Protocol, version 2: what KServe, Triton and MLServer clients speak.

`read_request` and `write_response` are the codec (JSON, and tensors as bytes behind it), `rows_of` lays tensors out as
rows of a workload, and `InferenceProtocol` answers. The HTTP of it is in `_routes`.
"""

from perfcast.api.inference_protocol._codec import InferenceRequest, RequestedOutput, read_request, write_response
from perfcast.api.inference_protocol._inference import InferenceProtocol, Inferred, metadata
from perfcast.api.inference_protocol._rows import rows_of
from perfcast.api.inference_protocol._tensor import Tensor

__all__ = [
    "InferenceProtocol",
    "InferenceRequest",
    "Inferred",
    "RequestedOutput",
    "Tensor",
    "metadata",
    "read_request",
    "rows_of",
    "write_response",
]
