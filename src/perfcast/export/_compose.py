"""One ONNX graph from raw features to the cost (rule R1), whatever trained its middle."""

from collections.abc import Sequence

import numpy as np
import onnx
import spox
import spox.opset.ai.onnx.v21 as op

from perfcast.errors import Refused
from perfcast.export._bulk import in_bulk
from perfcast.export._target import Target
from perfcast.manifest import LARGEST_GRAPH
from perfcast.sessions import COST, FEATURES, SPREAD
from perfcast.workloads import Expression, Workload

IR_VERSION = 10


def compose(
    workload: Workload,
    body: onnx.ModelProto,
    *,
    target: Target | None = None,
    inputs: Sequence[Expression] | None = None,
    base: bytes | None = None,
) -> bytes:
    """Wrap a fitted family's graph so that it takes features and gives the cost.

    Args:
        workload: Whose features, derived quantities and cost bounds to build in.
        body: Graph with one input, float32 [rows, inputs] as `workload.input_names`, and one output in target space,
            float32 [rows] or [rows, 1]; where it is a mean of members, a second like it: their standard deviation.
        target: How the body's answers become costs; they are costs where None.
        inputs: What the body reads, over `workload.input_names`, in its order, where it is not just those.
        base: Graph of an older version of the same features, whose cost the body reads last.

    Returns:
        A serialised graph from `features`, float32 [rows, features], to `cost`, float32 [rows], and `spread` likewise.

    Raises:
        Refused: It is larger than a version may be.
    """
    features = spox.argument(spox.Tensor(np.float32, ("rows", len(workload.features))))
    read = in_bulk(workload.plan(inputs), features, workload.feature_names)
    if base is not None:
        cost, *_ = spox.inline(onnx.load_from_string(base))(features).values()
        read = op.concat([read, op.reshape(cost, op.constant(value=np.array([-1, 1], dtype=np.int64)))], axis=1)
    target, flat = target or Target(), op.constant(value=np.array([-1], dtype=np.int64))
    raw, *apart = (op.reshape(value, flat) for value in spox.inline(body)(read).values())
    outputs = {COST: target.node(workload, raw)}
    if apart:
        outputs[SPREAD] = target.spread_node(apart[0])
    model = spox.build({FEATURES: features}, outputs)
    model.ir_version = IR_VERSION
    model.doc_string = f"Perfcast: {workload.cost.name} ({workload.cost.unit}) of {workload.name}"
    onnx.checker.check_model(model)
    return _bounded(model.SerializeToString())


def _bounded(graph: bytes) -> bytes:
    if len(graph) > LARGEST_GRAPH:
        raise Refused(
            f"the graph is {len(graph) / 1e6:.1f} MB, more than the {LARGEST_GRAPH / 1e6:.0f} MB a version may be; "
            "use fewer or smaller trees"
        )
    return graph
