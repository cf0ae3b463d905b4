"""What a worker and its converting process say to each other: MessagePack over pipes."""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from perfcast.manifest import GraphFacts, Parity


class Order(msgspec.Struct, frozen=True):
    """What to convert.

    Attributes:
        file: Name of the model file among `files`.
        files: Contents by name.
        workloads: Declarations that inputs may be named from; the first is meant where nothing else is said.
        unconfined: Whether a file that runs code may be read although the process couldn't be confined.
        parent: Process that must not be looked into.
    """

    file: str
    files: Mapping[str, bytes]
    workloads: Sequence[Mapping[str, Any]]
    unconfined: bool
    parent: int


class Converted(msgspec.Struct, frozen=True, tag="converted"):
    """A graph and what is known of it.

    Attributes:
        graph: Serialised ONNX, from all features of the workload to the cost.
        family: What the file holds: `xgboost`, `random_forest`, `neural_network`, `polynomial`, …
        workload: Name of the workload it answers for.
        inputs: What the model reads, in its own order.
        original: The model's class.
        facts, parity: As in a manifest.
        libraries: Versions of what read it.
        notes: Remarks for the manifest.
    """

    graph: bytes
    family: str | None
    workload: str
    inputs: tuple[str, ...]
    original: str
    facts: GraphFacts
    parity: Parity
    libraries: Mapping[str, str]
    notes: tuple[str, ...] = ()


class Failed(msgspec.Struct, frozen=True, tag="failed"):
    """Why a file can't be converted, in a sentence."""

    reason: str


Outcome = Converted | Failed
