"""The bare graph with its manifest, and a model repository that Triton serves as it is."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import msgspec

from perfcast.handover._page import page
from perfcast.manifest import Draft

LARGEST_BATCH = 4096
"""Rows that Triton runs together: with 300 trees some tens of milliseconds, and less than 1 MB of features."""


@dataclass(frozen=True)
class Handed:
    """A version to be handed over: its model's name, its number, its graph and manifest."""

    model: str
    number: int
    draft: Draft


def write_onnx(folder: Path, version: Handed) -> list[Path]:
    """Write `model.onnx` and `manifest.json`; returns what was written."""
    manifest = msgspec.json.format(version.draft.manifest.to_json(), indent=2)
    return _write({folder / "model.onnx": version.draft.graph, folder / "manifest.json": manifest + b"\n"})


def write_triton(folder: Path, version: Handed) -> list[Path]:
    """Write a version into a Triton model repository, beside what is in it already.

    The graph lies under the version's own number, so that Triton's versions are Perfcast's. Triton reads
    `config.pbtxt` and the graph, and leaves alone what else is there: the manifest, the intervals' table, a page for
    people. Returns what was written.
    """
    manifest = version.draft.manifest
    home = folder / version.model
    written = write_onnx(home / str(version.number), version)
    files = {
        home / "config.pbtxt": triton_config(version.model, len(manifest.workload["features"])).encode(),
        home / "README.md": page(version.model, version.number, manifest).encode(),
    }
    if manifest.calibration is not None:
        table = msgspec.json.format(msgspec.json.encode(manifest.calibration), indent=2)
        files[home / str(version.number) / "calibration.json"] = table + b"\n"
    return written + _write(files)


def triton_config(name: str, features: int) -> str:
    """The configuration of a model of so many features, a `ModelConfig` in protocol buffers' text form.

    A batched tensor has its rows as a first dimension that isn't named, and at least one more: so `cost`, of shape
    [rows], is shown as [rows, 1] and reshaped. The graphs are small and made for one thread: the processor runs them
    also where there is a GPU.
    """
    return f"""\
name: {json.dumps(name)}
platform: "onnxruntime_onnx"
max_batch_size: {LARGEST_BATCH}
input [
  {{
    name: "features"
    data_type: TYPE_FP32
    dims: [ {features} ]
  }}
]
output [
  {{
    name: "cost"
    data_type: TYPE_FP32
    dims: [ 1 ]
    reshape: {{ shape: [ ] }}
  }}
]
version_policy: {{ all: {{ }} }}
dynamic_batching: {{ }}
instance_group [
  {{
    count: 1
    kind: KIND_CPU
  }}
]
parameters [
  {{ key: "intra_op_thread_count" value: {{ string_value: "1" }} }},
  {{ key: "inter_op_thread_count" value: {{ string_value: "1" }} }}
]
"""


def _write(files: Mapping[Path, bytes]) -> list[Path]:
    for path, content in files.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return list(files)
