import math
from functools import cache

import pytest

from perfcast.errors import UnknownNetwork
from perfcast.networks import Graph, Node, PresetFacts, presets, read_preset

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
# Both libraries leave the auxiliary head out of the graph: torchvision's count of these two has it in.
AUXILIARY = {"inception_v3": 3_326_696, "googlenet": 0}


def published(name: str) -> tuple[int, float]:
    parameters, gigaflops = PUBLISHED[name]
    return parameters - AUXILIARY.get(name, 0), gigaflops
