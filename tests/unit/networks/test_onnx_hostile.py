"""Whatever bytes are given, they are a network or are refused; and what is skimmed over changes nothing else."""

import numpy as np
import onnx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from onnx import TensorProto, helper, numpy_helper
from onnx.reference import ReferenceEvaluator

from perfcast.errors import InvalidInput
from perfcast.networks import Graph, read_onnx
from perfcast.networks.reading._constants import evaluate
from perfcast.networks.reading._skim import LARGEST_DATA, skim

node = helper.make_node


def network() -> onnx.ModelProto:
    """A small network with all that is looked at: weights of several kinds, arithmetic on shapes, constants, names."""
    large = numpy_helper.from_array(np.ones((64, 3, 3, 3), np.float32))
    nodes = [
        node("Constant", [], ["w"], value=large),
        node("Conv", ["image", "w", "b"], ["a"], name="/block/conv/Conv", pads=[1, 1, 1, 1], auto_pad="NOTSET"),
        node("Clip", ["a", "", "six"], ["c"], name="/block/act/Clip"),
        node("Shape", ["c"], ["shape"]),
        node("Slice", ["shape", "zero", "one"], ["batch"]),
        node("Div", ["batch", "one"], ["same"]),
        node("Concat", ["same", "rest"], ["wanted"], axis=0),
        node("Reshape", ["c", "wanted"], ["flat"]),
        node("Identity", ["turned"], ["linear.weight"]),
        node("Gemm", ["flat", "linear.weight"], ["y"], alpha=1.0),
    ]
    values = {
        "b": np.zeros(64, np.float32),
        "six": np.float32(6),
        "zero": np.array([0]),
        "one": np.array([1]),
        "rest": np.array([-1]),
        "turned": np.ones((64 * 16, 10), np.float32),
    }
    graph = helper.make_graph(
        nodes,
        "small",
        [helper.make_tensor_value_info("image", TensorProto.FLOAT, ("n", 3, 4, 4))],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, ("n", 10))],
        [numpy_helper.from_array(value, name) for name, value in values.items()],
    )
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)])
    made.graph.node[1].metadata_props.add(key="pkg.torch.onnx.name_scopes", value="['', 'block', 'conv2d']")
    return made


WHOLE = network().SerializeToString()
SMALL = skim(WHOLE)
ANY_TIME = settings(deadline=None, max_examples=300, suppress_health_check=list(HealthCheck))


def test_the_network_itself_is_read() -> None:
    graph = read_onnx(WHOLE)
    assert [made.name for made in graph.nodes] == ["block.conv", "block.act", "reshape_2", "linear"]
    assert graph == read_onnx(SMALL)


def test_large_data_is_skimmed_over_and_all_else_stays() -> None:
    expected = network()
    expected.graph.node[0].attribute[0].t.ClearField("raw_data")
    expected.graph.initializer[5].ClearField("raw_data")
    assert onnx.ModelProto.FromString(SMALL) == expected
    assert len(SMALL) < LARGEST_DATA < len(WHOLE)


@pytest.mark.parametrize("kind", ["float_data", "int32_data", "int64_data", "double_data", "uint64_data"])
def test_data_of_every_kind_is_skimmed_over(kind: str) -> None:
    tensor = onnx.TensorProto(name="w", dims=[5000], data_type=1)
    getattr(tensor, kind).extend([1] * 5000)
    skimmed = onnx.ModelProto.FromString(skim(onnx.ModelProto(graph={"initializer": [tensor]}).SerializeToString()))
    tensor.ClearField(kind)
    assert skimmed.graph.initializer[0] == tensor


def refused_or_read(data: bytes) -> None:
    try:
        graph = read_onnx(data)
    except InvalidInput:
        return
    assert isinstance(graph, Graph)
    assert all(size > 0 for made in graph.nodes for name in made.outputs for size in graph.shapes[name])


@ANY_TIME
@given(st.lists(st.tuples(st.integers(0, len(SMALL) - 1), st.integers(0, 255)), min_size=1, max_size=4))
def test_changed_bytes(changes: list[tuple[int, int]]) -> None:
    data = bytearray(SMALL)
    for at, byte in changes:
        data[at] = byte
    refused_or_read(bytes(data))


@ANY_TIME
@given(st.integers(0, len(SMALL)), st.integers(0, len(SMALL)), st.binary(max_size=8))
def test_bytes_cut_out_and_put_in(start: int, end: int, put: bytes) -> None:
    refused_or_read(SMALL[:start] + put + SMALL[end:])


@ANY_TIME
@given(st.binary(max_size=200))
def test_any_bytes(data: bytes) -> None:
    refused_or_read(data)


NUMBERS = st.integers(-(2**63), 2**63 - 1) | st.integers(-4, 9)


@ANY_TIME
@given(
    st.lists(
        st.tuples(st.sampled_from(["dims", "ints", "i", "value", "input"]), st.integers(0, 40), NUMBERS), max_size=3
    )
)
def test_any_numbers_where_numbers_stand(changes: list[tuple[str, int, int]]) -> None:
    made = network()
    for place, at, number in changes:
        put(made, place, at, number)
    refused_or_read(made.SerializeToString())


