"""From a network to the kernels that a runtime starts for it."""

from perfcast.errors import InvalidInput
from perfcast.networks._call import Call, Plan, Runtime, Unmodelled
from perfcast.networks._graph import Graph
from perfcast.networks.rules import onnxruntime_calls, torch_calls

_READ = {"Add": 2, "Conv": 2, "ConvTranspose": 2, "Div": 2, "Gemm": 2, "MatMul": 2, "Mul": 2, "Pow": 2, "Sub": 2}
"""How many tensors operators read at least; all others one."""


def plan(graph: Graph, runtime: Runtime, *, block: int = 16) -> Plan:
    """All that a runtime does for a network.

    Args:
        graph: Of the network, at a batch of one.
        runtime: `torch`: PyTorch as its modules run in inference, nothing compiled. `onnxruntime`: ONNX Runtime on a
            CPU with all optimisations.
        block: Channels in a block of ONNX Runtime's layout: 16 where the processor has AVX-512, else 8.

    Raises:
        InvalidInput: A node reads fewer tensors than its operator does; the field is `network`.
    """
    for node in graph.nodes:
        if node.operator in _READ and len([name for name in node.inputs if name]) < _READ[node.operator]:
            message = f"must read {_READ[node.operator]} tensors in {node.operator} node '{node.name}'"
            raise InvalidInput.of("network", message)
    steps = torch_calls(graph) if runtime == "torch" else onnxruntime_calls(graph, block)
    return Plan(
        tuple(step for step in steps if isinstance(step, Call)),
        tuple(step for step in steps if isinstance(step, Unmodelled)),
    )
