"""One ONNX graph from raw features to the cost (rule R1), whatever trained its middle."""

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import onnx
import spox
import spox.opset.ai.onnx.v21 as op

from perfcast.errors import Refused
from perfcast.export._target import Target
from perfcast.manifest import LARGEST_GRAPH
from perfcast.sessions import COST, FEATURES
from perfcast.workloads import Expression, Name, Operator, Workload, evaluate, names

IR_VERSION = 10


class GraphArithmetic:
    """Runs a workload's expressions by adding nodes to a graph; quantities are float32 [rows, 1]."""

    def constant(self, value: float) -> spox.Var:
        """A float32 constant of shape [1, 1]."""
        return op.constant(value=np.full((1, 1), value, dtype=np.float32))

    def apply(self, operator: Operator, arguments: Sequence[spox.Var]) -> spox.Var:
        """The node of that operator."""
        return _NODES[operator](*arguments)


_NODES: Mapping[Operator, Callable[..., spox.Var]] = {
    "add": op.add,
    "subtract": op.sub,
    "multiply": op.mul,
    "divide": op.div,
    "floor": op.floor,
    "ceil": op.ceil,
    "minimum": lambda left, right: op.min([left, right]),
    "maximum": lambda left, right: op.max([left, right]),
}


def compose(
    workload: Workload,
    body: onnx.ModelProto,
    *,
    target: Target | None = None,
    inputs: Sequence[Expression] | None = None,
) -> bytes:
    """Wrap a fitted family's graph so that it takes features and gives the cost.

    Args:
        workload: Whose features, derived quantities and cost bounds to build in.
        body: Graph with one input, float32 [rows, inputs] as `workload.input_names`, and one output in target space,
            float32 [rows] or [rows, 1].
        target: How the body's answers become costs; they are costs where None.
        inputs: What the body reads, over `workload.input_names`, in its order, where it is not just those.

    Returns:
        A serialised graph from `features`, float32 [rows, features], to `cost`, float32 [rows].

    Raises:
        Refused: It is larger than a version may be.
    """
    features = spox.argument(spox.Tensor(np.float32, ("rows", len(workload.features))))
    columns = op.split(features, num_outputs=len(workload.features), axis=1)
    quantities = dict(zip(workload.input_names, workload.quantities(list(columns), GraphArithmetic()), strict=True))
    read = [_column(item, quantities) for item in inputs or map(Name, quantities)]
    (raw,) = spox.inline(body)(op.concat(read, axis=1)).values()
    column = op.reshape(raw, op.constant(value=np.array([-1], dtype=np.int64)))
    model = spox.build({FEATURES: features}, {COST: (target or Target()).node(workload, column)})
    model.ir_version = IR_VERSION
    model.doc_string = f"Perfcast: {workload.cost.name} ({workload.cost.unit}) of {workload.name}"
    onnx.checker.check_model(model)
    return _bounded(model.SerializeToString())


def _column(expression: Expression, quantities: Mapping[str, spox.Var]) -> spox.Var:
    value = evaluate(expression, quantities, GraphArithmetic())
    return value if any(names(expression)) else op.expand(value, op.shape(next(iter(quantities.values()))))


def _bounded(graph: bytes) -> bytes:
    if len(graph) > LARGEST_GRAPH:
        raise Refused(
            f"the graph is {len(graph) / 1e6:.1f} MB, more than the {LARGEST_GRAPH / 1e6:.0f} MB a version may be; "
            "use fewer or smaller trees"
        )
    return graph
