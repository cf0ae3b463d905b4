"""What a network is to a runtime: rows of the workloads, with nothing left out."""

import math
from collections import Counter
from itertools import permutations
from random import Random

import numpy as np
import pytest

from perfcast.errors import InvalidInput
from perfcast.networks import Call, Graph, Node, presets, read_preset
from perfcast.networks._plan import plan
from perfcast.networks.rules._kernels import _RULES, _SAME_SHAPE, VIEWS
from perfcast.networks.rules._shapes import permutation
from perfcast.workloads import RowReader, builtin_workloads

RUNTIMES = ("torch", "onnxruntime")
NOT_SQUARE = {"kernel_width", "stride_width", "padding_width", "padding_bottom", "padding_right"}


def counted(graph: Graph, runtime: str) -> Counter[str]:
    return Counter(("-" if call.sign < 0 else "") + call.operator for call in plan(graph, runtime).calls)


def one(node: Node, **shapes: tuple[int, ...]) -> Graph:
    """A network of one node; what is called w or b is a weight."""
    weights = frozenset(name for name in shapes if name[0] in "wb")
    given = tuple(name for name in node.inputs if name and name not in weights)
    return Graph("one", given, node.outputs, (node,), shapes, weights)


def row(node: Node, runtime: str = "torch", **shapes: tuple[int, ...]) -> dict[str, float | str]:
    (call,) = (found for found in plan(one(node, **shapes), runtime).calls if "reorder" not in found.operator)
    return dict(call.features)


def test_pytorch_runs_each_operator_of_a_resnet_by_itself() -> None:
    assert counted(read_preset("resnet50"), "torch") == {
        "convolution": 53, "batch_norm": 53, "relu": 49, "add": 16, "max_pool": 1, "global_average_pool": 1,
        "linear": 1,
    }  # fmt: skip


def test_onnxruntime_keeps_a_resnet_in_blocks_from_one_end_to_the_other() -> None:
    found = counted(read_preset("resnet50"), "onnxruntime")
    # One convolution reads rows, the others contain bringing their input into blocks; the last pool's output leaves.
    assert found == {
        "convolution": 53, "max_pool": 1, "global_average_pool": 1, "linear": 1,
        "-reorder_in": 52, "-reorder_out": 53, "reorder_out": 1,
    }  # fmt: skip


def test_activations_that_are_part_of_a_kernel_are_counted_unless_they_cost_nothing() -> None:
    graph = read_preset("mobilenet_v2")
    calls = plan(graph, "onnxruntime").calls
    clips = [call for call in calls if call.operator == "clip"]
    assert len(clips) == sum(node.operator == "Clip" for node in graph.nodes) == 35
    assert {name for call in clips for name in call.nodes} == {
        node.name for node in graph.nodes if node.operator == "Clip"
    }
    assert all(call.moved_bytes == 0 for call in clips)
    assert counted(read_preset("mobilenet_v3_small"), "onnxruntime")["hard_swish"] == 19


@pytest.mark.parametrize("name", presets())
@pytest.mark.parametrize("runtime", RUNTIMES)
def test_all_arithmetic_and_every_convolution_of_the_presets_is_counted_once(name: str, runtime: str) -> None:
    graph, made = read_preset(name), plan(read_preset(name), runtime)
    assert not made.unmodelled
    products = [call for call in made.calls if call.operator in {"convolution", "linear", "matmul"}]
    assert sum(call.flops for call in products) == pytest.approx(presets()[name].gigaflops * 1e9, rel=0.01)
    covered = Counter(name for call in products for name in call.nodes if call.sign > 0)
    for node in graph.nodes:
        if node.operator in {"Conv", "Gemm", "MatMul"}:
            assert covered[node.name] == 1, node.name


@pytest.mark.parametrize("name", ["efficientnet_b0", "googlenet", "inception_v3", "vit_b_16", "shufflenet_v2_x0_5"])
@pytest.mark.parametrize("runtime", RUNTIMES)
def test_the_calls_are_rows_of_their_workloads(name: str, runtime: str) -> None:
    readers = {name: (RowReader(workload), workload) for name, workload in builtin_workloads().items()}
    read = 0
    for call in plan(read_preset(name), runtime).calls:
        if call.workload not in readers:
            continue
        reader, workload = readers[call.workload]
        unknown = set(call.features) - set(workload.feature_names)
        assert unknown <= NOT_SQUARE
        if not unknown:
            reader.read(dict(call.features))
            read += 1
    assert read > 0


