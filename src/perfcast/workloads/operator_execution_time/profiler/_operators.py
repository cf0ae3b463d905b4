"""Operators as a kind of work that the profiler measures."""

from functools import partial

from perfcast.errors import InvalidSetting
from perfcast.workloads.cnn_execution_time.profiler import Kind, ProfileOptions, Sampler

from ._configurations import WORKLOAD, OperatorConfig
from ._onnxruntime import OnnxRuntimeOperators
from ._sampler import BOUND, sample_operators
from ._torch import TorchOperators


def make_runner(options: ProfileOptions) -> TorchOperators | OnnxRuntimeOperators:
    """The runner for the options.

    Raises:
        MissingDependency: The runtime or the device is missing.
        InvalidSetting: The runtime is not measured on that device or pass.
    """
    if options.measured_pass != "forward":
        raise InvalidSetting("operators are measured forward only; leave out --pass")
    if options.runtime == "torch":
        return TorchOperators(device=options.device)
    if options.device != "cpu":
        raise InvalidSetting("onnxruntime is measured on the CPU; use --runtime torch")
    return OnnxRuntimeOperators()


def _sampler(options: ProfileOptions) -> Sampler:
    return partial(sample_operators, reorders=options.runtime == "onnxruntime")


OPERATORS = Kind(
    name="operators",
    workload=WORKLOAD,
    configuration=OperatorConfig,
    sentinel=OperatorConfig.of("add", (1, 64, 112, 112), inputs=2),
    bound=BOUND,
    sampler=_sampler,
    make_runner=make_runner,
    rows="float32 operators other than convolutions",
    calls={
        ("torch", "forward"): (
            "a function of `torch.nn.functional` or a tensor's method in inference mode, as the modules of CNNs call it"
        ),
        ("onnxruntime", "forward"): (
            "an ONNX model of one operator with constant weights, inputs and output bound in advance"
        ),
    },
    remarks={
        "torch": (
            "ReLU, ReLU6, leaky ReLU, SiLU, hard swish and addition overwrite their input; a slice, a change of layout "
            "and a transposition are copied."
        ),
        "onnxruntime": (
            "Pools whose channels are a multiple of 16, resizing by whole factors and what brings channels into blocks "
            "and back are operators of the runtime's own layout NCHWc, which its optimiser puts into CNNs: their "
            "tensors are in blocks already. A linear layer is one Gemm, SiLU one QuickGelu."
        ),
    },
    choice="Half of the configurations have shapes as networks have them, the others log-uniform sizes",
    label="operator",
)
