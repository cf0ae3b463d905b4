"""A residual multilayer perceptron on log-scaled inputs (Gorishniy et al. 2021, section 3.2, without normalisation)."""

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import onnx
import spox
import spox.opset.ai.onnx.v21 as op

from perfcast.errors import Stopped
from perfcast.training.families._family import Family, Fitted, Lesson, Report, Settings, Space, Stop, Trial, never
from perfcast.training.families._smooth_inputs import Array, SmoothInputs, smooth_inputs
from perfcast.workloads import Rows

if TYPE_CHECKING:
    import torch

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


@dataclass(frozen=True)
class FittedNetwork(Fitted):
    """The weights as arrays: layer by layer, matrix [in, out] and bias [out].

    Attributes:
        smooth: Scaling of the inputs.
        layers: First layer, two for each residual block, last layer.
        center, scale: The target's.
        settings: As given, with fewer epochs where the fit was stopped.
        epochs: How many were run up to the best.
        relative: Whether it answers a logarithm. Where not, answers near 0 are differences of large numbers, so that
            all is computed in float64, natively and in the graph.
    """

    smooth: SmoothInputs
    layers: tuple[tuple[Rows, Rows], ...]
    center: float
    scale: float
    settings: Settings
    epochs: int
    relative: bool

    @property
    def dtype(self) -> type[np.float32] | type[np.float64]:
        """In which it computes."""
        return np.float32 if self.relative else np.float64

    def predict(self, inputs: Rows) -> Rows:
        """The network on arrays."""
        value = self.smooth(inputs, self.dtype)
        first, *blocks, last = self._typed()
        value = value @ first[0] + first[1]
        for one, two in zip(blocks[::2], blocks[1::2], strict=True):
            value = value + (_silu(value @ one[0] + one[1]) @ two[0] + two[1])
        answer = _silu(value) @ last[0] + last[1]
        return np.asarray(answer[:, 0] * self.dtype(self.scale) + self.dtype(self.center), dtype=np.float32)

    def graph(self) -> onnx.ModelProto:
        """One matrix product a layer."""
        inputs = spox.argument(spox.Tensor(np.float32, ("rows", "inputs")))
        first, *blocks, last = self._typed()
        value = _layer(self.smooth.node(inputs, self.dtype), first)
        for one, two in zip(blocks[::2], blocks[1::2], strict=True):
            value = op.add(value, _layer(_silu_node(_layer(value, one)), two))
        answer = _layer(_silu_node(value), last)
        scale, center = (op.const(number, self.dtype) for number in (self.scale, self.center))
        target = op.cast(op.add(op.mul(answer, scale), center), to=np.float32)
        return spox.build({"inputs": inputs}, {"target": target})

    def _typed(self) -> list[tuple[Array, Array]]:
        return [(matrix.astype(self.dtype), bias.astype(self.dtype)) for matrix, bias in self.layers]

    def final_settings(self) -> Settings:
        """The schedule is run to its end again; a shorter one where this fit was stopped."""
        return self.settings

    def details(self) -> dict[str, Any]:
        """Epochs and size."""
        return {"epochs": self.epochs, "weights": sum(m.size + b.size for m, b in self.layers)}


class NeuralNetwork(Family):
    """A residual network; on a GPU where torch sees one."""

    name = "neural_network"

    def start(self, lesson: Lesson) -> Settings:  # noqa: ARG002
        """A small network, in few epochs."""
        return {"width": 96, "blocks": 2, "epochs": 48, "learning_rate": 4e-3, "weight_decay": 1e-3, "beta": 0.1}

    def space(self, trial: Trial, lesson: Lesson) -> Settings:  # noqa: ARG002
        """Size, schedule, regularisation, and where the loss turns from squared to absolute."""
        space = Space(trial, self.name)
        space.whole("width", 48, 256, log=True)
        space.whole("blocks", 1, 4)
        space.whole("epochs", 32, 200, log=True)
        space.number("learning_rate", 5e-4, 1e-2, log=True)
        space.number("weight_decay", 1e-5, 0.3, log=True)
        space.number("beta", 0.01, 1.0, log=True)
        return space.settings

    def fit(
        self, lesson: Lesson, settings: Settings, *, stop: Stop = never, report: Report | None = None
    ) -> FittedNetwork:
        """Train on the whole schedule, keeping the averaged weights that do best on the validation rows.

        Where the lesson's seconds are too few for it, the schedule is shortened on the way.
        """
        deadline = time.monotonic() + lesson.seconds
        import torch

        threads = torch.get_num_threads()
        torch.set_num_threads(lesson.threads)
        try:
            return _Training(lesson, settings, deadline).run(stop, report)
        finally:
            torch.set_num_threads(threads)


