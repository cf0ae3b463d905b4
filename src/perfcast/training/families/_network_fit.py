"""Fitting the weights of a residual network with torch; on a GPU where torch sees one."""

import time
from typing import Any, TypeAlias

import numpy as np
import torch

from perfcast.errors import Stopped
from perfcast.training.families._family import Lesson, Report, Settings, Stop
from perfcast.training.families._smooth_inputs import SmoothInputs, smooth_inputs
from perfcast.workloads import Rows

Layers: TypeAlias = tuple[tuple[Rows, Rows], ...]
Found: TypeAlias = tuple[SmoothInputs, Layers, float, float, Settings, int]
"""Scaling of the inputs, layers, center and scale of the target, settings, epochs up to the best."""
SMALL_BATCH, LARGE_BATCH = 256, 2048
"""Most rows in a step on few and on many rows."""
ASK_EVERY = 16
"""Steps between two questions whether to stop."""
TIMED_EPOCHS = 2
"""Epochs after which their time is known."""
UNTOUCHED = 0.03
"""Share of the epochs that may be too many for the time without a new schedule."""
MARGIN = 0.5
"""Standard deviations beyond the training range up to which an input still counts."""


def fit(lesson: Lesson, settings: Settings, deadline: float, stop: Stop, report: Report | None) -> Found:
    """Train on the whole schedule, or on one that ends at the deadline (`time.monotonic()`).

    Raises:
        Stopped: It was asked to stop before its first step.
    """
    threads = torch.get_num_threads()
    torch.set_num_threads(lesson.threads)
    try:
        return _Training(lesson, settings, deadline).run(stop, report)
    finally:
        torch.set_num_threads(threads)


