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

import msgspec
import torch
from architectures import ARCHITECTURES, Architecture, build

import perfcast.networks
from perfcast.networks._graph import Graph, Node
from perfcast.networks._onnx import read_onnx
from perfcast.networks._presets import INDEX, SUFFIX, PresetFacts

FOLDER = Path(perfcast.networks.__file__).parent / "presets"
OPSET = 17


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
