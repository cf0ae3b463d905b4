"""Fitting the weights of a network with torch; on a GPU where torch sees one."""

import time
from math import cos, pi
from typing import Any

import numpy as np
import torch

from perfcast.errors import Stopped
from perfcast.training.families._family import Lesson, Report, Settings, Stop
from perfcast.training.families._gradient import Gradient, Loss, Weights
from perfcast.training.families._network import EXPERTS, FittedNetwork, Member, Waves, with_waves
from perfcast.training.families._soft_inputs import LIMIT, SoftInputs, soft_inputs
from perfcast.workloads import Rows

LAYERS = 3
MANY_ROWS = 10_000
SMALL_BATCH, LARGE_BATCH = 128, 256
"""Rows in a step, up to so many rows and beyond."""
LEAST_STEPS = 8
"""In an epoch, however few rows there are."""
MOST_WAVED, WAVES, FREQUENCY = 16, 4, 0.3 * 2 * pi
"""Most features with cosines, how many each has, the standard deviation of their frequencies."""
WAVE_SEED = 0
"""The same for all members, which then share the cosines."""
WARM_UP = 0.05
"""Share of the steps in which the learning rate rises."""
OVERHEAD = -4.0
"""Where the overhead begins, in standard deviations of the target: next to nothing."""
ASK_EVERY = 16
"""Steps between two questions whether to stop."""
TIMED_EPOCHS = 2
"""Epochs after which their time is known."""
UNTOUCHED = 0.03
"""Share of the epochs that may be too many for the time without a new schedule."""


def fit(lesson: Lesson, settings: Settings, deadline: float, stop: Stop, report: Report | None) -> FittedNetwork:
    """Train on the whole schedule, or on one that ends at the deadline (`time.monotonic()`).

    Raises:
        Stopped: It was asked to stop before its first step.
    """
    threads = torch.get_num_threads()
    torch.set_num_threads(lesson.threads)
    try:
        with torch.inference_mode():
            return _Training(lesson, settings, deadline).run(stop, report)
    finally:
        torch.set_num_threads(threads)