class _Training:
    """One fit: data as tensors, the network, its running average, the schedule."""

    def __init__(self, lesson: Lesson, settings: Settings, deadline: float) -> None:
        self.settings, self.deadline = settings, deadline
        self.device = "cuda" if torch.cuda.is_available() else "cpu"
        self.smooth = smooth_inputs(lesson.inputs, margin=MARGIN)
        self.center = float(lesson.target.mean())
        self.scale = float(lesson.target.std()) or 1.0
        self.inputs, self.target = self._tensors(lesson.inputs, lesson.target)
        self.held = self._tensors(*lesson.validation) if lesson.validation is not None else None
        self.random = torch.Generator().manual_seed(lesson.seed)
        self.weights = self._initial()
        self.average = [weight.detach().clone() for weight in self.weights]
        self.epochs = int(settings["epochs"])
        rows = len(self.target)
        self.batch = max(16, min(SMALL_BATCH, rows // 16), min(LARGE_BATCH, rows // 64))
        self.steps = max(1, rows // self.batch)
        self.rate, decay = float(settings["learning_rate"]), float(settings["weight_decay"])
        self.optimizer = torch.optim.AdamW(self.weights, self.rate, weight_decay=decay, fused=True)

    def run(self, stop: Stop, report: Report | None) -> Found:
        """Epoch after epoch; the learning rate rises and falls once (Smith 2018)."""
        schedule = self._schedule()
        best, least, reached, done, settings = self.average, float("inf"), 0, 0, self.settings
        begun, epoch = time.monotonic(), 0
        while epoch < self.epochs:
            done += self._epoch(schedule, stop)
            epoch += 1
            if self.held is not None and done:
                error = self._error(*self.held)
                if error < least or not reached:
                    best, least, reached = [weight.clone() for weight in self.average], error, epoch
                if report is not None and epoch * 10 // self.epochs > (epoch - 1) * 10 // self.epochs:
                    report(epoch * 10 // self.epochs, least * self.scale)
            if stop() and epoch < self.epochs:
                settings = {**settings, "epochs": epoch}
                break
            if self._shortened(epoch, begun):
                settings = {**settings, "epochs": self.epochs}
                schedule = self._schedule(done)
        if not done:
            raise Stopped("neural_network was stopped before its first step")
        kept, epochs = (best, reached) if self.held is not None else (self.average, epoch)
        return self.smooth, _arrays(kept), self.center, self.scale, settings, epochs

    def _schedule(self, done: int = 0) -> Any:
        """From the step that was reached to the last one."""
        total = self.epochs * self.steps
        return torch.optim.lr_scheduler.OneCycleLR(
            self.optimizer, self.rate, total_steps=total, pct_start=0.25, last_epoch=done - 1
        )

    def _shortened(self, epoch: int, begun: float) -> bool:
        """Whether fewer epochs were planned, because the time is too short for all.

        The first epochs also measure how long one takes. A few that are too many do no harm: the last steps are small.
        """
        now = time.monotonic()
        fitting = epoch + (self.deadline - now) * epoch / (now - begun)
        if epoch < TIMED_EPOCHS or max(fitting, epoch + 1) > (1 - UNTOUCHED) * self.epochs:
            return False
        self.epochs = max(int(fitting), epoch + 1)
        return True

    def _tensors(self, inputs: Rows, target: Rows) -> tuple[torch.Tensor, torch.Tensor]:
        scaled = self.smooth(inputs, np.float32)
        wanted = (target - np.float32(self.center)) / np.float32(self.scale)
        return torch.from_numpy(scaled).to(self.device), torch.from_numpy(wanted).to(self.device)

    def _initial(self) -> list[torch.Tensor]:
        """He's initialisation (2015); a block begins near the identity, and the network as the target's mean."""
        width, blocks, first = int(self.settings["width"]), int(self.settings["blocks"]), self.inputs.shape[1]
        shapes = [(first, width, 1.0), *[(width, width, 1.4), (width, width, 0.3)] * blocks, (width, 1, 0.0)]
        weights = []
        for rows, columns, gain in shapes:
            matrix = torch.randn(rows, columns, generator=self.random) * gain / max(rows, 1) ** 0.5
            weights += [matrix, torch.zeros(columns)]
        return [weight.to(self.device).requires_grad_() for weight in weights]

    def _epoch(self, schedule: Any, stop: Stop) -> int:
        order = torch.randperm(len(self.target), generator=self.random).to(self.device)
        beta = float(self.settings["beta"])
        for step in range(self.steps):
            if step % ASK_EVERY == ASK_EVERY - 1 and stop():
                return step
            rows = order[step * self.batch : (step + 1) * self.batch]
            answer = _forward(self.weights, self.inputs[rows])
            loss = torch.nn.functional.smooth_l1_loss(answer, self.target[rows], beta=beta)
            self.optimizer.zero_grad(set_to_none=True)
            loss.backward()  # type: ignore[no-untyped-call]
            self.optimizer.step()
            schedule.step()
            with torch.no_grad():  # averaged over about an epoch, weights do better (Polyak and Juditsky 1992)
                torch._foreach_lerp_(self.average, [w.detach() for w in self.weights], 1 / (1 + self.steps))
        return self.steps

    def _error(self, inputs: torch.Tensor, target: torch.Tensor) -> float:
        with torch.no_grad():
            return float((_forward(self.average, inputs) - target).abs().mean())


def _forward(weights: list[torch.Tensor], inputs: torch.Tensor) -> torch.Tensor:
    silu = torch.nn.functional.silu
    (first, bias), *blocks, (last, end) = _pairs(weights)
    value = inputs @ first + bias
    for (one, shift), (two, after) in zip(blocks[::2], blocks[1::2], strict=True):
        value = value + (silu(value @ one + shift) @ two + after)
    return (silu(value) @ last + end)[:, 0]


def _pairs(weights: list[torch.Tensor]) -> list[tuple[torch.Tensor, torch.Tensor]]:
    return list(zip(weights[::2], weights[1::2], strict=True))


def _arrays(weights: list[torch.Tensor]) -> Layers:
    arrays = [[weight.detach().cpu().numpy().astype(np.float32) for weight in pair] for pair in _pairs(weights)]
    return tuple((matrix, bias) for matrix, bias in arrays)
