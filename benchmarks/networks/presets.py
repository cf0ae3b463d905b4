"""Write the presets of networks: each architecture, with random weights, exported by PyTorch and read by `read_onnx`.

Run it after a change of what is read; needs torch, torchvision, timm and onnx:

    python benchmarks/networks/presets.py [NAME …]

`BatchNormalization` stays a node: PyTorch runs it apart, and ONNX Runtime's rules fold it.
"""

import gzip
import io
import math
import sys
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import timm
import torch
import torchvision

import perfcast.networks
from perfcast.networks._graph import Graph, Node
from perfcast.networks._onnx import read_onnx
from perfcast.networks._presets import INDEX, SUFFIX, PresetFacts

FOLDER = Path(perfcast.networks.__file__).parent / "presets"
OPSET = 17


class Architecture(NamedTuple):
    """A network to export; `call` is its name in the library, where that isn't its own."""

    name: str
    title: str
    family: str
    year: int
    size: int = 224
    library: str = "torchvision"
    call: str = ""


ARCHITECTURES = (
    Architecture("alexnet", "AlexNet", "AlexNet", 2012),
    Architecture("vgg11", "VGG-11", "VGG", 2014),
    Architecture("vgg13", "VGG-13", "VGG", 2014),
    Architecture("vgg16", "VGG-16", "VGG", 2014),
    Architecture("vgg19", "VGG-19", "VGG", 2014),
    Architecture("googlenet", "GoogLeNet", "Inception", 2014),
    Architecture("inception_v3", "Inception v3", "Inception", 2015, 299),
    Architecture("inception_v4", "Inception v4", "Inception", 2016, 299, "timm"),
    Architecture("resnet18", "ResNet-18", "ResNet", 2015),
    Architecture("resnet26", "ResNet-26", "ResNet", 2019, 224, "timm"),
    Architecture("resnet34", "ResNet-34", "ResNet", 2015),
    Architecture("resnet50", "ResNet-50", "ResNet", 2015),
    Architecture("resnet101", "ResNet-101", "ResNet", 2015),
    Architecture("resnet152", "ResNet-152", "ResNet", 2015),
    Architecture("wide_resnet50_2", "Wide ResNet-50-2", "ResNet", 2016),
    Architecture("resnext50_32x4d", "ResNeXt-50 32×4d", "ResNet", 2016),
    Architecture("densenet121", "DenseNet-121", "DenseNet", 2016),
    Architecture("densenet169", "DenseNet-169", "DenseNet", 2016),
    Architecture("squeezenet1_0", "SqueezeNet 1.0", "SqueezeNet", 2016),
    Architecture("squeezenet1_1", "SqueezeNet 1.1", "SqueezeNet", 2016),
    Architecture("mobilenet_v1", "MobileNet v1", "MobileNet", 2017, 224, "timm", "mobilenetv1_100"),
    Architecture("mobilenet_v2", "MobileNet v2", "MobileNet", 2018),
    Architecture("mobilenet_v3_small", "MobileNet v3 small", "MobileNet", 2019),
    Architecture("mobilenet_v3_large", "MobileNet v3 large", "MobileNet", 2019),
    Architecture("mnasnet1_0", "MnasNet 1.0", "MnasNet", 2018),
    Architecture("shufflenet_v2_x0_5", "ShuffleNet v2 ×0.5", "ShuffleNet", 2018),
    Architecture("shufflenet_v2_x1_0", "ShuffleNet v2 ×1.0", "ShuffleNet", 2018),
    Architecture("efficientnet_b0", "EfficientNet-B0", "EfficientNet", 2019, 224),
    Architecture("efficientnet_b1", "EfficientNet-B1", "EfficientNet", 2019, 240),
    Architecture("efficientnet_b2", "EfficientNet-B2", "EfficientNet", 2019, 288),
    Architecture("efficientnet_b3", "EfficientNet-B3", "EfficientNet", 2019, 300),
    Architecture("efficientnet_b4", "EfficientNet-B4", "EfficientNet", 2019, 380),
    Architecture("regnet_x_400mf", "RegNet X 400MF", "RegNet", 2020),
    Architecture("regnet_y_400mf", "RegNet Y 400MF", "RegNet", 2020),
    Architecture("convnext_femto", "ConvNeXt femto", "ConvNeXt", 2022, 224, "timm"),
    Architecture("convnext_tiny", "ConvNeXt tiny", "ConvNeXt", 2022),
    Architecture("vit_b_16", "ViT-B/16", "Vision Transformer", 2020),
)


