"""Which kernels ONNX Runtime makes of a network, against its own optimised graph."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TypeAlias

import numpy as np
import onnx
import pytest
from onnx import helper
from tests.networks import block, kernels_found, kernels_planned, model, optimised, written

from perfcast.networks import read_onnx, read_preset

Case: TypeAlias = tuple[Sequence[onnx.NodeProto], Mapping[str, np.ndarray], Sequence[int], Sequence[str]]
node = helper.make_node

NUMBERS = {
    "zero": 0.0, "half": 0.5, "one": 1.0, "root": 2**0.5, "three": 3.0, "six": 6.0, "cubed": 0.044715,
    "scaled": (2 / np.pi) ** 0.5,
}  # fmt: skip
ACTIVATIONS: Mapping[str, Sequence[tuple[str, Sequence[str], Mapping[str, float]]]] = {
    "relu": [("Relu", ["a"], {})],
    "sigmoid": [("Sigmoid", ["a"], {})],
    "tanh": [("Tanh", ["a"], {})],
    "leaky relu": [("LeakyRelu", ["a"], {"alpha": 0.1})],
    "clip": [("Clip", ["a", "zero", "six"], {})],
    "hard sigmoid": [("HardSigmoid", ["a"], {"alpha": 1 / 6, "beta": 0.5})],
    "hard swish": [("HardSwish", ["a"], {})],
    "hard swish by its gate": [("HardSigmoid", ["a"], {"alpha": 1 / 6, "beta": 0.5}), ("Mul", ["a", "1"], {})],
    "hard swish in arithmetic": [
        ("Add", ["a", "three"], {}), ("Clip", ["1", "zero", "six"], {}), ("Div", ["2", "six"], {}),
        ("Mul", ["a", "3"], {}),
    ],
    "silu": [("Sigmoid", ["a"], {}), ("Mul", ["a", "1"], {})],
    "gelu": [
        ("Div", ["a", "root"], {}), ("Erf", ["1"], {}), ("Add", ["2", "one"], {}), ("Mul", ["a", "3"], {}),
        ("Mul", ["4", "half"], {}),
    ],
    "gelu by its approximation": [
        ("Pow", ["a", "three"], {}), ("Mul", ["1", "cubed"], {}), ("Add", ["a", "2"], {}), ("Mul", ["3", "scaled"], {}),
        ("Tanh", ["4"], {}), ("Add", ["5", "one"], {}), ("Mul", ["a", "6"], {}), ("Mul", ["7", "half"], {}),
    ],
    "elu": [("Elu", ["a"], {})],
    "none": [],
}  # fmt: skip


def weights(**shapes: Sequence[int]) -> dict[str, np.ndarray]:
    random = np.random.default_rng(0)
    return {name: random.uniform(0.5, 1.5, shape).astype(np.float32) for name, shape in shapes.items()}


def activated(name: str) -> tuple[list[onnx.NodeProto], str]:
    """Nodes that make of `a` what the last one is called."""
    steps = ACTIVATIONS[name]
    nodes = [node(kind, given, [str(number)], **more) for number, (kind, given, more) in enumerate(steps, 1)]
    return nodes, str(len(steps)) if steps else "a"


def between_convolutions(name: str) -> Case:
    nodes, made = activated(name)
    ends = node("Conv", ["x", "w"], ["a"]), node("Conv", [made, "v"], ["y"])
    return [ends[0], *nodes, ends[1]], numbers() | weights(w=(32, 16, 3, 3), v=(48, 32, 1, 1)), (1, 16, 9, 9), ["y"]


def beside_a_reader(name: str) -> Case:
    """What the activation reads is read by a pool, too, so nothing can be fused."""
    nodes, made, _, _ = between_convolutions(name)
    return [*nodes, node("MaxPool", ["a"], ["z"], kernel_shape=[2, 2])], made, (1, 16, 9, 9), ["y", "z"]


def after_a_sum(name: str) -> Case:
    nodes, made = activated(name)
    before = [
        node("MaxPool", ["x"], ["p"], kernel_shape=[3, 3]),
        node("Conv", ["x", "w"], ["c"]),
        node("Add", ["c", "p"], ["a"]),
    ]
    constants = numbers() | weights(w=(32, 32, 3, 3), v=(48, 32, 1, 1))
    return [*before, *nodes, node("Conv", [made, "v"], ["y"])], constants, (1, 32, 9, 9), ["y"]


def after_plain_convolution(name: str) -> Case:
    nodes, made = activated(name)
    first = node("Conv", ["x", "w"], ["a"])
    return (
        [first, *nodes, node("MaxPool", [made], ["y"], kernel_shape=[2, 2])],
        numbers() | weights(w=(18, 18, 3, 3)),
        (1, 18, 9, 9),
        ["y"],
    )


def after_linear(name: str) -> Case:
    nodes, made = activated(name)
    both = node("Gemm", ["x", "w", "b"], ["a"]), node("Gemm", [made, "v"], ["y"])
    return [both[0], *nodes, both[1]], numbers() | weights(w=(18, 20), b=(20,), v=(20, 5)), (1, 18), ["y"]


def numbers() -> dict[str, np.ndarray]:
    return {name: np.array(value, dtype=np.float32) for name, value in NUMBERS.items()}


def channels(count: int) -> Case:
    """Convolutions, a pool, a sum and depth by depth on some number of channels."""
    nodes = [
        node("Conv", ["x", "w"], ["a"]),
        node("Conv", ["a", "v"], ["b"], pads=[1, 1, 1, 1]),
        node("Add", ["b", "a"], ["c"]),
        node("Relu", ["c"], ["d"]),
        node("Conv", ["d", "u"], ["e"], group=count, pads=[1, 1, 1, 1]),
        node("MaxPool", ["e"], ["f"], kernel_shape=[2, 2]),
        node("Conv", ["f", "t"], ["y"]),
    ]
    made = weights(w=(count, 3, 3, 3), v=(count, count, 3, 3), u=(count, 1, 3, 3), t=(32, count, 1, 1))
    return nodes, made, (1, 3, 12, 12), ["y"]


def joined(count: int, axis: int = 1) -> Case:
    nodes = [
        node("Conv", ["x", "w"], ["a"]), node("Conv", ["x", "v"], ["b"]), node("Concat", ["a", "b"], ["c"], axis=axis),
        node("GlobalAveragePool", ["c"], ["y"]),
    ]  # fmt: skip
    return nodes, weights(w=(count, 32, 3, 3), v=(32, 32, 3, 3)), (1, 32, 9, 9), ["y"]


def grouped(groups: int, each: int, filters: int) -> Case:
    made = weights(w=(groups * filters, each, 3, 3))
    return [node("Conv", ["x", "w"], ["y"], group=groups)], made, (1, groups * each, 9, 9), ["y"]


def squeezed(gate: str) -> Case:
    nodes = [
        node("Conv", ["x", "w"], ["a"]), node("GlobalAveragePool", ["a"], ["p"]), node("Conv", ["p", "v"], ["q"]),
        node("Relu", ["q"], ["r"]), node("Conv", ["r", "u"], ["s"]), node(gate, ["s"], ["t"]),
        node("Mul", ["t", "a"], ["m"]), node("Conv", ["m", "w"], ["y"]),
    ]  # fmt: skip
    return nodes, weights(w=(32, 32, 3, 3), v=(8, 32, 1, 1), u=(32, 8, 1, 1)), (1, 32, 12, 12), ["y"]


def normalised(count: int, *, alone: bool) -> Case:
    """A batch normalisation behind a convolution; where another reads that one too, it can't go into its weights."""
    nodes = [
        node("Conv", ["x", "w"], ["a"]), node("BatchNormalization", ["a", "s", "s", "s", "s"], ["b"]),
        node("Relu", ["b"], ["y"]),
    ]  # fmt: skip
    more = [] if alone else [node("Tanh", ["a"], ["z"])]
    return [*nodes, *more], weights(w=(count, 32, 3, 3), s=(count,)), (1, 32, 9, 9), ["y"] if alone else ["y", "z"]


