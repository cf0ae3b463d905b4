"""The architectures that become presets and are measured whole, with random weights: torchvision's and timm's.

They need torch, torchvision and timm.
"""

from typing import Any, NamedTuple

import timm
import torch
import torchvision

UNMEASURED = ("vit_b_16",)
"""PyTorch runs its attention in one call of its own, which is no preset's."""


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


def build(one: Architecture, *, seed: int = 0) -> torch.nn.Module:
    """The network with random weights, without auxiliary heads, as it is used after training."""
    torch.manual_seed(seed)
    call = one.call or one.name
    if one.library == "timm":
        return timm.create_model(call, pretrained=False, exportable=True).eval().requires_grad_(requires_grad=False)
    more: dict[str, Any] = {"init_weights": False} if call in {"googlenet", "inception_v3"} else {}
    network = torchvision.models.get_model(call, weights=None, **more).eval()
    for head in ("aux1", "aux2", "AuxLogits"):
        if hasattr(network, head):
            setattr(network, head, None)
            network.aux_logits = False
    return network.requires_grad_(requires_grad=False)
