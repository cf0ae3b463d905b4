"""Runtimes that can run a convolution and time it.

A runner turns a configuration into a timer: a function that makes n calls and returns the seconds they took.
"""

import contextlib
import importlib
import math
import os
import time
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from perfcast.errors import InvalidSetting, MissingDependency

from ._kind import Timer
from ._options import ProfileOptions
from ._paths import onnxruntime_path, torch_path

_POOL_ELEMENTS = 1 << 20
_BATCHES = 3
"""Least number of timed batches."""
_BATCH_SECONDS = 1e-3
"""Least duration of one, so that the clock's resolution doesn't matter."""


def make_runner(options: ProfileOptions) -> "TorchRunner | OnnxRuntimeRunner":
    """The runner for the options.

    Raises:
        MissingDependency: The runtime or the device is missing.
        InvalidSetting: The runtime is not measured on that device or pass.
    """
    if options.runtime == "torch":
        return TorchRunner(device=options.device, training=options.measured_pass == "training")
    if options.device != "cpu" or options.measured_pass != "forward":
        raise InvalidSetting("onnxruntime is measured on the CPU, forward only; use --runtime torch")
    return OnnxRuntimeRunner()


@contextlib.contextmanager
def pinned(core: int | None) -> Iterator[None]:
    """Pin this thread to one core while the context lasts, where the operating system can."""
    if core is None or not hasattr(os, "sched_setaffinity"):
        yield
        return
    before = os.sched_getaffinity(0)
    try:
        os.sched_setaffinity(0, {core})
    except OSError:
        raise InvalidSetting(
            f"there is no CPU core {core} here; --core may be one of {', '.join(map(str, sorted(before)))}"
        ) from None
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


