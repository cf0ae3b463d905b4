"""What is read of an ONNX file: the nodes that depend on its input, and every shape at one image."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from perfcast.errors import InvalidInput, MissingDependency
from perfcast.networks import Graph, read_onnx

Sizes = Sequence[int | str]


def model(
    nodes: Sequence[onnx.NodeProto],
    *,
    image: Sizes = ("n", 3, 8, 8),
    weights: Mapping[str, Sequence[int]] | None = None,
    values: Mapping[str, object] | None = None,
    output: str = "y",
    domains: Sequence[str] = (),
) -> onnx.ModelProto:
    """A network from `image` to `output`."""
    held = [numpy_helper.from_array(np.zeros(shape, np.float32), name) for name, shape in (weights or {}).items()]
    held += [numpy_helper.from_array(np.asarray(value), name) for name, value in (values or {}).items()]
    graph = helper.make_graph(
        nodes,
        "small",
        [helper.make_tensor_value_info("image", TensorProto.FLOAT, image)],
        [helper.make_tensor_value_info(output, TensorProto.FLOAT, None)],
        held,
    )
    opsets = [helper.make_opsetid(domain, 17 if not domain else 1) for domain in ("", *domains)]
    return helper.make_model(graph, opset_imports=opsets)


def read(nodes: Sequence[onnx.NodeProto], *, input_shape: tuple[int, ...] | None = None, **more: object) -> Graph:
    return read_onnx(model(nodes, **more).SerializeToString(), input_shape=input_shape)  # type: ignore[arg-type]


def refusal(nodes: Sequence[onnx.NodeProto], *, input_shape: tuple[int, ...] | None = None, **more: object) -> str:
    """What is told of a network that can't be read."""
    with pytest.raises(InvalidInput) as caught:
        read(nodes, input_shape=input_shape, **more)
    return str(caught.value)


def operators(graph: Graph) -> list[str]:
    return [node.operator for node in graph.nodes]


node = helper.make_node


def test_a_convolution_with_its_shapes_weights_and_attributes() -> None:
    convolution = node("Conv", ["image", "w", "b"], ["y"], pads=[1, 1, 1, 1], strides=[2, 2], group=1)
    graph = read([convolution], weights={"w": (4, 3, 3, 3), "b": (4,)})
    assert graph.name == "small"
    assert (graph.inputs, graph.outputs, graph.weights) == (("image",), ("y",), {"w", "b"})
    assert graph.shapes == {"image": (1, 3, 8, 8), "w": (4, 3, 3, 3), "b": (4,), "y": (1, 4, 4, 4)}
    (made,) = graph.nodes
    assert (made.name, made.operator, made.inputs, made.outputs) == ("conv_0", "Conv", ("image", "w", "b"), ("y",))
    assert made.attributes == {"pads": (1, 1, 1, 1), "strides": (2, 2), "group": 1}
    assert graph.activations(made) == ("image",)
    assert graph.parameters == 4 * 3 * 3 * 3 + 4


def test_what_batch_normalization_measured_is_no_parameter() -> None:
    weights = dict.fromkeys(("scale", "bias", "mean", "variance"), (3,))
    graph = read([node("BatchNormalization", ["image", *weights], ["y"])], weights=weights)
    assert graph.weights == set(weights)
    assert graph.parameters == 6


def test_a_file_is_called_after_itself_unless_it_is_given_a_name(tmp_path: Path) -> None:
    path = tmp_path / "mine.onnx"
    path.write_bytes(model([node("Relu", ["image"], ["y"])]).SerializeToString())
    assert read_onnx(path).name == "mine"
    assert read_onnx(path, name="other").name == "other"


