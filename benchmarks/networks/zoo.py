"""Whether any network is taken: forty architectures, exported in two ways, read and planned for both runtimes.

    python benchmarks/networks/zoo.py

Each is exported by PyTorch's two exporters, the older one after folding and the newer one as it is, with random
weights; prints a Markdown table of what isn't modelled, and how long a file takes from its bytes to both plans. Needs
what `architectures.py` needs, and onnxscript.
"""

import io
import statistics
import time
import warnings
from collections import Counter
from typing import Any

import timm
import torch
import torchvision

from perfcast.networks import Plan, plan, read_onnx

TORCHVISION = (
    "alexnet", "vgg16_bn", "resnet18", "resnet152", "wide_resnet101_2", "resnext101_32x8d", "densenet161",
    "densenet201", "googlenet", "inception_v3", "mobilenet_v2", "mobilenet_v3_large", "mnasnet0_5", "mnasnet1_3",
    "shufflenet_v2_x1_5", "shufflenet_v2_x2_0", "squeezenet1_0", "efficientnet_b5", "efficientnet_v2_s",
    "regnet_y_800mf",
    "regnet_x_1_6gf", "convnext_small", "vit_b_32", "swin_t", "maxvit_t",
)  # fmt: skip
TIMM = (
    "resnet26d", "seresnet50", "resnetv2_50", "dpn68", "hrnet_w18_small", "res2net50_26w_4s", "ghostnet_100",
    "tf_efficientnet_b0", "tf_mobilenetv3_small_100", "mixnet_s", "nfnet_l0", "repvgg_a0", "convnextv2_nano",
    "convmixer_768_32", "poolformer_s12", "levit_128s", "deit_tiny_patch16_224", "mobilevit_s", "edgenext_small",
    "xception41",
)  # fmt: skip
SIDES = {"inception_v3": 299, "xception41": 299, "mobilevit_s": 256, "maxvit_t": 224}
EXPORTERS = ("older, folded", "newer")


def main() -> None:
    """Print the table."""
    warnings.filterwarnings("ignore")
    torch.backends.mha.set_fastpath_enabled(False)
    heads = "network", "exporter", "nodes", "calls: PyTorch, ONNX Runtime", "not modelled, share of bytes", "ms"
    print(f"| {' | '.join(heads)} |")
    print("|---|---|---|---|---|---|")
    seconds: dict[str, list[float]] = {}
    for name in (*TORCHVISION, *TIMM):
        network = _made(name)
        for exporter in EXPORTERS:
            try:
                content = _exported(network, SIDES.get(name, 224), newer=exporter == "newer")
            except Exception as error:  # noqa: BLE001  exporters fail in many ways
                print(f"| {name} | {exporter} | can't be exported: {type(error).__name__} | | | |", flush=True)
                continue
            _show(name, exporter, content, seconds.setdefault(name, []))
    taken = [one for each in seconds.values() for one in each]
    print(f"\nFrom bytes to both plans: median {1e3 * statistics.median(taken):.0f} ms")
    print(f"ResNet-152: {', '.join(f'{1e3 * one:.0f}' for one in seconds['resnet152'])} ms")


def _show(name: str, exporter: str, content: bytes, seconds: list[float]) -> None:
    begun = time.perf_counter()
    graph = read_onnx(content, name=name)
    plans = plan(graph, "torch"), plan(graph, "onnxruntime")
    seconds.append(time.perf_counter() - begun)
    calls = ", ".join(str(sum(call.sign > 0 for call in one.calls)) for one in plans)
    missing = "; ".join(dict.fromkeys(map(_missing, plans)))
    print(f"| {name} | {exporter} | {len(graph.nodes)} | {calls} | {missing} | {1e3 * seconds[-1]:.0f} |", flush=True)


def _missing(one: Plan) -> str:
    if not one.unmodelled:
        return "nothing"
    missing = sum(item.moved_bytes for item in one.unmodelled)
    share = missing / (missing + sum(call.moved_bytes + call.weight_bytes for call in one.calls if call.sign > 0))
    counted = Counter(item.operator for item in one.unmodelled)
    return f"{', '.join(f'{operator} {count}' for operator, count in counted.most_common())}: {100 * share:.1f} %"


def _made(name: str) -> Any:
    torch.manual_seed(0)
    if name in TIMM:
        return timm.create_model(name, exportable=True).eval()
    more: dict[str, Any] = {"init_weights": False} if name in {"googlenet", "inception_v3"} else {}
    return torchvision.models.get_model(name, weights=None, **more).eval()


def _exported(network: Any, side: int, *, newer: bool) -> bytes:
    images, file = torch.rand(1, 3, side, side), io.BytesIO()
    if newer:
        made = torch.onnx.export(network, (images,), dynamo=True, verbose=False)
        assert made is not None
        return bytes(made.model_proto.SerializeToString())
    torch.onnx.export(network, (images,), file, dynamo=False, opset_version=17)
    return file.getvalue()


if __name__ == "__main__":
    main()