def scaled(kind: str, shape: Sequence[int], *, alone: bool = True) -> Case:
    nodes = [node("Conv", ["x", "w", "b"], ["a"]), node(kind, ["a", "s"], ["y"])]
    more = [] if alone else [node("Tanh", ["a"], ["z"])]
    return [*nodes, *more], weights(w=(32, 32, 3, 3), b=(32,), s=shape), (1, 32, 9, 9), ["y", "z"][: 1 + len(more)]


def framed(kind: str) -> Case:
    last = node("Conv", ["p", "w"], ["y"]) if kind == "Conv" else node(kind, ["p"], ["y"], kernel_shape=[3, 3])
    made = {"frame": np.array([0, 0, 0, 0, 0, 0, 1, 1], dtype=np.int64)}
    more = weights(w=(32, 32, 3, 3)) if kind == "Conv" else {}
    return [node("Pad", ["x", "frame"], ["p"]), last], made | more, (1, 32, 8, 8), ["y"]


def larger(mode: str, asked: str, factor: float) -> Case:
    how = {"mode": mode, "coordinate_transformation_mode": asked, "nearest_mode": "floor"}
    nodes = [
        node("Conv", ["x", "w"], ["a"]),
        node("Resize", ["a", "", "f"], ["b"], **how),
        node("Conv", ["b", "w"], ["y"]),
    ]
    return (
        nodes,
        weights(w=(32, 32, 3, 3)) | {"f": np.array([1, 1, factor, factor], dtype=np.float32)},
        (1, 32, 10, 10),
        ["y"],
    )


