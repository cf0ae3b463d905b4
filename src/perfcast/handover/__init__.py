"""Versions written as other servers want them: the bare graph, a Triton model repository, KServe manifests.

`write_onnx`, `write_triton` and `write_kserve` each fill a folder from a version's graph and manifest. Neither needs
the libraries that graphs are made with.
"""

from perfcast.handover._kserve import DEFAULT_IMAGE, DEFAULT_STORAGE, write_kserve
from perfcast.handover._triton import Handed, write_onnx, write_triton

__all__ = ["DEFAULT_IMAGE", "DEFAULT_STORAGE", "Handed", "write_kserve", "write_onnx", "write_triton"]
