"""The Open Inference Protocol, version 2: what KServe, Triton and MLServer clients speak.

`_codec` reads requests and writes responses (JSON, and tensors as bytes behind it), `_rows` lays tensors out as rows of
a workload, `_inference` answers, and `_description` says what there is of models. The HTTP of it is in `_routes`.
"""

from perfcast.api.inference_protocol._inference import InferenceProtocol

__all__ = ["InferenceProtocol"]
