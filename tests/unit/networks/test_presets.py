"""Presets are the networks that everybody means: as large as published, every shape what the arithmetic says."""

import math

import msgspec
import pytest

from perfcast.errors import UnknownNetwork
from perfcast.networks import Graph, Node, presets, read_preset

# As torchvision's page of models and timm's table of results have them: parameters, and 10⁹ multiply-adds.
PUBLISHED = {
    "alexnet": (61_100_840, 0.71),
    "vgg11": (132_863_336, 7.61),
    "vgg13": (133_047_848, 11.31),
    "vgg16": (138_357_544, 15.47),
    "vgg19": (143_667_240, 19.63),
    "googlenet": (6_624_904, 1.5),
    "inception_v3": (27_161_264, 5.71),
    "inception_v4": (42_679_816, 12.28),
    "resnet18": (11_689_512, 1.81),
    "resnet26": (15_995_176, 2.36),
    "resnet34": (21_797_672, 3.66),
    "resnet50": (25_557_032, 4.09),
    "resnet101": (44_549_160, 7.8),
    "resnet152": (60_192_808, 11.51),
    "wide_resnet50_2": (68_883_240, 11.4),
    "resnext50_32x4d": (25_028_904, 4.23),
    "densenet121": (7_978_856, 2.83),
    "densenet169": (14_149_480, 3.36),
    "squeezenet1_0": (1_248_424, 0.82),
    "squeezenet1_1": (1_235_496, 0.35),
    "mobilenet_v1": (4_231_976, 0.57),
    "mobilenet_v2": (3_504_872, 0.3),
    "mobilenet_v3_small": (2_542_856, 0.06),
    "mobilenet_v3_large": (5_483_032, 0.22),
    "mnasnet1_0": (4_383_312, 0.31),
    "shufflenet_v2_x0_5": (1_366_792, 0.04),
    "shufflenet_v2_x1_0": (2_278_604, 0.14),
    "efficientnet_b0": (5_288_548, 0.39),
    "efficientnet_b1": (7_794_184, 0.69),
    "efficientnet_b2": (9_109_994, 1.09),
    "efficientnet_b3": (12_233_232, 1.83),
    "efficientnet_b4": (19_341_616, 4.39),
    "regnet_x_400mf": (5_495_976, 0.41),
    "regnet_y_400mf": (4_344_144, 0.4),
    "convnext_femto": (5_217_784, 0.79),
    "convnext_tiny": (28_589_128, 4.46),
    "vit_b_16": (86_567_656, 17.56),
}
AUXILIARY = 3_326_696
"""Parameters of Inception v3's auxiliary head, which runs in training only; the published count has it in."""
NAMES = list(PUBLISHED)


def test_every_published_network_is_there_and_families_stand_together() -> None:
    assert set(presets()) == set(PUBLISHED)
    families = [facts.family for facts in presets().values()]
    assert [family for at, family in enumerate(families) if family != families[at - 1]] == list(dict.fromkeys(families))


@pytest.mark.parametrize("name", NAMES)
def test_it_is_as_large_and_as_much_work_as_published(name: str) -> None:
    facts, (parameters, multiply_adds) = presets()[name], PUBLISHED[name]
    assert facts.parameters == parameters - (AUXILIARY if name == "inception_v3" else 0)
    assert facts.gigaflops / 2 == pytest.approx(multiply_adds, rel=0.02, abs=0.005)


@pytest.mark.parametrize("name", NAMES)
def test_its_graph_is_what_the_index_tells(name: str) -> None:
    graph, facts = read_preset(name), presets()[name]
    assert (graph.name, graph.parameters) == (name, facts.parameters)
    assert graph.shapes[graph.inputs[0]] == facts.input_shape
    assert [graph.shapes[output] for output in graph.outputs] == [(1, 1000)]
    assert read_preset(name) is graph


@pytest.mark.parametrize("name", NAMES)
def test_its_nodes_are_in_order_have_names_of_their_own_and_known_shapes(name: str) -> None:
    graph = read_preset(name)
    known = {*graph.inputs, *graph.weights}
    for node in graph.nodes:
        assert known.issuperset(filter(None, node.inputs)), node.name
        assert graph.activations(node), node.name
        known.update(node.outputs)
    assert known.issuperset(graph.outputs)
    assert set(graph.shapes) == known
    assert len({node.name for node in graph.nodes}) == len(graph.nodes)


@pytest.mark.parametrize("name", NAMES)
def test_it_computes_what_it_does_after_training(name: str) -> None:
    graph = read_preset(name)
    assert not [node.name for node in graph.nodes if node.operator in {"Dropout", "Identity", "Shape", "Constant"}]
    normalisations = [node for node in graph.nodes if node.operator == "BatchNormalization"]
    assert all(len(node.outputs) == 1 and not node.attributes.get("training_mode") for node in normalisations)


def slid(size: int, node: Node, axis: int) -> int:
    """How many places a window has along an axis."""
    kernel, stride = _of(node, "kernel_shape", axis), _of(node, "strides", axis)
    pads, dilation = node.attributes["pads"], _of(node, "dilations", axis)
    assert isinstance(pads, tuple)
    return (size + pads[axis] + pads[axis + 2] - dilation * (kernel - 1) - 1) // stride + 1


def _of(node: Node, attribute: str, axis: int) -> int:
    values = node.attributes[attribute]
    assert isinstance(values, tuple)
    return values[axis]


def convolved(graph: Graph, node: Node) -> tuple[int, ...]:
    """The shape that a convolution makes, by its definition."""
    images, _, *sizes = graph.shapes[node.inputs[0]]
    made = graph.shapes[node.inputs[1]][0]
    return (images, made, *(slid(size, node, axis) for axis, size in enumerate(sizes)))


@pytest.mark.parametrize("name", NAMES)
def test_its_convolutions_make_what_their_definition_says(name: str) -> None:
    graph = read_preset(name)
    convolutions = [node for node in graph.nodes if node.operator == "Conv"]
    assert convolutions
    for node in convolutions:
        images, channels, *_ = graph.shapes[node.inputs[0]]
        groups = node.attributes["group"]
        assert isinstance(groups, int)
        assert images == 1
        assert graph.shapes[node.inputs[1]][1] * groups == channels
        assert graph.shapes[node.outputs[0]] == convolved(graph, node)


def test_blocks_have_names_for_people() -> None:
    nodes = [node.name for node in read_preset("resnet18").nodes]
    assert nodes[:6] == ["conv1", "bn1", "relu", "maxpool", "layer1.0.conv1", "layer1.0.bn1"]
    assert nodes[-3:] == ["avgpool", "flatten", "fc"]


def test_a_graph_is_the_same_after_being_written_and_read() -> None:
    graph = read_preset("mobilenet_v3_small")
    again = msgspec.json.decode(msgspec.json.encode(graph), type=Graph)
    assert again == graph
    assert again.parameters == graph.parameters


def test_readers_and_makers_of_a_tensor() -> None:
    graph = read_preset("resnet18")
    (pooled,) = next(node for node in graph.nodes if node.name == "maxpool").outputs
    assert [node.name for node in graph.readers[pooled]] == ["layer1.0.conv1", "layer1.0.add"]
    assert graph.makers[pooled].name == "maxpool"
    assert graph.elements(pooled) == math.prod((1, 64, 56, 56))


def test_an_unknown_name_tells_the_closest_ones() -> None:
    with pytest.raises(UnknownNetwork, match=r"unknown network 'resnet5'.*'resnet50'"):
        read_preset("resnet5")
