"""What a runtime does with a network: calls of kernels, each a row of a workload whose time is known."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias

Runtime: TypeAlias = Literal["torch", "onnxruntime"]

CONVOLUTIONS, OPERATORS = "cnn-execution-time", "operator-execution-time"


@dataclass(frozen=True, slots=True)
class Call:
    """One kernel that a runtime starts, at a batch of one.

    Attributes:
        name: The node that it is called after.
        operator: In the words of `operator-execution-time`, or `convolution`.
        features: The row of the workload, `batch_size` included; that one is multiplied by the batch.
        nodes: The names of all nodes that it does the work of.
        input_shape, output_shape: Of the first tensor that it reads, and of the one that it makes.
        flops, moved_bytes: Its arithmetic, a multiply-add counted as two; what it reads and writes at least, weights
            apart.
        weight_bytes: What it reads of weights; doesn't grow with the batch.
        sign: -1 for what a measured call contains and this one is spared of, such as bringing a tensor into blocks
            that is in blocks already; else 1.
        inside: Whether the kernel before does it, on values that it has at hand; measured was a call of its own.
    """

    name: str
    operator: str
    features: Mapping[str, float | str]
    nodes: tuple[str, ...]
    input_shape: tuple[int, ...]
    output_shape: tuple[int, ...]
    flops: int = 0
    moved_bytes: int = 0
    weight_bytes: int = 0
    sign: int = 1
    inside: bool = False

    @property
    def workload(self) -> str:
        """The workload that its features are a row of."""
        return CONVOLUTIONS if self.operator == "convolution" else OPERATORS


@dataclass(frozen=True, slots=True)
class Unmodelled:
    """A node whose time isn't known: named, never counted as nothing.

    `moved_bytes` is what it reads and writes at least, at a batch of one.
    """

    name: str
    operator: str
    reason: str
    moved_bytes: int


@dataclass(frozen=True, slots=True)
class Plan:
    """All that a runtime does for a network."""

    calls: tuple[Call, ...]
    unmodelled: tuple[Unmodelled, ...] = ()