class TestBatch:
    def test_a_fixed_batch_is_divided(self) -> None:
        nodes = [node("Reshape", ["image", "shape"], ["flat"]), node("MatMul", ["flat", "w"], ["y"])]
        graph = read(nodes, image=(8, 3, 8, 8), weights={"w": (192, 10)}, values={"shape": [8, 192]})
        assert graph.shapes == {"image": (1, 3, 8, 8), "flat": (1, 192), "w": (192, 10), "y": (1, 10)}

    def test_it_is_found_behind_another_axis(self) -> None:
        graph = read([node("Transpose", ["image"], ["y"], perm=[1, 0, 2, 3])], image=(8, 3, 5, 5))
        assert graph.shapes["y"] == (3, 1, 5, 5)

    def test_a_tensor_that_the_batch_does_not_divide_is_refused(self) -> None:
        told = refusal([node("ReduceMean", ["image"], ["y"], axes=[0])], image=(7, 3, 8, 8))
        assert "batch of 7" in told
        assert "'y'" in told

    def test_inputs_of_different_batches_are_refused(self) -> None:
        made = model([node("Concat", ["image", "second"], ["y"], axis=0)], image=(2, 3, 8, 8))
        made.graph.input.append(helper.make_tensor_value_info("second", TensorProto.FLOAT, (4, 3, 8, 8)))
        with pytest.raises(InvalidInput, match="one batch for all inputs, but has 2, 4"):
            read_onnx(made.SerializeToString())


class TestInputShape:
    relu = (node("Relu", ["image"], ["y"]),)

    def test_open_sizes_are_asked_for(self) -> None:
        told = refusal(self.relu, image=("n", 3, "height", "width"))
        assert told.startswith("input_shape: needed, since the input 'image'")
        assert "[n, 3, height, width]" in told

    def test_they_are_taken_from_the_caller(self) -> None:
        graph = read(self.relu, image=("n", 3, "height", "width"), input_shape=(4, 3, 32, 48))
        assert graph.shapes["y"] == (1, 3, 32, 48)

    def test_a_fixed_size_can_be_another(self) -> None:
        assert read(self.relu, input_shape=(1, 3, 320, 320)).shapes["y"] == (1, 3, 320, 320)

    def test_an_input_of_no_known_rank_takes_any(self) -> None:
        made = model(self.relu)
        made.graph.input[0].type.tensor_type.ClearField("shape")
        assert read_onnx(made.SerializeToString(), input_shape=(1, 3, 8, 8)).shapes["y"] == (1, 3, 8, 8)
        with pytest.raises(InvalidInput, match="input_shape: needed"):
            read_onnx(made.SerializeToString())

    def test_another_number_of_axes_is_refused(self) -> None:
        assert "must have 4 sizes as the input 'image' has, [n, 3, 8, 8]" in refusal(self.relu, input_shape=(3, 8, 8))

    @pytest.mark.parametrize("shape", [(), (1, 3, 0, 8), (1, 3, 8, 2**60)])
    def test_impossible_sizes_are_refused(self, shape: tuple[int, ...]) -> None:
        assert refusal(self.relu, input_shape=shape).startswith("input_shape: must be")

    def test_several_inputs_take_none(self) -> None:
        made = model([node("Add", ["image", "second"], ["y"])])
        made.graph.input.append(helper.make_tensor_value_info("second", TensorProto.FLOAT, ("n", 3, 8, 8)))
        assert read_onnx(made.SerializeToString()).inputs == ("image", "second")
        with pytest.raises(InvalidInput, match=r"several inputs: image, second"):
            read_onnx(made.SerializeToString(), input_shape=(1, 3, 8, 8))


