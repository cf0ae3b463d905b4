"""From a network to the kernels that a runtime starts for it."""

from perfcast.networks._call import Call, Plan, Runtime, Unmodelled
from perfcast.networks._graph import Graph
from perfcast.networks.rules import onnxruntime_calls, torch_calls


def plan(graph: Graph, runtime: Runtime, *, block: int = 16) -> Plan:
    """All that a runtime does for a network.

    Args:
        graph: Of the network, at a batch of one.
        runtime: `torch`: PyTorch as its modules run in inference, nothing compiled. `onnxruntime`: ONNX Runtime on a
            CPU with all optimisations.
        block: Channels in a block of ONNX Runtime's layout: 16 where the processor has AVX-512, else 8.
    """
    steps = torch_calls(graph) if runtime == "torch" else onnxruntime_calls(graph, block)
    return Plan(
        tuple(step for step in steps if isinstance(step, Call)),
        tuple(step for step in steps if isinstance(step, Unmodelled)),
    )