def permuted(first: Sequence[int], second: Sequence[int]) -> Case:
    """From channels last, through a convolution, to channels last."""
    nodes = [
        node("Transpose", ["x"], ["a"], perm=first), node("Conv", ["a", "w"], ["b"]),
        node("Transpose", ["b"], ["y"], perm=second),
    ]  # fmt: skip
    return nodes, weights(w=(32, 32, 1, 1)), (1, 32, 32, 32), ["y"]


def divided(sizes: Sequence[int]) -> Case:
    """Slices of what a convolution makes, each read by a convolution."""
    made, nodes = weights(w=(32, 32, 3, 3)), [node("Conv", ["x", "w"], ["a"])]
    for number, size in enumerate(sizes):
        start = sum(sizes[:number])
        cut = [f"from{number}", f"to{number}", "axis"]
        made |= {name: np.array([at], dtype=np.int64) for name, at in zip(cut, (start, start + size, 1), strict=True)}
        made |= weights(**{f"v{number}": (32, size, 1, 1)})
        nodes += [
            node("Slice", ["a", *cut], [f"part{number}"]), node("Conv", [f"part{number}", f"v{number}"], [f"y{number}"])
        ]  # fmt: skip
    return nodes, made, (1, 32, 9, 9), [f"y{number}" for number in range(len(sizes))]


def attention() -> Case:
    """A linear layer with its bias, and a product of activations with a factor."""
    nodes = [
        node("MatMul", ["x", "w"], ["a"]), node("Add", ["a", "b"], ["q"]), node("Mul", ["q", "half"], ["s"]),
        node("Transpose", ["q"], ["k"], perm=[0, 2, 1]), node("MatMul", ["s", "k"], ["p"]),
        node("Softmax", ["p"], ["y"], axis=-1),
    ]  # fmt: skip
    return nodes, numbers() | weights(w=(24, 24), b=(24,)), (1, 10, 24), ["y"]


def layer_norm() -> Case:
    """As files before opset 17 have it."""
    nodes = [
        node("ReduceMean", ["x"], ["m"], axes=[-1]), node("Sub", ["x", "m"], ["c"]), node("Pow", ["c", "two"], ["q"]),
        node("ReduceMean", ["q"], ["v"], axes=[-1]), node("Add", ["v", "tiny"], ["t"]), node("Sqrt", ["t"], ["r"]),
        node("Div", ["c", "r"], ["n"]), node("Mul", ["n", "g"], ["e"]), node("Add", ["e", "b"], ["y"]),
    ]  # fmt: skip
    tiny = {"two": np.array(2, dtype=np.float32), "tiny": np.array(1e-5, dtype=np.float32)}
    return nodes, tiny | weights(g=(24,), b=(24,)), (1, 10, 24), ["y"]


def twice() -> Case:
    nodes = [
        node("MaxPool", ["x"], ["a"], kernel_shape=[2, 2]), node("MaxPool", ["x"], ["b"], kernel_shape=[2, 2]),
        node("Relu", ["b"], ["c"]), node("Add", ["a", "c"], ["y"]),
    ]  # fmt: skip
    return nodes, {}, (1, 32, 8, 8), ["y"]


def transposed_convolution() -> Case:
    nodes = [
        node("ConvTranspose", ["x", "w"], ["a"], strides=[2, 2]),
        node("BatchNormalization", ["a", "s", "s", "s", "s"], ["y"]),
    ]
    return nodes, weights(w=(16, 24, 2, 2), s=(24,)), (1, 16, 8, 8), ["y"]