class TestFolding:
    def test_identity_and_dropout_are_gone(self) -> None:
        nodes = [node("Identity", ["image"], ["a"]), node("Relu", ["a"], ["b"]), node("Dropout", ["b", "ratio"], ["y"])]
        graph = read(nodes, values={"ratio": np.float32(0.5)})
        assert operators(graph) == ["Relu"]
        assert (graph.nodes[0].inputs, graph.outputs) == (("image",), ("b",))

    def test_alike_weights_that_share_a_tensor_stay_weights_of_their_own(self) -> None:
        names = ("scale", "bias", "mean", "variance")
        shared = [node("Identity", ["one"], [name]) for name in names]
        graph = read([*shared, node("BatchNormalization", ["image", *names], ["y"])], weights={"one": (3,)})
        assert graph.nodes[0].inputs == ("image", *names)
        assert graph.parameters == 6

    def test_arithmetic_on_shapes_is_worked_out(self) -> None:
        nodes = [
            node("Shape", ["image"], ["shape"]),
            node("Gather", ["shape", "zero"], ["batch"], axis=0),
            node("Unsqueeze", ["batch", "axes"], ["first"]),
            node("Concat", ["first", "rest"], ["wanted"], axis=0),
            node("Reshape", ["image", "wanted"], ["y"]),
        ]
        graph = read(nodes, values={"zero": np.int64(0), "axes": [0], "rest": [-1]})
        assert [(made.operator, made.inputs) for made in graph.nodes] == [("Reshape", ("image",))]
        assert graph.shapes == {"image": (1, 3, 8, 8), "y": (1, 192)}

    def test_what_is_made_of_weights_is_a_weight(self) -> None:
        nodes = [
            node("Flatten", ["image"], ["flat"]),
            node("Transpose", ["w"], ["turned"], perm=[1, 0]),
            node("Cast", ["turned"], ["cast"], to=TensorProto.FLOAT),
            node("MatMul", ["flat", "cast"], ["y"]),
        ]
        graph = read(nodes, weights={"w": (10, 192)})
        assert operators(graph) == ["Flatten", "MatMul"]
        assert graph.weights == {"cast"}
        assert graph.shapes["cast"] == (192, 10)

    def test_constants_are_weights(self) -> None:
        value = numpy_helper.from_array(np.zeros((1, 3, 1, 1), np.float32))
        graph = read([node("Constant", [], ["c"], value=value), node("Mul", ["image", "c"], ["y"])])
        assert operators(graph) == ["Mul"]
        assert graph.weights == {"c"}

    def test_random_numbers_are_no_weight(self) -> None:
        nodes = [node("RandomNormal", [], ["r"], shape=[1, 3, 8, 8]), node("Add", ["image", "r"], ["y"])]
        assert operators(read(nodes)) == ["RandomNormal", "Add"]

    def test_what_nobody_needs_is_gone(self) -> None:
        nodes = [node("Relu", ["image"], ["y"]), node("Conv", ["image", "w"], ["unread"])]
        graph = read(nodes, weights={"w": (4, 3, 3, 3)})
        assert operators(graph) == ["Relu"]
        assert graph.shapes.keys() == {"image", "y"}

    def test_inputs_that_only_say_how_are_left_out(self) -> None:
        nodes = [
            node("Clip", ["image", "", "six"], ["clipped"]),
            node("Resize", ["clipped", "", "scales"], ["large"], mode="nearest"),
            node("Slice", ["large", "starts", "ends", "axes"], ["y"]),
        ]
        values = {"six": np.float32(6), "scales": np.float32([1, 1, 2, 2]), "starts": [2], "ends": [10], "axes": [3]}
        graph = read(nodes, values=values)
        assert [made.inputs for made in graph.nodes] == [("image",), ("clipped",), ("large",)]
        assert graph.nodes[0].attributes == {"max": 6.0}
        assert (graph.shapes["large"], graph.shapes["y"]) == ((1, 3, 16, 16), (1, 3, 16, 8))
        assert not graph.weights

    def test_an_input_that_is_left_out_before_another_is_an_empty_string(self) -> None:
        wide = (node("Transpose", ["image"], ["t"]), node("QLinearSoftmax", ["t", "", "w"], ["y"], domain="com.other"))
        made = model(wide, weights={"w": (3,)}, domains=["com.other"])
        made.graph.output[0].CopyFrom(helper.make_tensor_value_info("y", TensorProto.FLOAT, (1, 8, 8, 3)))
        assert read_onnx(made.SerializeToString()).nodes[1].inputs == ("t", "", "w")