def put(made: onnx.ModelProto, place: str, at: int, number: int) -> None:
    graph = made.graph
    if place == "dims":
        tensor = graph.initializer[at % len(graph.initializer)]
        tensor.dims.append(number)
    elif place == "value":
        tensor = graph.initializer[2 + at % 3]
        tensor.CopyFrom(numpy_helper.from_array(np.array([number]), tensor.name))
    elif place == "input":
        graph.input[0].type.tensor_type.shape.dim[at % 4].dim_value = number
    else:
        attributes = [one for made_node in graph.node for one in made_node.attribute]
        attribute = attributes[at % len(attributes)]
        if place == "ints":
            attribute.ints.append(number)
        else:
            attribute.i = number
            attribute.type = onnx.AttributeProto.INT


VALUES = {
    "vector": np.array([7, -5, 3, 2]),
    "other": np.array([2, 3, -2, 1]),
    "matrix": np.arange(6).reshape(2, 3),
    "real": np.array([1.5, -2.25, 9], np.float32),
    "one": np.array([1]),
    "zero": np.int64(0),
    "five": np.int64(5),
    "two": np.int64(2),
    "shape": np.array([3, 2]),
    "yes": np.array([True, False, True, False]),
}
ARITHMETIC = [
    node("Add", ["vector", "other"], ["y"]),
    node("Sub", ["vector", "other"], ["y"]),
    node("Mul", ["vector", "other"], ["y"]),
    node("Div", ["vector", "two"], ["y"]),
    node("Div", ["real", "real"], ["y"]),
    node("Mod", ["vector", "other"], ["y"]),
    node("Mod", ["vector", "other"], ["y"], fmod=1),
    node("Max", ["vector", "other"], ["y"]),
    node("Min", ["vector", "other"], ["y"]),
    node("Neg", ["vector"], ["y"]),
    node("Floor", ["real"], ["y"]),
    node("Ceil", ["real"], ["y"]),
    node("Abs", ["real"], ["y"]),
    node("Clip", ["real", "", "half"], ["y"]),
    node("Clip", ["real", "half"], ["y"]),
    node("Greater", ["vector", "other"], ["y"]),
    node("Less", ["vector", "other"], ["y"]),
    node("Not", ["yes"], ["y"]),
    node("ReduceMax", ["matrix"], ["y"], axes=[0]),
    node("ReduceMin", ["matrix"], ["y"]),
    node("ReduceSum", ["matrix", "one"], ["y"], keepdims=0),
    node("Slice", ["matrix", "first", "one", "", "two_long"], ["y"]),
    node("Sqrt", ["five_real"], ["y"]),
    node("Cast", ["real"], ["y"], to=TensorProto.INT64),
    node("Equal", ["vector", "other"], ["y"]),
    node("Where", ["yes", "vector", "other"], ["y"]),
    node("Concat", ["vector", "other"], ["y"], axis=0),
    node("ConstantOfShape", ["shape"], ["y"], value=numpy_helper.from_array(np.array([4]))),
    node("ConstantOfShape", ["shape"], ["y"]),
    node("Constant", [], ["y"], value_ints=[1, 2]),
    node("Constant", [], ["y"], value_float=0.5),
    node("Constant", [], ["y"], value=numpy_helper.from_array(np.array([[4]]))),
    node("Expand", ["one", "shape"], ["y"]),
    node("Gather", ["matrix", "one"], ["y"], axis=1),
    node("Gather", ["vector", "two"], ["y"]),
    node("Range", ["zero", "five", "two"], ["y"]),
    node("ReduceProd", ["matrix"], ["y"], axes=[1], keepdims=0),
    node("ReduceProd", ["vector"], ["y"]),
    node("Reshape", ["matrix", "shape"], ["y"]),
    node("Slice", ["matrix", "one", "shape_end", "one"], ["y"]),
    node("Slice", ["vector", "end", "start", "first", "back"], ["y"]),
    node("Squeeze", ["one"], ["y"]),
    node("Squeeze", ["row", "first"], ["y"]),
    node("Transpose", ["matrix"], ["y"]),
    node("Transpose", ["matrix"], ["y"], perm=[1, 0]),
    node("Unsqueeze", ["vector", "one"], ["y"]),
    node("Identity", ["vector"], ["y"]),
]
VALUES |= {
    "half": np.float32(0.5),
    "two_long": np.array([2]),
    "five_real": np.float32([5, 2]),
    "shape_end": np.array([3]),
    "end": np.array([3]),
    "start": np.array([0]),
    "first": np.array([0]),
    "back": np.array([-1]),
    "row": np.array([[1, 2]]),
}


@pytest.mark.parametrize("one", ARITHMETIC, ids=lambda one: f"{one.op_type} {' '.join(one.input)}")
def test_arithmetic_on_shapes_is_onnx_s(one: onnx.NodeProto) -> None:
    given_values = {name: VALUES[name] for name in one.input if name}
    inputs = [helper.make_tensor_value_info(name, TensorProto.UNDEFINED, None) for name in given_values]
    graph = helper.make_graph([one], "one", inputs, [helper.make_tensor_value_info("y", TensorProto.UNDEFINED, None)])
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)])
    (expected,) = ReferenceEvaluator(made).run(None, given_values)
    found = evaluate(one, [VALUES.get(name) for name in one.input], np.shape(expected))
    assert found is not None
    assert found.dtype == np.asarray(expected).dtype
    np.testing.assert_array_equal(found, expected)