def product_normalised() -> Case:
    nodes = [
        node("MatMul", ["x", "w"], ["a"]), node("BatchNormalization", ["a", "s", "s", "s", "s"], ["b"]),
        node("Relu", ["b"], ["y"]),
    ]  # fmt: skip
    return nodes, weights(w=(16, 24), s=(24,)), (1, 16), ["y"]


CASES: Mapping[str, Callable[[], Case]] = {
    **{f"{count} channels": lambda count=count: channels(count) for count in (6, 8, 12, 16, 18, 20, 24, 32)},
    **{f"{count} and 32 channels joined": lambda count=count: joined(count) for count in (16, 20)},
    "joined along the height": lambda: joined(32, 2),
    "groups of whole blocks": lambda: grouped(2, 16, 16),
    "groups of less": lambda: grouped(4, 8, 8),
    "two filters a channel": lambda: grouped(32, 1, 2),
    "squeezed, sigmoid": lambda: squeezed("Sigmoid"),
    "squeezed, hard sigmoid": lambda: squeezed("HardSigmoid"),
    "normalised": lambda: normalised(32, alone=True),
    "normalised beside a reader": lambda: normalised(32, alone=False),
    "18 channels normalised beside a reader": lambda: normalised(18, alone=False),
    "times constants of channels": lambda: scaled("Mul", (32, 1, 1)),
    "plus constants of channels": lambda: scaled("Add", (1, 32, 1, 1)),
    "times a number": lambda: scaled("Mul", ()),
    "plus a number": lambda: scaled("Add", ()),
    "plus a number, beside a reader": lambda: scaled("Add", (), alone=False),
    "times a number, beside a reader": lambda: scaled("Mul", (), alone=False),
    "framed convolution": lambda: framed("Conv"),
    "framed maximum": lambda: framed("MaxPool"),
    "framed average": lambda: framed("AveragePool"),
    "twice the same": twice,
    "transposed convolution, normalised": transposed_convolution,
    "product, normalised": product_normalised,
    "twice as large, as PyTorch once asked": lambda: larger("linear", "pytorch_half_pixel", 2),
    "twice as large": lambda: larger("nearest", "asymmetric", 2),
    "twice as large, linear": lambda: larger("linear", "half_pixel", 2),
    "half as much larger": lambda: larger("linear", "half_pixel", 1.5),
    "channels last and back": lambda: permuted((0, 3, 1, 2), (0, 2, 3, 1)),
    "other permutations": lambda: permuted((0, 1, 3, 2), (0, 1, 3, 2)),
    "two halves": lambda: divided((16, 16)),
    "uneven parts": lambda: divided((8, 24)),
    "a part": lambda: divided((20,)),
    "attention": attention,
    "layer normalisation in parts": layer_norm,
    **{
        f"{name} {where.__name__.replace('_', ' ')}": lambda where=where, name=name: where(name)
        for where in (between_convolutions, beside_a_reader, after_a_sum, after_plain_convolution, after_linear)
        for name in ACTIVATIONS
    },
}
PRESETS = (
    "squeezenet1_1", "mobilenet_v2", "mobilenet_v3_small", "shufflenet_v2_x0_5", "efficientnet_b0", "densenet121",
    "googlenet", "resnet18", "regnet_y_400mf", "convnext_femto",
)  # fmt: skip


@pytest.fixture(scope="module")
def size(tmp_path_factory: pytest.TempPathFactory) -> int:
    return block(tmp_path_factory.mktemp("block"))


@pytest.mark.parametrize("case", CASES)
def test_the_rules_know_what_onnxruntime_runs(case: str, size: int, tmp_path: Path) -> None:
    nodes, constants, shape, outputs = CASES[case]()
    used = {name for one in nodes for name in one.input}
    source = model(nodes, {name: values for name, values in constants.items() if name in used}, shape, outputs)
    assert kernels_planned(read_onnx(source), size) == kernels_found(optimised(source, tmp_path))


@pytest.mark.parametrize("name", PRESETS)
def test_the_rules_know_what_onnxruntime_runs_of_whole_networks(name: str, size: int, tmp_path: Path) -> None:
    graph = read_preset(name)
    found = kernels_found(optimised(written(graph), tmp_path))
    assert sum(found.values()) > 20
    assert kernels_planned(graph, size) == found
