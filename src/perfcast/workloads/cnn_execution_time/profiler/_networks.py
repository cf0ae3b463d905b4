"""Convolution shapes of well-known networks, written down from the architecture papers.

Each layer is listed once, at the input resolution that the paper uses; the sampler varies the batch size
and sometimes the resolution. Only square kernels occur, since the workload has one ``kernel_size``.
"""

from typing import NamedTuple


class Layer(NamedTuple):
    """One convolution of a published network on a square input.

    Attributes:
        channels: Input channels.
        size: Input height and width in pixels.
        filters: Output channels.
        kernel: Kernel height and width.
        stride: Stride in both directions.
        padding: Padding on each side, or -1 for ``dilation * (kernel - 1) // 2``.
        groups: Number of groups; equal to ``channels`` for a depthwise convolution.
        dilation: Dilation in both directions.
    """

    channels: int
    size: int
    filters: int
    kernel: int = 3
    stride: int = 1
    padding: int = -1
    groups: int = 1
    dilation: int = 1


def _pointwise(*layers: tuple[int, int, int]) -> tuple[Layer, ...]:
    """Build 1x1 convolutions from (channels, size, filters)."""
    return tuple(Layer(channels, size, filters, 1) for channels, size, filters in layers)


def _depthwise(*layers: tuple[int, int, int, int]) -> tuple[Layer, ...]:
    """Build depthwise convolutions from (channels, size, kernel, stride)."""
    return tuple(Layer(c, size, c, kernel, stride, groups=c) for c, size, kernel, stride in layers)


LENET = (Layer(1, 28, 6, 5), Layer(6, 14, 16, 5, 1, 0))

ALEXNET = (
    Layer(3, 224, 64, 11, 4, 2), Layer(64, 27, 192, 5), Layer(192, 13, 384), Layer(384, 13, 256),
    Layer(256, 13, 256),
)  # fmt: skip

VGG = (
    Layer(3, 224, 64), Layer(64, 224, 64), Layer(64, 112, 128), Layer(128, 112, 128), Layer(128, 56, 256),
    Layer(256, 56, 256), Layer(256, 28, 512), Layer(512, 28, 512), Layer(512, 14, 512),
)  # fmt: skip

RESNET_BASIC = (
    Layer(3, 224, 64, 7, 2), Layer(64, 56, 64), Layer(64, 56, 128, 3, 2), Layer(64, 56, 128, 1, 2),
    Layer(128, 28, 128), Layer(128, 28, 256, 3, 2), Layer(128, 28, 256, 1, 2), Layer(256, 14, 256),
    Layer(256, 14, 512, 3, 2), Layer(256, 14, 512, 1, 2), Layer(512, 7, 512),
)  # fmt: skip

RESNET_BOTTLENECK = (
    Layer(128, 56, 128, 3, 2), Layer(256, 56, 512, 1, 2), Layer(256, 28, 256, 3, 2),
    Layer(512, 28, 1024, 1, 2), Layer(512, 14, 512, 3, 2), Layer(1024, 14, 2048, 1, 2),
    *_pointwise(
        (64, 56, 64), (64, 56, 256), (256, 56, 64), (256, 56, 128), (128, 28, 512), (512, 28, 128),
        (512, 28, 256), (256, 14, 1024), (1024, 14, 256), (1024, 14, 512), (512, 7, 2048), (2048, 7, 512),
    ),
)  # fmt: skip

RESNET_CIFAR = (
    Layer(3, 32, 16), Layer(16, 32, 16), Layer(16, 32, 32, 3, 2), Layer(32, 16, 32),
    Layer(32, 16, 64, 3, 2), Layer(64, 8, 64),
)  # fmt: skip

RESNEXT = (
    Layer(128, 56, 128, groups=32), Layer(256, 56, 256, 3, 2, groups=32), Layer(256, 28, 256, groups=32),
    Layer(512, 28, 512, 3, 2, groups=32), Layer(512, 14, 512, groups=32),
    Layer(1024, 14, 1024, 3, 2, groups=32), Layer(1024, 7, 1024, groups=32),
)  # fmt: skip

GOOGLENET = (
    Layer(64, 56, 192), Layer(96, 28, 128), Layer(16, 28, 32, 5), Layer(128, 28, 192), Layer(32, 28, 96, 5),
    Layer(96, 14, 208), Layer(16, 14, 48, 5), Layer(112, 14, 224), Layer(24, 14, 64, 5), Layer(160, 14, 320),
    Layer(32, 14, 128, 5), Layer(160, 7, 320), Layer(192, 7, 384), Layer(48, 7, 128, 5),
    *_pointwise(
        (192, 28, 64), (192, 28, 96), (192, 28, 16), (192, 28, 32), (256, 28, 128), (480, 14, 192),
        (512, 14, 160), (528, 14, 256), (832, 7, 256), (832, 7, 384),
    ),
)  # fmt: skip

INCEPTION_V3 = (
    Layer(3, 299, 32, 3, 2, 0), Layer(32, 149, 32, 3, 1, 0), Layer(32, 147, 64), Layer(80, 73, 192, 3, 1, 0),
    Layer(48, 35, 64, 5), Layer(64, 35, 96), Layer(96, 35, 96), Layer(288, 35, 384, 3, 2, 0),
    Layer(192, 17, 320, 3, 2, 0), Layer(448, 8, 384),
    *_pointwise((64, 73, 80), (192, 35, 48), (768, 17, 192), (768, 17, 128), (1280, 8, 448), (2048, 8, 320)),
)  # fmt: skip