class ValuePool:
    """Normally distributed float32 values, handed out as arrays of any shape without drawing anew.

    Drawing 100 MB of random numbers takes longer than measuring the convolution that reads them.
    """

    def __init__(self, seed: int) -> None:
        drawn = np.random.default_rng(seed).standard_normal(_POOL_ELEMENTS, dtype=np.float32)
        self._values: npt.NDArray[np.float32] = drawn

    def take(self, shape: tuple[int, ...]) -> npt.NDArray[np.float32]:
        """Values in a shape; arrays handed out share memory and must not be written."""
        size = math.prod(shape)
        if size > self._values.size:
            self._values = np.tile(self._values, -(-size // self._values.size))
        return self._values[:size].reshape(shape)


class TorchRunner:
    """PyTorch with one thread, on `cpu` or `cuda`, forward or forward and backward together (`training`).

    Its configurations are `ConvConfig`; those of a class derived from it are what that one's `_call` understands.
    """

    def __init__(self, *, device: str, training: bool) -> None:
        self._torch = _import("torch")
        if device == "cuda" and not self._torch.cuda.is_available():
            raise MissingDependency("torch sees no CUDA device; use --device cpu or install a CUDA build")
        self.gpu: str = self._torch.cuda.get_device_name() if device == "cuda" else ""
        self._device, self._training = device, training
        self._inputs, self._weights = ValuePool(1), ValuePool(2)
        self._threads_before = self._torch.get_num_threads()
        self._torch.set_num_threads(1)
        self._torch.set_flush_denormal(True)
        self._settle_allocator()

    def prepare(self, config: Any) -> Timer:
        """Make a configuration's tensors, and return its timer."""
        call, mode = self._call(config)
        return self._timer(call, mode)

    def path(self, config: Any) -> str | None:
        """Which kernel runs, as oneDNN says; None on a GPU."""
        if self._device == "cuda":
            return None
        call, mode = self._call(config)
        with mode():
            return torch_path(self._torch, call)

    def _call(self, config: Any) -> tuple[Callable[[], Any], Callable[[], Any]]:
        """What is timed, and the mode of torch in which it runs."""
        if config.asymmetric:
            raise InvalidSetting("PyTorch's convolution has the same padding on opposite sides")
        torch = self._torch
        inputs = self._tensor(self._inputs, config.input_shape)
        weights = self._tensor(self._weights, config.weight_shape)
        strides, padding = (config.stride, config.stride_width), (config.padding, config.padding_width)
        geometry = (strides, padding, config.dilation, config.groups)

        def forward() -> Any:
            return torch.conv2d(inputs, weights, None, *geometry)

        if not self._training:
            return forward, torch.inference_mode
        with torch.no_grad():
            gradient = torch.ones_like(forward())

        def forward_and_backward() -> Any:
            return torch.autograd.grad(forward(), (inputs, weights), gradient)

        return forward_and_backward, torch.enable_grad

    def close(self) -> None:
        """Give torch its threads and denormals back."""
        self._torch.set_flush_denormal(False)
        self._torch.set_num_threads(self._threads_before)

    def _tensor(self, pool: ValuePool, shape: tuple[int, ...]) -> Any:
        tensor = self._torch.from_numpy(pool.take(shape)).to(self._device)
        return tensor.requires_grad_(self._training)

    def _timer(self, call: Callable[[], Any], mode: Callable[[], Any]) -> Timer:
        if self._device == "cuda":
            return self._cuda_timer(call, mode)

        def timer(calls: int) -> float:
            with mode():
                return time_calls(call, calls)

        return timer

    def _cuda_timer(self, call: Callable[[], Any], mode: Callable[[], Any]) -> Timer:
        """Reads CUDA events, so that only the device's time counts."""
        cuda = self._torch.cuda

        def timer(calls: int) -> float:
            begin, end = cuda.Event(enable_timing=True), cuda.Event(enable_timing=True)
            with mode():
                cuda.synchronize()
                begin.record()
                for _ in range(calls):
                    call()
                end.record()
                cuda.synchronize()
            return float(begin.elapsed_time(end)) / 1e3

        return timer

    def _settle_allocator(self) -> None:
        """Bring the C allocator's moving mmap threshold to its maximum, as later frees would do anyway.

        Otherwise outputs above 128 KiB cost page faults in the first minutes of a run and not later.
        """
        for megabytes in (1, 4, 16, 31):
            self._torch.empty(megabytes << 18).fill_(0.0)


class OnnxRuntimeRunner:
    """ONNX Runtime's CPU provider with one thread, on a graph of one Conv node with constant weights."""

    def __init__(self) -> None:
        self.gpu = ""
        self._ort = _import("onnxruntime")
        self._onnx = _import("onnx")
        self._ort.set_default_logger_severity(3)
        self._inputs, self._weights = ValuePool(1), ValuePool(2)

    def prepare(self, config: Any) -> Timer:
        """Build the session of a configuration, bind input and output, and return its timer."""
        session = self._ort.InferenceSession(
            self._model(config), self.session_options(), providers=["CPUExecutionProvider"]
        )
        value = self._ort.OrtValue
        binding = session.io_binding()
        binding.bind_ortvalue_input("x", value.ortvalue_from_numpy(self._inputs.take(config.input_shape)))
        output = value.ortvalue_from_shape_and_type(list(config.output_shape), np.float32)
        binding.bind_ortvalue_output("y", output)
        run = session.run_with_iobinding
        return lambda calls: time_calls(lambda: run(binding), calls)

    def path(self, config: Any) -> str | None:
        """Which way it takes, as its optimised graph says."""
        return onnxruntime_path(self._ort, self._onnx, self._model(config), self.session_options())

    def close(self) -> None:
        """Do nothing: all settings belong to the sessions."""

    def session_options(self) -> Any:
        """One thread that does not spin, denormals flushed."""
        options = self._ort.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        options.add_session_config_entry("session.set_denormal_as_zero", "1")
        return options

    def _model(self, config: Any) -> bytes:
        helper, float32 = self._onnx.helper, self._onnx.TensorProto.FLOAT
        weights = self._weights.take(config.weight_shape).tobytes()
        node = helper.make_node(
            "Conv", ["x", "w"], ["y"],
            kernel_shape=config.weight_shape[2:], strides=[config.stride, config.stride_width],
            pads=[config.padding, config.padding_width, config.padding_bottom, config.padding_right],
            dilations=[config.dilation] * 2, group=config.groups,
        )  # fmt: skip
        graph = helper.make_graph(
            [node],
            "convolution",
            [helper.make_tensor_value_info("x", float32, config.input_shape)],
            [helper.make_tensor_value_info("y", float32, config.output_shape)],
            [helper.make_tensor("w", float32, config.weight_shape, weights, raw=True)],
        )
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
        return bytes(model.SerializeToString())


def time_calls(call: Callable[[], Any], calls: int) -> float:
    """Seconds that so many calls take together."""
    begin = time.perf_counter()
    for _ in range(calls):
        call()
    return time.perf_counter() - begin


def _import(name: str) -> Any:
    try:
        return importlib.import_module(name)
    except ImportError as error:
        message = f"{name} is not installed, so it can't be measured; install perfcast's `train` extra"
        raise MissingDependency(message) from error


class TooSlowError(RuntimeError):
    """A single call takes longer than a configuration may."""


def time_call(timer: Timer, seconds: float, *, longest: float = math.inf) -> float:
    """Warm up, repeat timed batches of calls for some seconds, and return the least seconds per call.

    Raises:
        TooSlowError: A warm call took longer than the longest allowed, seconds.
    """
    if timer(1) > 2 * longest:
        raise TooSlowError(f"one call takes more than {2e3 * longest:.0f} ms")
    warm = timer(1)
    if warm > longest:
        raise TooSlowError(f"one call takes {1e3 * warm:.0f} ms, more than {1e3 * longest:.0f} ms")
    calls = _calls_per_batch(timer, warm)
    best, spent, batches = (warm, warm, 1) if calls == 1 else (math.inf, 0.0, 0)
    while batches < _BATCHES or spent < seconds:
        elapsed = timer(calls)
        best, spent, batches = min(best, elapsed / calls), spent + elapsed, batches + 1
    return best


def _calls_per_batch(timer: Timer, warm: float) -> int:
    """How many calls fill a batch, from a second estimate where the first is short."""
    if warm >= _BATCH_SECONDS:
        return 1
    trial = max(1, int(0.3 * _BATCH_SECONDS / warm))
    per_call = min(warm, timer(trial) / trial)
    return max(1, math.ceil(_BATCH_SECONDS / per_call))
