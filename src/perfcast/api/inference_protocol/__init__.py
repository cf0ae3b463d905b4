"""The Open Inference Protocol, version 2: what KServe, Triton and MLServer clients speak.

`read_request` and `write_response` are the codec (JSON, and tensors as bytes behind it), `rows_of` lays tensors out as
rows of a workload, and `InferenceProtocol` answers; what it
says of models is in `_description`. The HTTP of it is in `_routes`.
"""

from perfcast.api.inference_protocol._codec import InferenceRequest, RequestedOutput, read_request, write_response
from perfcast.api.inference_protocol._description import configuration, metadata, repository_index, statistics
from perfcast.api.inference_protocol._inference import InferenceProtocol, Inferred
from perfcast.api.inference_protocol._rows import rows_of
from perfcast.api.inference_protocol._tensor import Tensor

__all__ = [
    "InferenceProtocol",
    "InferenceRequest",
    "Inferred",
    "RequestedOutput",
    "Tensor",
    "configuration",
    "metadata",
    "read_request",
    "repository_index",
    "rows_of",
    "statistics",
    "write_response",
]