class TestOperators:
    def test_one_of_an_unknown_kind_stays_where_the_file_states_the_shape(self) -> None:
        made = model([node("Fancy", ["image"], ["y"], domain="com.other")], domains=["com.other"])
        made.graph.output[0].CopyFrom(helper.make_tensor_value_info("y", TensorProto.FLOAT, (1, 5)))
        graph = read_onnx(made.SerializeToString())
        assert (operators(graph), graph.shapes["y"]) == (["Fancy"], (1, 5))

    def test_else_it_is_refused_by_name(self) -> None:
        told = refusal([node("Fancy", ["image"], ["y"], name="odd", domain="com.other")], domains=["com.other"])
        assert "the Fancy node 'odd'" in told
        assert "'com.other' has no operator 'Fancy'" in told

    def test_a_quantised_node_stays(self) -> None:
        nodes = [node("QuantizeLinear", ["image", "s"], ["q"]), node("DequantizeLinear", ["q", "s"], ["y"])]
        assert operators(read(nodes, values={"s": np.float32(0.1)})) == ["QuantizeLinear", "DequantizeLinear"]

    def test_a_shape_that_depends_on_values_is_refused(self) -> None:
        told = refusal([node("NonZero", ["image"], ["y"], name="where")])
        assert "what the NonZero node 'where' makes has none" in told

    def test_shapes_that_do_not_fit_are_refused(self) -> None:
        told = refusal([node("MatMul", ["image", "w"], ["y"], name="m")], weights={"w": (9, 5)})
        assert "what the MatMul node 'm' makes has none" in told

    def test_graphs_inside_of_nodes_are_refused(self) -> None:
        inner = helper.make_graph(
            [node("Relu", ["image"], ["r"])], "then", [], [helper.make_empty_tensor_value_info("r")]
        )
        told = refusal(
            [node("If", ["go"], ["y"], name="choice", then_branch=inner, else_branch=inner)], values={"go": np.bool_(1)}
        )
        assert "the If node 'choice' runs graphs inside of it" in told

    def test_functions_are_refused(self) -> None:
        made = model([node("Mine", ["image"], ["y"], domain="own")], domains=["own"])
        opsets = [helper.make_opsetid("", 17)]
        made.functions.append(helper.make_function("own", "Mine", ["a"], ["b"], [node("Relu", ["a"], ["b"])], opsets))
        with pytest.raises(InvalidInput, match="functions of its own, such as 'Mine'"):
            read_onnx(made.SerializeToString())


class TestOrder:
    def test_nodes_are_put_in_order(self) -> None:
        nodes = [node("Sigmoid", ["b"], ["y"]), node("Relu", ["image"], ["a"]), node("Tanh", ["a"], ["b"])]
        assert operators(read(nodes)) == ["Relu", "Tanh", "Sigmoid"]

    def test_a_cycle_is_refused(self) -> None:
        nodes = [node("Add", ["image", "b"], ["a"], name="first"), node("Relu", ["a"], ["b"], name="second")]
        told = refusal([*nodes, node("Relu", ["b"], ["y"])])
        assert "must have no cycle" in told
        assert "'first'" in told

    def test_a_tensor_that_nothing_makes_is_refused(self) -> None:
        assert "a Relu node reads 'nowhere', which nothing makes" in refusal([node("Relu", ["nowhere"], ["y"])])
        assert "nothing makes 'z'" in refusal([node("Relu", ["image"], ["y"])], output="z")

    def test_a_tensor_that_is_made_twice_is_refused(self) -> None:
        assert "'y' is made twice" in refusal([node("Relu", ["image"], ["y"]), node("Tanh", ["image"], ["y"])])

    def test_too_many_nodes_are_refused(self) -> None:
        nodes = [node("Relu", ["image"], [f"y{at}"]) for at in range(20_001)]
        assert "at most 20,000 nodes, has 20,001" in refusal(nodes, output="y0")


CONVOLUTION, WEIGHTS = (node("Conv", ["image", "w"], ["y"]),), {"w": (64, 3, 3, 3)}