class _Training:
    """One fit: data as tensors, the network, its running average, the schedule."""

    def __init__(self, lesson: Lesson, settings: Settings, deadline: float) -> None:
        import torch

        self.settings, self.relative, self.deadline = settings, lesson.relative, deadline
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
        self.batch = _batch(len(self.target))
        self.steps = max(1, len(self.target) // self.batch)

    def run(self, stop: Stop, report: Report | None) -> FittedNetwork:
        """Epoch after epoch; the learning rate rises and falls once (Smith 2018)."""
        import torch

        rate, decay = float(self.settings["learning_rate"]), float(self.settings["weight_decay"])
        optimizer = torch.optim.AdamW(self.weights, rate, weight_decay=decay, fused=True)
        schedule = self._schedule(optimizer, rate)
        best, least, reached, done, settings = self.average, float("inf"), 0, 0, self.settings
        begun, epoch = time.monotonic(), 0
        while epoch < self.epochs:
            done += self._epoch(optimizer, schedule, stop)
            epoch += 1
            if self.held is not None and done:
                error = self._error()
                if error < least or not reached:
                    best, least, reached = [weight.clone() for weight in self.average], error, epoch
                if report is not None and epoch * 10 // self.epochs > (epoch - 1) * 10 // self.epochs:
                    report(epoch * 10 // self.epochs, least * self.scale)
            if stop() and epoch < self.epochs:
                settings = {**settings, "epochs": epoch}
                break
            if self._shortened(epoch, begun):
                settings = {**settings, "epochs": self.epochs}
                schedule = self._schedule(optimizer, rate, done)
        if not done:
            raise Stopped("neural_network was stopped before its first step")
        kept, epochs = (best, reached) if self.held is not None else (self.average, epoch)
        return FittedNetwork(self.smooth, _arrays(kept), self.center, self.scale, settings, epochs, self.relative)

    def _schedule(self, optimizer: "torch.optim.Optimizer", rate: float, done: int = 0) -> Any:
        """From the step that was reached to the last one."""
        import torch

        total = self.epochs * self.steps
        return torch.optim.lr_scheduler.OneCycleLR(
            optimizer, rate, total_steps=total, pct_start=0.25, last_epoch=done - 1
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

    def _tensors(self, inputs: Rows, target: Rows) -> "tuple[torch.Tensor, torch.Tensor]":
        import torch

        scaled = self.smooth(inputs, np.float32)
        wanted = (target - np.float32(self.center)) / np.float32(self.scale)
        return torch.from_numpy(scaled).to(self.device), torch.from_numpy(wanted).to(self.device)

    def _initial(self) -> "list[torch.Tensor]":
        """He's initialisation (2015); a block begins near the identity, and the network as the target's mean."""
        import torch

        width, blocks, first = int(self.settings["width"]), int(self.settings["blocks"]), self.inputs.shape[1]
        shapes = [(first, width, 1.0), *[(width, width, 1.4), (width, width, 0.3)] * blocks, (width, 1, 0.0)]
        weights = []
        for rows, columns, gain in shapes:
            matrix = torch.randn(rows, columns, generator=self.random) * gain / max(rows, 1) ** 0.5
            weights += [matrix, torch.zeros(columns)]
        return [weight.to(self.device).requires_grad_() for weight in weights]

    def _epoch(self, optimizer: "torch.optim.Optimizer", schedule: Any, stop: Stop) -> int:
        import torch

        order = torch.randperm(len(self.target), generator=self.random).to(self.device)
        beta = float(self.settings["beta"])
        for step in range(self.steps):
            if step % ASK_EVERY == ASK_EVERY - 1 and stop():
                return step
            rows = order[step * self.batch : (step + 1) * self.batch]
            answer = _forward(self.weights, self.inputs[rows])
            loss = torch.nn.functional.smooth_l1_loss(answer, self.target[rows], beta=beta)
            optimizer.zero_grad(set_to_none=True)
            loss.backward()  # type: ignore[no-untyped-call]
            optimizer.step()
            schedule.step()
            self._follow()
        return self.steps

    def _follow(self) -> None:
        """The average of the weights over about an epoch (Polyak and Juditsky 1992) does better than the last ones."""
        import torch

        with torch.no_grad():
            torch._foreach_lerp_(self.average, [w.detach() for w in self.weights], 1 / (1 + self.steps))

    def _error(self) -> float:
        import torch

        assert self.held is not None
        with torch.no_grad():
            return float((_forward(self.average, self.held[0]) - self.held[1]).abs().mean())


def _batch(rows: int) -> int:
    return max(16, min(SMALL_BATCH, rows // 16), min(LARGE_BATCH, rows // 64))


def _forward(weights: "list[torch.Tensor]", inputs: "torch.Tensor") -> "torch.Tensor":
    from torch.nn.functional import silu

    pairs = _pairs(weights)
    (first, bias), *blocks, (last, end) = pairs
    value = inputs @ first + bias
    for (one, shift), (two, after) in zip(blocks[::2], blocks[1::2], strict=True):
        value = value + (silu(value @ one + shift) @ two + after)
    return (silu(value) @ last + end)[:, 0]


def _pairs(weights: "list[torch.Tensor]") -> "list[tuple[torch.Tensor, torch.Tensor]]":
    return list(zip(weights[::2], weights[1::2], strict=True))


def _arrays(weights: "list[torch.Tensor]") -> tuple[tuple[Rows, Rows], ...]:
    def array(weight: "torch.Tensor") -> Rows:
        return np.asarray(weight.detach().cpu().numpy(), dtype=np.float32).copy()

    return tuple((array(matrix), array(bias)) for matrix, bias in _pairs(weights))


def _silu(value: Array) -> Array:
    with np.errstate(over="ignore"):
        return np.asarray(value / (1 + np.exp(-value)), dtype=value.dtype)


def _layer(value: spox.Var, layer: tuple[Array, Array]) -> spox.Var:
    return op.add(op.matmul(value, op.constant(value=layer[0])), op.constant(value=layer[1]))


def _silu_node(value: spox.Var) -> spox.Var:
    return op.mul(value, op.sigmoid(value))