MOBILENET_V1 = (
    Layer(3, 224, 32, 3, 2),
    *_depthwise(
        (32, 112, 3, 1), (64, 112, 3, 2), (128, 56, 3, 1), (128, 56, 3, 2), (256, 28, 3, 1), (256, 28, 3, 2),
        (512, 14, 3, 1), (512, 14, 3, 2), (1024, 7, 3, 1),
    ),
    *_pointwise(
        (32, 112, 64), (64, 56, 128), (128, 56, 128), (128, 28, 256), (256, 28, 256), (256, 14, 512),
        (512, 14, 512), (512, 7, 1024), (1024, 7, 1024),
    ),
)  # fmt: skip

MOBILENET_V2 = (
    *_depthwise(
        (96, 112, 3, 2), (144, 56, 3, 1), (144, 56, 3, 2), (192, 28, 3, 1), (192, 28, 3, 2), (384, 14, 3, 1),
        (576, 14, 3, 1), (576, 14, 3, 2), (960, 7, 3, 1),
    ),
    *_pointwise(
        (32, 112, 16), (16, 112, 96), (96, 56, 24), (24, 56, 144), (144, 28, 32), (32, 28, 192),
        (192, 14, 64), (64, 14, 384), (384, 14, 96), (96, 14, 576), (576, 7, 160), (160, 7, 960),
        (960, 7, 320), (320, 7, 1280),
    ),
)  # fmt: skip

EFFICIENTNET_B0 = (
    *_depthwise(
        (144, 56, 5, 2), (240, 28, 5, 1), (240, 28, 3, 2), (480, 14, 3, 1), (480, 14, 5, 1), (672, 14, 5, 1),
        (672, 14, 5, 2), (1152, 7, 5, 1), (1152, 7, 3, 1),
    ),
    *_pointwise(
        (144, 28, 40), (40, 28, 240), (240, 14, 80), (80, 14, 480), (480, 14, 112), (112, 14, 672),
        (672, 7, 192), (192, 7, 1152), (1152, 7, 320),
    ),
)  # fmt: skip

DENSENET_121 = (
    Layer(128, 56, 32), Layer(128, 28, 32), Layer(128, 14, 32), Layer(128, 7, 32),
    *_pointwise(
        (64, 56, 128), (256, 56, 128), (128, 28, 128), (512, 28, 256), (256, 14, 128), (1024, 14, 512),
        (512, 7, 128), (992, 7, 128),
    ),
)  # fmt: skip

SQUEEZENET = (
    Layer(3, 224, 96, 7, 2), Layer(16, 55, 64), Layer(32, 27, 128), Layer(48, 27, 192), Layer(64, 13, 256),
    *_pointwise((96, 55, 16), (16, 55, 64), (128, 55, 32), (256, 27, 48), (384, 27, 64), (512, 13, 1000)),
)  # fmt: skip

DARKNET_53 = (
    Layer(3, 416, 32), Layer(32, 416, 64, 3, 2), Layer(32, 208, 64), Layer(64, 208, 128, 3, 2),
    Layer(64, 104, 128), Layer(128, 104, 256, 3, 2), Layer(128, 52, 256), Layer(256, 52, 512, 3, 2),
    Layer(256, 26, 512), Layer(512, 26, 1024, 3, 2), Layer(512, 13, 1024),
    *_pointwise(
        (64, 208, 32), (128, 104, 64), (256, 52, 128), (384, 52, 128), (512, 26, 256), (768, 26, 256),
        (512, 26, 255), (1024, 13, 512), (1024, 13, 255),
    ),
)  # fmt: skip

UNET = (
    Layer(1, 256, 64), Layer(64, 256, 64), Layer(64, 128, 128), Layer(128, 128, 128), Layer(128, 64, 256),
    Layer(256, 64, 256), Layer(256, 32, 512), Layer(512, 16, 1024), Layer(1024, 32, 512),
    Layer(64, 256, 2, 1),
)  # fmt: skip

CONVNEXT_AND_PATCHES = (
    Layer(3, 224, 96, 4, 4, 0), Layer(96, 56, 192, 2, 2, 0), Layer(192, 28, 384, 2, 2, 0),
    Layer(384, 14, 768, 2, 2, 0), Layer(3, 224, 192, 16, 16, 0), Layer(3, 224, 768, 16, 16, 0),
    *_depthwise((96, 56, 7, 1), (192, 28, 7, 1), (384, 14, 7, 1), (768, 7, 7, 1)),
)  # fmt: skip

DEEPLAB = (
    Layer(512, 28, 512, dilation=2), Layer(256, 28, 256, dilation=2), Layer(512, 14, 256, dilation=6),
    Layer(512, 28, 256, dilation=12), Layer(320, 28, 256, dilation=6), Layer(320, 28, 256, dilation=12),
)  # fmt: skip

NETWORK_LAYERS: tuple[Layer, ...] = (
    *LENET, *ALEXNET, *VGG, *RESNET_BASIC, *RESNET_BOTTLENECK, *RESNET_CIFAR, *RESNEXT, *GOOGLENET,
    *INCEPTION_V3, *MOBILENET_V1, *MOBILENET_V2, *EFFICIENTNET_B0, *DENSENET_121, *SQUEEZENET, *DARKNET_53,
    *UNET, *CONVNEXT_AND_PATCHES, *DEEPLAB,
)  # fmt: skip
