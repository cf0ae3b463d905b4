"""Which kernels PyTorch starts, against its own record of a run: modules are exported, read and planned."""

from collections import Counter
from io import BytesIO

import pytest
import torch
from torch import nn

from perfcast.networks import Graph, read_onnx
from perfcast.networks._plan import plan

KERNELS = {
    "aten::convolution": "convolution", "aten::native_batch_norm": "batch_norm", "aten::relu": "relu",
    "aten::add": "add", "aten::mul": "multiply", "aten::cat": "concat", "aten::native_layer_norm": "layer_norm",
    "aten::linear": "linear", "aten::bmm": "matmul", "aten::_softmax": "softmax", "aten::silu": "silu",
    "aten::gelu": "gelu", "aten::hardswish": "hard_swish", "aten::sigmoid": "sigmoid", "aten::hardtanh": "clip",
    "aten::hardsigmoid": "hard_sigmoid", "aten::max_pool2d_with_indices": "max_pool",
    "aten::mean": "global_average_pool", "aten::constant_pad_nd": "pad", "aten::clone": "copy",
}  # fmt: skip
SAME = {"scale": "multiply", **dict.fromkeys(("slice", "to_channels_last", "to_channels_first", "transpose"), "copy")}


class Shuffled(nn.Module):
    """Half of the channels are convolved, then both halves are mixed, as in ShuffleNet."""

    def __init__(self) -> None:
        super().__init__()
        self.convolution = nn.Conv2d(16, 16, 3, padding=1, groups=16)
        self.norm, self.last = nn.BatchNorm2d(16), nn.Conv2d(32, 8, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        kept, given = x.chunk(2, 1)
        made = torch.cat((kept, self.norm(self.convolution(given)).relu()), 1)
        images, channels, height, width = made.shape
        mixed = made.view(images, 2, channels // 2, height, width).transpose(1, 2).contiguous()
        return self.last(mixed.view(images, channels, height, width))


class ChannelsLast(nn.Module):
    """Channels are normalised and mixed with channels last, as in ConvNeXt."""

    def __init__(self) -> None:
        super().__init__()
        self.deep = nn.Conv2d(32, 32, 7, padding=3, groups=32)
        self.norm, self.wide, self.narrow = nn.LayerNorm(32), nn.Linear(32, 64), nn.Linear(64, 32)
        self.again = nn.Conv2d(32, 32, 7, padding=3, groups=32)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        made = self.norm(self.deep(x).permute(0, 2, 3, 1))
        x = x + self.narrow(nn.functional.gelu(self.wide(made))).permute(0, 3, 1, 2)
        return self.norm(self.again(x).permute(0, 2, 3, 1))


class Attentive(nn.Module):
    """Attention in plain operators."""

    def __init__(self) -> None:
        super().__init__()
        self.all, self.out = nn.Linear(48, 144), nn.Linear(48, 48)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        tokens = x.flatten(2).transpose(1, 2)
        images, count, _ = tokens.shape
        query, key, value = self.all(tokens).reshape(images, count, 3, 4, 12).permute(2, 0, 3, 1, 4).unbind(0)
        weights = (query @ key.transpose(-2, -1)).softmax(-1)
        return self.out((weights @ value).transpose(1, 2).reshape(images, count, 48))


class Fused(Attentive):
    """Attention in one kernel, of which products and softmax aren't seen apart."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        tokens = x.flatten(2).transpose(1, 2).contiguous()
        images, count, _ = tokens.shape
        query, key, value = self.all(tokens).reshape(images, count, 3, 4, 12).permute(2, 0, 3, 1, 4).unbind(0)
        mixed = nn.functional.scaled_dot_product_attention(query, key, value)
        return self.out(mixed.transpose(1, 2).reshape(images, count, 48))


class Squeezed(nn.Module):
    """A gate of each channel, as in EfficientNet and MobileNet v3."""

    def __init__(self) -> None:
        super().__init__()
        self.convolution, self.down, self.up = nn.Conv2d(32, 32, 3), nn.Conv2d(32, 8, 1), nn.Conv2d(8, 32, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = nn.functional.silu(self.convolution(x))
        gate = nn.functional.hardsigmoid(self.up(nn.functional.hardswish(self.down(x.mean((2, 3), keepdim=True)))))
        return nn.functional.max_pool2d(nn.functional.relu6(x * gate), 2)


class Framed(nn.Module):
    """A convolution with more zeros behind than before, as TensorFlow pads."""

    def __init__(self) -> None:
        super().__init__()
        self.convolution = nn.Conv2d(32, 32, 3, stride=2)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.convolution(nn.functional.pad(x, (0, 1, 0, 1)))


def planned(graph: Graph) -> Counter[str]:
    made = plan(graph, "torch")
    assert not made.unmodelled
    return Counter(SAME.get(call.operator, call.operator) for call in made.calls)


def exported(module: nn.Module, image: torch.Tensor) -> Graph:
    file = BytesIO()
    torch.onnx.export(
        module, (image,), file, dynamo=False, training=torch.onnx.TrainingMode.PRESERVE, do_constant_folding=False,
        opset_version=17,
    )  # fmt: skip
    return read_onnx(file.getvalue())


def ran(module: nn.Module, image: torch.Tensor) -> Counter[str]:
    """The kernels of one run; what a kernel starts for itself isn't counted, but for copies that it needs."""
    with torch.inference_mode(), torch.profiler.profile(activities=[torch.profiler.ProfilerActivity.CPU]) as record:
        module(image)
    found: Counter[str] = Counter()
    for event in record.events():
        kind, parent = KERNELS.get(event.name), event.cpu_parent
        while kind and parent is not None:
            kind = None if KERNELS.get(parent.name) == kind or parent.name == "aten::_slow_conv2d_forward" else kind
            parent = parent.cpu_parent
        found.update([kind] if kind else [])
    return found


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("kind", [Shuffled, ChannelsLast, Attentive, Squeezed, Framed])
def test_the_rules_know_what_pytorch_runs(kind: type[nn.Module]) -> None:
    module = kind().eval()
    image = torch.randn(2, 48 if kind is Attentive else 32, 14, 14)
    assert planned(exported(module, image)) == ran(module, image)


@pytest.mark.filterwarnings("ignore")
def test_the_rules_know_attention_in_one_kernel() -> None:
    module, image = Fused().eval(), torch.randn(2, 48, 14, 14)
    found = planned(exported(module, image))
    assert found["matmul"] == 2
    assert found["softmax"] == 1
    assert {name: found[name] for name in ("linear", "copy")} == ran(module, image)
