"""Where graphs are run: the device that is asked for, the one that is there, and sessions on it."""

import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple, TypeAlias

import numpy as np
import onnxruntime as ort

from perfcast.errors import BrokenVersion, InvalidSetting
from perfcast.workloads import Rows

FEATURES, COST, SPREAD = "features", "cost", "spread"
"""What a graph's input, float32 [rows, features], and its outputs, float32 [rows], are called.

Not every graph has a spread. It says how far the members of a mean disagree: their standard deviation in the cost's
unit, or that of the cost's natural logarithm where errors are relative.
"""
TRIAL_SECONDS = 5.0
"""How long trying a graph may take."""

Device: TypeAlias = Literal["cpu", "cuda", "auto"]
CPU_PROVIDER = "CPUExecutionProvider"
CUDA_PROVIDER = "CUDAExecutionProvider"
_IDENTITY = bytes.fromhex(  # y = Identity(x), float32 [1], opset 13: what a provider is tried with
    "08083a370a100a017812017922084964656e746974791201705a0f0a0178120a0a08080112040a02"
    "0801620f0a0179120a0a08080112040a02080142040a00100d"
)
_INSTALL = (
    "install ONNX Runtime's build for it in place of the other (`pip uninstall onnxruntime`, then "
    "`pip install onnxruntime-gpu`)"
)


@dataclass(frozen=True)
class Inference:
    """Where graphs are run.

    Attributes:
        device: `cpu` or `cuda`.
        provider: ONNX Runtime's name of what runs them there.
        runtime: ONNX Runtime's version.
    """

    device: Literal["cpu", "cuda"] = "cpu"
    provider: str = CPU_PROVIDER
    runtime: str = ort.__version__

    @property
    def providers(self) -> list[str]:
        """In the order in which a session asks them for each node; the CPU takes what no other can run."""
        return [self.provider, *([CPU_PROVIDER] if self.provider != CPU_PROVIDER else [])]


ON_CPU = Inference()
"""What runs everywhere."""


class Costs(NamedTuple):
    """What a graph answers, float32 [rows] each; not every graph has a spread."""

    cost: Rows
    spread: Rows | None = None


def starts(provider: str) -> bool:
    """Whether a session can really be opened on that provider.

    ONNX Runtime lists providers that it was built with, also where a driver or a library of theirs is missing; a
    session then silently runs on the CPU.
    """
    if provider not in ort.get_available_providers():
        return False
    options = ort.SessionOptions()
    options.log_severity_level = 4
    try:
        session = ort.InferenceSession(_IDENTITY, options, providers=[provider])
    except Exception:  # noqa: BLE001 - ONNX Runtime's exceptions share no public base class
        return False
    return bool(session.get_providers()[0] == provider)


def choose_inference(
    device: Device,
    *,
    available: Callable[[], Sequence[str]] = ort.get_available_providers,
    starts: Callable[[str], bool] = starts,
) -> Inference:
    """Where to run graphs.

    Args:
        device: `cpu`; `cuda`, which must be there; `auto`: cuda where it is there, else cpu.
        available: Gives the providers that ONNX Runtime was built with.
        starts: Whether one of them really works here.

    Raises:
        InvalidSetting: `cuda` is asked for and isn't there; says what is missing.
    """
    if device == "cpu":
        return ON_CPU
    built = CUDA_PROVIDER in available()
    if built and starts(CUDA_PROVIDER):
        return Inference("cuda", CUDA_PROVIDER)
    if device == "auto":
        return ON_CPU
    if built:
        raise InvalidSetting(
            "INFERENCE_DEVICE is cuda, and ONNX Runtime was built for it, but it can't start there; check that "
            "`nvidia-smi` shows a GPU and that CUDA and cuDNN are those that this onnxruntime-gpu asks for, or set "
            "INFERENCE_DEVICE=auto"
        )
    raise InvalidSetting(
        f"INFERENCE_DEVICE is cuda, but this ONNX Runtime has only {', '.join(available())}; {_INSTALL}, or set "
        "INFERENCE_DEVICE=auto"
    )


def open_session(graph: bytes, name: str = "", inference: Inference = ON_CPU) -> ort.InferenceSession:
    """A session of one thread, which doesn't spin while it waits.

    Args:
        graph: Serialised ONNX; read from memory, so that data in files beside it can't be reached.
        name: What to call it in errors.
        inference: Where to run it.

    Raises:
        BrokenVersion: ONNX Runtime can't read it.
    """
    options = ort.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_ENABLE_ALL
    options.log_severity_level = 4
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    try:
        return ort.InferenceSession(graph, options, providers=inference.providers)
    except Exception as error:  # noqa: BLE001 - ONNX Runtime's exceptions share no public base class
        raise BrokenVersion(f"{name}{': ' * bool(name)}ONNX Runtime can't read the graph: {error}") from None


def run(session: ort.InferenceSession, rows: Rows) -> Rows:
    """The cost of each row, float32 [rows], of float32 [rows, features]."""
    return run_with_spread(session, rows).cost


def run_with_spread(session: ort.InferenceSession, rows: Rows) -> Costs:
    """The cost of each row and, where the graph has one, its spread, of float32 [rows, features]."""
    outputs = session.run(None, {FEATURES: np.ascontiguousarray(rows, dtype=np.float32)})
    return Costs(*(np.asarray(output, dtype=np.float32) for output in outputs))


def row_us(predict: Callable[[Rows], object], rows: Rows, repeats: int) -> float:
    """Median time of one row, microseconds, of so many or of those that `TRIAL_SECONDS` allow."""
    times = list[int]()
    while len(times) < repeats and sum(times) < TRIAL_SECONDS * 1e9:
        row = rows[[len(times) % len(rows)]]
        begin = time.perf_counter_ns()
        predict(row)
        times.append(time.perf_counter_ns() - begin)
    return round(statistics.median(times) / 1000, 2)
