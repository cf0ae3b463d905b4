"""Shapes as the workload of operators has them: images, channels, height, width."""

import math
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import TypeAlias

from perfcast.networks._graph import Shape

Sizes: TypeAlias = Mapping[str, int]


def image(shape: Shape) -> Sizes:
    """A tensor as images, channels, height and width.

    [N, T, D] has one channel, a height of T and a width of D; [N, D] has a height of one, too. Of more than four
    dimensions the leading ones, without the images, are folded into channels.
    """
    images, *rest = shape or (1,)
    height, width = ([1, 1, *rest])[-2:]
    return sizes(images, math.prod(rest[:-2]), height, width)


def sizes(images: int, channels: int, height: int, width: int) -> Sizes:
    """The features that say what shape the first input has."""
    return {"batch_size": images, "channels": channels, "height": height, "width": width}


def permutation(shape: Shape, axes: Sequence[int]) -> tuple[str, Sizes] | None:
    """How a permutation copies, as an operator with its sizes; None where nothing changes places.

    Dimensions that stay beside each other count as one. What stays in front is images. If what is last stays there,
    chunks are copied (`transpose`: channels × height of them change places, each of width numbers). Else two blocks
    change places: the first is the channels of an image that gets them last, or, where a map with its channels last
    gets them first, they are the second.
    """
    front, lengths, order = _merged(shape, axes)
    if not order:
        return None
    if order[-1] == len(order) - 1:
        return "transpose", sizes(front, lengths[0], math.prod(lengths[1:-1]), lengths[-1])
    if tuple(axes) == (0, 3, 1, 2):
        return "to_channels_first", sizes(front, shape[3], shape[1], shape[2])
    height, width = (shape[2], shape[3]) if tuple(axes) == (0, 2, 3, 1) else (1, math.prod(lengths[1:]))
    return "to_channels_last", sizes(front, lengths[0], height, width)


def _merged(shape: Shape, axes: Sequence[int]) -> tuple[int, list[int], list[int]]:
    """What stays in front, the lengths of the blocks behind it, and their order; both empty where nothing moves."""
    left = [axis for axis in axes if shape[axis] != 1]
    front = 1
    while left and left[0] == min(left):
        front *= shape[left.pop(0)]
    follower = dict(pairwise(sorted(left)))
    blocks: list[list[int]] = []
    for axis in left:
        if blocks and follower.get(blocks[-1][-1]) == axis:
            blocks[-1].append(axis)
        else:
            blocks.append([axis])
    ranked = sorted(blocks)
    return front, [math.prod(shape[axis] for axis in block) for block in ranked], [ranked.index(b) for b in blocks]