def build(one: Architecture) -> torch.nn.Module:
    """The network, without auxiliary heads, as it is used after training."""
    call = one.call or one.name
    if one.library == "timm":
        return timm.create_model(call, pretrained=False, exportable=True).eval()
    more: dict[str, Any] = {"init_weights": False} if call in {"googlenet", "inception_v3"} else {}
    network = torchvision.models.get_model(call, weights=None, **more).eval()
    for head in ("aux1", "aux2", "AuxLogits"):
        if hasattr(network, head):
            setattr(network, head, None)
            network.aux_logits = False
    return network


def export(network: torch.nn.Module, size: int) -> bytes:
    """An ONNX file of a network, every layer a node."""
    file = io.BytesIO()
    torch.onnx.export(
        network,
        (torch.rand(1, 3, size, size),),
        file,
        dynamo=False,
        training=torch.onnx.TrainingMode.PRESERVE,
        do_constant_folding=False,
        opset_version=OPSET,
        input_names=["image"],
        output_names=["scores"],
    )
    return file.getvalue()


def _convolution(graph: Graph, node: Node) -> int:
    return 2 * graph.elements(node.outputs[0]) * math.prod(graph.shapes[node.inputs[1]][1:])


def _product(graph: Graph, node: Node) -> int:
    left = graph.shapes[node.inputs[0]]
    return 2 * graph.elements(node.outputs[0]) * left[0 if node.attributes.get("transA") else -1]


FLOPS: dict[str, Callable[[Graph, Node], int]] = {"Conv": _convolution, "Gemm": _product, "MatMul": _product}


def check(graph: Graph, parameters: int) -> None:
    """Look whether the graph is the whole network, and computes what it does after training."""
    assert graph.parameters == parameters, f"{graph.name}: {graph.parameters:,} numbers, of {parameters:,} parameters"
    for node in graph.nodes:
        assert not node.attributes.get("training_mode"), f"{graph.name}: {node.name} trains"
        assert node.operator not in {"Dropout", "Identity"}, f"{graph.name}: {node.name} is left"


def write(one: Architecture) -> PresetFacts:
    """Export a network and write its file."""
    network = build(one)
    parameters = sum(item.numel() for item in network.parameters())
    graph = read_onnx(export(network, one.size), name=one.name)
    check(graph, parameters)
    data = msgspec.json.encode(graph, order="deterministic")
    (FOLDER / f"{one.name}{SUFFIX}").write_bytes(gzip.compress(data, mtime=0))
    flops = sum(FLOPS[node.operator](graph, node) for node in graph.nodes if node.operator in FLOPS)
    source = f"{one.library} {one.call or one.name}"
    shape = graph.shapes[graph.inputs[0]]
    return PresetFacts(one.name, one.title, one.family, shape, parameters, round(flops / 1e9, 3), one.year, source)


def main() -> None:
    """Write all presets, or those that are named, and the index."""
    warnings.filterwarnings("ignore")
    torch.backends.mha.set_fastpath_enabled(False)
    FOLDER.mkdir(exist_ok=True)
    index = FOLDER / INDEX
    known = (
        {item.name: item for item in msgspec.json.decode(index.read_bytes(), type=list[PresetFacts])}
        if index.exists()
        else {}
    )
    for one in ARCHITECTURES:
        if one.name in sys.argv[1:] or not sys.argv[1:]:
            known[one.name] = write(one)
            print(known[one.name])
    found = [known[one.name] for one in ARCHITECTURES if one.name in known]
    lines = ",\n".join(msgspec.json.encode(item).decode() for item in found)
    index.write_text(f"[\n{lines}\n]\n")


if __name__ == "__main__":
    main()