class _Training:
    """One fit: data as tensors, the network, the schedule."""

    def __init__(self, lesson: Lesson, settings: Settings, deadline: float) -> None:
        self.lesson, self.settings, self.deadline = lesson, settings, deadline
        self.device = "cuda" if torch.cuda.is_available() else "cpu"
        self.soft = soft_inputs(lesson.inputs)
        self.waves = _waves(lesson, self.soft)
        self.center = float(lesson.target.mean())
        self.scale = float(lesson.target.std()) or 1.0
        self.inputs, self.target = self._tensors(lesson.inputs, lesson.target)
        self.held = self._tensors(*lesson.validation) if lesson.validation is not None else None
        self.random = torch.Generator().manual_seed(lesson.seed)
        self.weights, slopes = self._initial(), self._initial()
        loss = Loss(lesson.relative, self.scale, float(settings.get("beta", 1.0)))
        self.gradient = Gradient(self.weights, slopes, loss, float(settings["dropout"]))
        self.optimizer = self._optimizer(slopes)
        rows = len(self.target)
        self.batch = max(1, min(SMALL_BATCH if rows <= MANY_ROWS else LARGE_BATCH, rows // LEAST_STEPS))
        self.steps, self.epochs = max(1, rows // self.batch), int(settings["epochs"])
        self.done = self.told = 0

    def run(self, stop: Stop, report: Report | None) -> FittedNetwork:
        """Epoch after epoch."""
        begun, epoch = time.monotonic(), 0
        while epoch < self.epochs:
            self._epoch(stop)
            epoch += 1
            self._tell(epoch * 10 // self.epochs, report)
            if stop():
                break
            self._plan(epoch, begun)
        if not self.done:
            raise Stopped("neural_network was stopped before its first step")
        return self._fitted(epoch)

    def _tell(self, tenth: int, report: Report | None) -> None:
        """Report each tenth of the schedule once."""
        if self.held is not None and report is not None and tenth > self.told:
            report(tenth, self._error(*self.held))
            self.told = tenth

    def _plan(self, epoch: int, begun: float) -> None:
        """Plan as many epochs as there is time for, at most those of the settings.

        It is done after each, since a busy machine may be slow for a moment. A few that are too many do no harm: the
        last steps are small.
        """
        now, whole = time.monotonic(), int(self.settings["epochs"])
        fitting = epoch + (self.deadline - now) * epoch / (now - begun)
        if TIMED_EPOCHS <= epoch < self.epochs:
            self.epochs = whole if fitting >= (1 - UNTOUCHED) * whole else max(int(fitting), epoch + 1)

    def _tensors(self, inputs: Rows, target: Rows) -> tuple[torch.Tensor, torch.Tensor]:
        read = with_waves(self.soft(inputs), self.waves)
        read[:, : len(self.soft.columns)] *= np.float32(LIMIT)
        return torch.from_numpy(read).to(self.device), torch.from_numpy(target - np.float32(self.center)).to(
            self.device
        )

    def _initial(self) -> Weights:
        """Hidden layers by He's initialisation (2015), the last one small, and nothing that skips them."""
        width, outputs, first = (
            int(self.settings["width"]),
            EXPERTS + 1 if self.lesson.relative else 1,
            self.inputs.shape[1],
        )
        shapes = [(first, width), *[(width, width)] * (LAYERS - 1), (width, outputs), (first, outputs)]
        weights = Weights(shapes, self.device)
        for matrix in weights.matrix[:LAYERS]:
            matrix.copy_(torch.randn(matrix.shape, generator=self.random) / max(1, len(matrix)) ** 0.5)
        if self.lesson.relative:
            weights.matrix[LAYERS].copy_(torch.randn(width, outputs, generator=self.random) * 0.17 / width**0.5)
            weights.bias[-1].copy_(0.3 * torch.randn(outputs, generator=self.random))
            weights.bias[-1][EXPERTS] = OVERHEAD
        return weights

    def _optimizer(self, slopes: Weights) -> Any:
        """Decay on matrices only."""
        groups = [
            {"params": [self.weights.matrices], "weight_decay": float(self.settings["weight_decay"])},
            {"params": [self.weights.biases], "weight_decay": 0.0},
        ]
        self.weights.matrices.grad, self.weights.biases.grad = slopes.matrices, slopes.biases
        return torch.optim.AdamW(groups, betas=(0.9, 0.99), fused=True)

    def _epoch(self, stop: Stop) -> None:
        order = torch.randperm(len(self.target), generator=self.random).to(self.device)
        inputs, target = self.inputs[order], self.target[order]
        for step in range(self.steps):
            if step % ASK_EVERY == ASK_EVERY - 1 and stop():
                return
            for group in self.optimizer.param_groups:
                group["lr"] = self._rate()
            rows = slice(step * self.batch, (step + 1) * self.batch)
            self.gradient.step(inputs[rows], target[rows], self.random)
            self.optimizer.step()
            self.done += 1

    def _rate(self) -> float:
        """Rises, then falls to 0 as half a cosine (Loshchilov and Hutter 2017)."""
        share = (self.done + 1) / (self.epochs * self.steps + 1)
        height = share / WARM_UP if share < WARM_UP else (1 + cos(pi * (share - WARM_UP) / (1 - WARM_UP))) / 2
        return float(self.settings["learning_rate"]) * height

    def _error(self, inputs: torch.Tensor, target: torch.Tensor) -> float:
        return float((self.gradient.loss.answer(self.gradient.outputs(inputs)) - target).abs().mean())

    def _fitted(self, epochs: int) -> FittedNetwork:
        matrices = [matrix.cpu().numpy().copy() for matrix in self.weights.matrix]
        biases = [bias.cpu().numpy().copy() for bias in self.weights.bias]
        for matrix in (matrices[0], matrices[-1]):
            matrix[: len(self.soft.columns)] *= np.float32(LIMIT)
        layers = list(zip(matrices, biases, strict=False))
        member = Member(tuple(layers[:LAYERS]), layers[LAYERS], matrices[-1])
        settings = {**self.settings, "epochs": epochs}
        return FittedNetwork(self.soft, self.waves, (member,), self.center, self.scale, settings, self.lesson.relative)


def _waves(lesson: Lesson, soft: SoftInputs) -> Waves:
    """For the first stated features that vary, where errors are relative."""
    stated = np.flatnonzero(np.isin(soft.columns, lesson.stated))[: MOST_WAVED if lesson.relative else 0]
    random = np.random.default_rng(WAVE_SEED)
    place = np.repeat(stated, WAVES)
    frequencies = np.zeros((len(soft.columns), len(place)), np.float32)
    frequencies[place, np.arange(len(place))] = random.normal(0, FREQUENCY * LIMIT, len(place))
    return Waves(frequencies, random.uniform(-pi, pi, len(place)).astype(np.float32))