def test_what_is_not_known_is_named() -> None:
    softmax = Node("attend", "Softmax", ("x",), ("y",), {"axis": 1})
    strange = Node("odd", "Einsum", ("x",), ("y",))
    for node, told in (
        (softmax, "another dimension"),
        (strange, "equation"),
        (Node("new", "Mystery", ("x",), ("y",)), "no"),
    ):
        for runtime in RUNTIMES:
            made = plan(one(node, x=(1, 8, 4, 4), y=(1, 8, 4, 4)), runtime)
            assert not made.calls
            (missing,) = made.unmodelled
            assert (missing.name, missing.operator) == (node.name, node.operator)
            assert told in missing.reason
            assert missing.moved_bytes == 2 * 4 * 128


def test_shapes_of_fewer_and_of_more_dimensions() -> None:
    sizes = ("batch_size", "channels", "height", "width")
    for shape, expected in (
        ((1, 8, 5, 6), (1, 8, 5, 6)), ((1, 50, 64), (1, 1, 50, 64)), ((1, 64), (1, 1, 1, 64)),
        ((1, 2, 3, 4, 5), (1, 6, 4, 5)), ((49, 8, 64), (49, 1, 8, 64)),
    ):  # fmt: skip
        features = row(Node("r", "Relu", ("x",), ("y",)), x=shape, y=shape)
        assert tuple(features[name] for name in sizes) == expected
        assert len(features) == 5


def test_features_of_each_kind() -> None:
    image = (1, 8, 6, 6)
    pool = Node("p", "MaxPool", ("x",), ("y",), {"kernel_shape": (3, 3), "strides": (2, 2), "pads": (1, 1, 1, 1)})
    expected = {"output_height": 3, "output_width": 3, "kernel_size": 3, "stride": 2, "padding": 1}
    assert row(pool, x=image, y=(1, 8, 3, 3)).items() >= expected.items()
    joined = row(Node("c", "Concat", ("x", "z"), ("y",), {"axis": 1}), x=image, z=(1, 5, 6, 6), y=(1, 13, 6, 6))
    assert joined.items() >= {"channels": 6, "output_channels": 13, "inputs": 2}.items()
    added = row(Node("a", "Add", ("x", "z"), ("y",)), x=image, z=image, y=image)
    assert added.items() >= {"operator": "add", "inputs": 2}.items()
    gated = row(Node("s", "Mul", ("z", "x"), ("y",)), x=image, z=(1, 8, 1, 1), y=image)
    assert (gated["operator"], gated["height"], "inputs" in gated) == ("scale", 6, False)
    linear = row(
        Node("l", "Gemm", ("x", "w", "b"), ("y",), {"transB": 1}), x=(1, 9, 32), w=(48, 32), b=(48,), y=(1, 9, 48)
    )
    assert linear.items() >= {"operator": "linear", "height": 9, "width": 32, "output_channels": 48}.items()
    heads = row(Node("m", "MatMul", ("x", "z"), ("y",)), x=(1, 3, 9, 16), z=(1, 3, 16, 7), y=(1, 3, 9, 7))
    assert heads.items() >= {"channels": 3, "height": 9, "width": 16, "output_channels": 7}.items()
    last = row(
        Node("n", "LayerNormalization", ("x", "w", "b"), ("y",), {"axis": -1}),
        x=(1, 9, 32),
        w=(32,),
        b=(32,),
        y=(1, 9, 32),
    )
    assert last.items() >= {"operator": "layer_norm", "height": 9, "width": 32}.items()
    mean = row(Node("g", "ReduceMean", ("x",), ("y",), {"axes": (-1, -2)}), x=image, y=(1, 8))
    assert mean.items() >= {"operator": "global_average_pool", "output_height": 1, "output_width": 1}.items()
    part = row(Node("s", "Slice", ("x",), ("y",)), "onnxruntime", x=image, y=(1, 2, 6, 6))
    assert part.items() >= {"operator": "slice", "channels": 8, "output_channels": 2}.items()


def test_convolutions_that_are_not_square() -> None:
    node = Node("c", "Conv", ("x", "w"), ("y",), {"kernel_shape": (1, 7), "pads": (0, 3, 0, 3), "strides": (1, 1)})
    features = row(node, x=(1, 8, 12, 12), w=(16, 8, 1, 7), y=(1, 16, 12, 12))
    assert (features["kernel_size"], features["kernel_width"], features["padding"]) == (1, 7, 0)
    assert not {"padding_width", "stride_width", "padding_bottom", "padding_right"} & set(features)
    same = Node("c", "Conv", ("x", "w"), ("y",), {"auto_pad": "SAME_UPPER", "strides": (2, 2)})
    uneven = {"x": (1, 8, 12, 12), "w": (16, 8, 3, 3), "y": (1, 16, 6, 6)}
    features = row(same, "onnxruntime", **uneven)
    assert (features["padding"], features["padding_bottom"], features["padding_right"]) == (0, 1, 1)
    padding, convolution = plan(one(same, **uneven), "torch").calls
    assert padding.features["output_height"] == 13
    assert convolution.features.items() >= {"input_height": 13, "padding": 0}.items()
    assert "padding_bottom" not in convolution.features


