"""A network's answer to some rows and the gradient of its error, by hand: autograd's records take as long as the sums.

All numbers of a network lie in one tensor, matrices first, so that a step of the optimiser is one call, and gradients
in another of the same form.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod

import torch

from perfcast.training.families._network import EXPERTS, SHARPNESS

FARTHEST = 3.0
"""Logarithm of a factor above the truth beyond which an error counts no more."""


class Weights:
    """Numbers of a network and views of them.

    Args:
        shapes: Of the hidden layers' matrices, the last layer's and the one that skips all.
        device: Where they lie.
    """

    def __init__(self, shapes: Sequence[tuple[int, int]], device: str) -> None:
        vectors = [(columns,) for _, columns in shapes[:-1]]
        sizes = [prod(shape) for shape in (*shapes, *vectors)]
        self.matrices = torch.zeros(sum(sizes[: len(shapes)]), device=device)
        self.biases = torch.zeros(sum(sizes[len(shapes) :]), device=device)
        parts = torch.split(self.matrices, sizes[: len(shapes)])
        self.matrix = [part.view(shape) for part, shape in zip(parts, shapes, strict=True)]
        self.bias = list(torch.split(self.biases, sizes[len(shapes) :]))


@dataclass(frozen=True)
class Loss:
    """What is made small.

    Attributes:
        relative: Whether the target is a logarithm: then |exp(answer - target) - 1|, the relative error itself. Else
            the absolute one, squared below `beta`.
        scale: By which answers are multiplied.
        beta: In units of `scale`.
    """

    relative: bool
    scale: float
    beta: float

    def answer(self, outputs: torch.Tensor) -> torch.Tensor:
        """Last layer's outputs [rows, outputs] to answers [rows]."""
        if not self.relative:
            return outputs[:, 0] * self.scale
        least = torch.logsumexp(outputs[:, :EXPERTS] * -SHARPNESS, 1) / -SHARPNESS
        return torch.logaddexp(least, outputs[:, EXPERTS]) * self.scale

    def gradient(self, outputs: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
        """Of the mean over the rows by the outputs, [rows, outputs]."""
        if not self.relative:
            error = (outputs[:, 0] - target / self.scale) / self.beta
            return error.clamp_(-1, 1)[:, None] / len(target)
        sharp = outputs[:, :EXPERTS] * -SHARPNESS
        total = torch.logsumexp(sharp, 1, keepdim=True)
        least, overhead = total / -SHARPNESS, outputs[:, EXPERTS:]
        error = torch.logaddexp(least, overhead)[:, 0] * self.scale - target
        slope = torch.exp(error).mul_(torch.sign(error)).mul_(error < FARTHEST).mul_(self.scale / len(target))
        share = torch.sigmoid(overhead - least)
        shares = torch.cat([torch.exp(sharp - total).mul_(1 - share), share], 1)
        return shares.mul_(slope[:, None])


class Gradient:
    """Computes answers and gradients of one network."""

    def __init__(self, weights: Weights, slopes: Weights, loss: Loss, dropout: float) -> None:
        self.weights, self.slopes, self.loss, self.dropout = weights, slopes, loss, dropout

    def outputs(self, inputs: torch.Tensor) -> torch.Tensor:
        """The last layer's, [rows, outputs]."""
        *hidden, head, skip = self.weights.matrix
        value = inputs
        for matrix, bias in zip(hidden, self.weights.bias, strict=False):
            value = torch.nn.functional.silu(torch.addmm(bias, value, matrix), inplace=True)
        return torch.addmm(self.weights.bias[-1], value, head).addmm_(inputs, skip)

    def step(self, inputs: torch.Tensor, target: torch.Tensor, random: torch.Generator) -> None:
        """Set the slopes for these rows."""
        *hidden, head, skip = self.weights.matrix
        before, after, masks = list[torch.Tensor](), [inputs], list[torch.Tensor]()
        for matrix, bias in zip(hidden, self.weights.bias, strict=False):
            before.append(torch.addmm(bias, after[-1], matrix))
            after.append(torch.nn.functional.silu(before[-1]))
            if self.dropout:
                masks.append(self._mask(after[-1], random))
                after[-1].mul_(masks[-1])
        outputs = torch.addmm(self.weights.bias[-1], after[-1], head).addmm_(inputs, skip)
        slope = self.loss.gradient(outputs, target)
        torch.mm(inputs.t(), slope, out=self.slopes.matrix[-1])
        for layer in range(len(hidden), -1, -1):
            torch.mm(after[layer].t(), slope, out=self.slopes.matrix[layer])
            torch.sum(slope, 0, out=self.slopes.bias[layer])
            if layer:
                slope = torch.mm(slope, self.weights.matrix[layer].t())
                if self.dropout:
                    slope.mul_(masks[layer - 1])
                slope = torch.ops.aten.silu_backward(slope, before[layer - 1])

    def _mask(self, value: torch.Tensor, random: torch.Generator) -> torch.Tensor:
        kept = 1 - self.dropout
        return torch.empty_like(value).bernoulli_(kept, generator=random).div_(kept)
