"""The architectures that become presets and are measured whole, with random weights: torchvision's and timm's.

They need torch, torchvision and timm (`benchmarks/networks/requirements.txt`).
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

JUDGED = (
    "vgg13", "resnet26", "densenet169", "squeezenet1_1", "shufflenet_v2_x0_5", "mobilenet_v3_small",
    "efficientnet_b1", "regnet_x_400mf", "inception_v4", "convnext_femto",
)  # fmt: skip
"""Named before anything was measured: no model and no calibration that is judged by them has seen their layers."""


@dataclass(frozen=True, slots=True)
class Architecture:
    """A network in evaluation mode, and the side of the square images it is made for."""

    name: str
    side: int
    make: Callable[[], Any]


def architectures() -> dict[str, Architecture]:
    """All of them, by name."""
    import timm
    import torchvision

    def vision(name: str, side: int = 224, **options: Any) -> Architecture:
        return Architecture(name, side, partial(getattr(torchvision.models, name), weights=None, **options))

    def image(name: str, known: str, side: int = 224) -> Architecture:
        return Architecture(name, side, partial(timm.create_model, known))

    plain = (
        "alexnet", "vgg11", "vgg13", "vgg16", "vgg19", "resnet18", "resnet34", "resnet50", "resnet101", "resnet152",
        "wide_resnet50_2", "resnext50_32x4d", "densenet121", "densenet169", "mobilenet_v2", "mobilenet_v3_large",
        "mobilenet_v3_small", "mnasnet1_0", "shufflenet_v2_x1_0", "shufflenet_v2_x0_5", "squeezenet1_0",
        "squeezenet1_1", "convnext_tiny", "regnet_y_400mf", "regnet_x_400mf",
    )  # fmt: skip
    scaled = {"b0": 224, "b1": 240, "b2": 288, "b3": 300, "b4": 380}
    known = [
        *(vision(name) for name in plain),
        vision("googlenet", aux_logits=False, init_weights=False),
        vision("inception_v3", 299, aux_logits=False, init_weights=False),
        *(vision(f"efficientnet_{size}", side) for size, side in scaled.items()),
        image("resnet26", "resnet26"),
        image("inception_v4", "inception_v4", 299),
        image("mobilenet_v1", "mobilenetv1_100"),
        image("convnext_femto", "convnext_femto"),
    ]
    return {architecture.name: architecture for architecture in sorted(known, key=lambda item: item.name)}


def made(architecture: Architecture, *, seed: int = 0) -> Any:
    """The network with random weights, ready to answer."""
    import torch

    torch.manual_seed(seed)
    return architecture.make().eval().requires_grad_(False)