@pytest.mark.parametrize("shape", [(2, 3, 4), (1, 6, 4, 5), (2, 3, 4, 5), (1, 2, 3, 4, 5)])
def test_permutations_are_told_by_what_moves(shape: tuple[int, ...]) -> None:
    tensor = np.arange(math.prod(shape)).reshape(shape)
    kinds = Counter()
    for axes in permutations(range(len(shape))):
        wanted, found = np.transpose(tensor, axes).ravel(), permutation(shape, axes)
        if found is None:
            np.testing.assert_array_equal(wanted, tensor.ravel())
            continue
        operator, sizes = found
        images, channels, height, width = sizes.values()
        assert images * channels * height * width == tensor.size
        kinds[operator] += 1
        stored = (
            (images, height, width, channels) if operator == "to_channels_first" else (images, channels, height, width)
        )
        moved = {"to_channels_first": (0, 3, 1, 2), "to_channels_last": (0, 2, 3, 1), "transpose": (0, 2, 1, 3)}[
            operator
        ]
        copied = tensor.reshape(stored).transpose(moved).ravel()
        exact = np.array_equal(copied, wanted)
        kinds["exact"] += exact
        if operator == "transpose":
            assert copied[-1] == wanted[-1] or not exact
    assert kinds["exact"] >= len(shape)
    assert kinds["transpose"]
    assert kinds["to_channels_last"]


def test_bringing_in_and_out_of_blocks_adds_up() -> None:
    """A tensor that two convolutions in blocks read is brought in once, though each contains it."""
    convolutions = tuple(Node(f"c{at}", "Conv", ("x", f"w{at}"), (f"y{at}",)) for at in range(2))
    shapes = (
        {"x": (1, 32, 8, 8)}
        | {f"w{at}": (16, 32, 1, 1) for at in range(2)}
        | {f"y{at}": (1, 16, 8, 8) for at in range(2)}
    )
    graph = Graph("two", ("x",), ("y0", "y1"), convolutions, shapes, frozenset({"w0", "w1"}))
    spared = [call for call in plan(graph, "onnxruntime").calls if call.operator != "convolution"]
    assert [(call.operator, call.sign, call.features["channels"]) for call in spared] == [("reorder_in", -1, 32)]


@pytest.mark.parametrize("name", ["mobilenet_v3_small", "shufflenet_v2_x0_5", "convnext_femto", "vit_b_16"])
def test_whatever_a_file_says_is_planned_or_refused(name: str) -> None:
    """Nodes with other operators, without their attributes or without some inputs."""
    graph, random = read_preset(name), Random(name)
    refused: list[str] = []
    operators = sorted({*_RULES, *_SAME_SHAPE, *VIEWS, "ConvTranspose", "Erf", "Expand", "Mystery", "Pow", "Sqrt"})
    for _ in range(100):
        nodes = list(graph.nodes)
        for at in random.sample(range(len(nodes)), 3):
            node = nodes[at]
            nodes[at] = random.choice((
                Node(node.name, random.choice(operators), node.inputs, node.outputs, node.attributes),
                Node(node.name, node.operator, node.inputs, node.outputs),
                Node(node.name, node.operator, node.inputs[:1], node.outputs, node.attributes),
            ))  # fmt: skip
        changed = Graph("odd", graph.inputs, graph.outputs, tuple(nodes), graph.shapes, graph.weights)
        for runtime in RUNTIMES:
            try:
                assert plan(changed, runtime).calls
            except InvalidInput as refusal:
                refused.append(refusal.fields[0].field)
    assert 0 < len(refused) < 200
    assert set(refused) == {"network"}


def test_blocks_are_smaller_where_the_processor_is() -> None:
    node = Node("p", "MaxPool", ("x",), ("y",), {"kernel_shape": (2, 2), "strides": (2, 2)})
    graph = one(node, x=(1, 24, 8, 8), y=(1, 24, 4, 4))
    operators = [[call.operator for call in plan(graph, "onnxruntime", block=size).calls] for size in (8, 16)]
    assert operators == [["max_pool", "reorder_in", "reorder_out"], ["max_pool"]]
    assert all(isinstance(call, Call) for call in plan(graph, "onnxruntime").calls)