class TestFiles:
    @pytest.mark.parametrize("data", [b"", b"no network", b"\x00" * 100, model(CONVOLUTION).SerializeToString()[:-3]])
    def test_other_files_are_refused(self, data: bytes, tmp_path: Path) -> None:
        path = tmp_path / "file.onnx"
        path.write_bytes(data)
        for source in (data, path):
            with pytest.raises(InvalidInput, match="network: must be an ONNX file"):
                read_onnx(source)

    def test_a_model_without_a_graph_is_refused(self) -> None:
        with pytest.raises(InvalidInput, match="holds none"):
            read_onnx(onnx.ModelProto(ir_version=8).SerializeToString())

    def test_a_graph_without_input_is_refused(self) -> None:
        made = model([node("Constant", [], ["y"], value_float=1.0)])
        del made.graph.input[:]
        with pytest.raises(InvalidInput, match="must have an input"):
            read_onnx(made.SerializeToString())

    def test_weights_in_another_file_need_not_be_there(self, tmp_path: Path) -> None:
        path = tmp_path / "network.onnx"
        made = model(CONVOLUTION, weights=WEIGHTS)
        onnx.save_model(made, path, save_as_external_data=True, location="weights", size_threshold=0)
        (tmp_path / "weights").unlink()
        assert read_onnx(path).shapes["w"] == WEIGHTS["w"]

    def test_weights_that_are_listed_as_inputs_are_none(self) -> None:
        made = model(CONVOLUTION, weights=WEIGHTS)
        made.graph.input.append(helper.make_tensor_value_info("w", TensorProto.FLOAT, WEIGHTS["w"]))
        assert read_onnx(made.SerializeToString()).inputs == ("image",)

    def test_sparse_weights_have_their_dense_shape(self) -> None:
        made = model(CONVOLUTION)
        values = numpy_helper.from_array(np.ones(2, np.float32), "w")
        places = numpy_helper.from_array(np.array([0, 5]), "places")
        made.graph.sparse_initializer.append(helper.make_sparse_tensor(values, places, WEIGHTS["w"]))
        assert read_onnx(made.SerializeToString()).shapes["w"] == WEIGHTS["w"]

    def test_without_the_onnx_package_it_is_told_how_to_get_it(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setitem(__import__("sys").modules, "perfcast.networks.reading", None)
        with pytest.raises(MissingDependency, match=r"pip install 'perfcast\[train\]'"):
            read_onnx(b"")


class TestNames:
    def test_a_node_that_is_alone_in_its_module_is_called_after_it(self) -> None:
        names = ["/layer1/layer1.0/conv1/Conv", "/layer1/layer1.0/Add", "/layer1/layer1.0/act/Sigmoid", "/Flatten"]
        assert self.named(names) == ["layer1.0.conv1", "layer1.0.relu", "layer1.0.act", "flatten"]

    def test_one_that_reads_a_weight_is_called_after_the_weight_s_module(self) -> None:
        convolution = node("Conv", ["image", "layer1.0.conv1.weight"], ["y"], name="/layer1/layer1.0/bn1/Conv")
        assert read([convolution], weights={"layer1.0.conv1.weight": (4, 3, 3, 3)}).nodes[0].name == "layer1.0.conv1"

    def test_several_of_a_module_are_told_apart(self) -> None:
        names = ["/features/features.1/act/Sigmoid", "/features/features.1/act/Mul", "/features/features.1/act/Mul_1"]
        assert self.named(names) == ["features.1.act.relu", "features.1.act.relu_2", "features.1.act.relu_3"]
        assert self.named(["node_relu_7"]) == ["relu_7"]
        assert self.named(["/relu/Relu", "/relu_1/Relu", "/relu/Relu_2"]) == ["relu", "relu_1", "relu_2"]

    def test_no_two_are_alike_whatever_a_file_calls_them(self) -> None:
        assert self.named(["", "a", "a", "a_2", "A", ""]) == ["relu_0", "a", "a_3", "a_2", "a_4", "relu_5"]

    def test_the_modules_that_the_newer_exporter_states(self) -> None:
        made = model([node("Relu", ["image"], ["y"], name="node_relu_7")])
        scopes = "['', 'features', 'features.3', 'features.3.act', 'relu_7']"
        made.graph.node[0].metadata_props.add(key="pkg.torch.onnx.name_scopes", value=scopes)
        assert read_onnx(made.SerializeToString()).nodes[0].name == "features.3.act"

    def test_odd_and_endless_ones_are_tamed(self) -> None:
        (name, other) = self.named(["x<\n>" * 3, "/".join(["deep"] * 5000)])
        assert name == "x_x_x_"
        assert len(other) <= 120

    def named(self, names: Sequence[str]) -> list[str]:
        """What nodes are called, one after the other, of which a file says so."""
        tensors = ["image", *(f"t{at}" for at in range(1, len(names))), "y"]
        chain = zip(names, tensors[:-1], tensors[1:], strict=True)
        graph = read([node("Relu", [one], [other], name=name) for name, one, other in chain])
        return [made.name for made in graph.nodes]
