"""Small real versions for tests: an ONNX graph that adds up weighted features, and a manifest that fits it."""

from collections.abc import Mapping, Sequence
from hashlib import sha256

from onnx import TensorProto, helper

from perfcast.manifest import COVERAGES, Calibration, Draft, GraphFacts, Manifest, Metrics
from perfcast.workloads import Workload


def linear_graph(
    weights: Sequence[float], *, operator: str = "Identity", cost: str = "cost", spread: Sequence[float] | None = None
) -> bytes:
    """`features` float32 [rows, n] → `operator(Σ weight × feature)` float32 [rows]; the `spread` by other weights."""
    nodes = [
        helper.make_node("MatMul", ["features", "weights"], ["column"]),
        helper.make_node("Reshape", ["column", "flat"], ["sum"]),
        helper.make_node(operator, ["sum"], [cost]),
    ]
    constants = [
        helper.make_tensor("weights", TensorProto.FLOAT, [len(weights), 1], list(weights)),
        helper.make_tensor("flat", TensorProto.INT64, [1], [-1]),
    ]
    inputs = [helper.make_tensor_value_info("features", TensorProto.FLOAT, ["rows", len(weights)])]
    outputs = [helper.make_tensor_value_info(cost, TensorProto.FLOAT, ["rows"])]
    if spread is not None:
        nodes += [
            helper.make_node("MatMul", ["features", "apart"], ["apart_column"]),
            helper.make_node("Reshape", ["apart_column", "flat"], ["spread"]),
        ]
        constants.append(helper.make_tensor("apart", TensorProto.FLOAT, [len(spread), 1], list(spread)))
        outputs.append(helper.make_tensor_value_info("spread", TensorProto.FLOAT, ["rows"]))
    graph = helper.make_graph(nodes, "linear", inputs, outputs, constants)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 21)], ir_version=10)
    return bytes(model.SerializeToString())


def draft(
    workload: Workload,
    graph: bytes,
    *,
    ranges: Mapping[str, tuple[float, float]] | None = None,
    calibrated: bool = True,
    family: str = "xgboost",
) -> Draft:
    """A version of that graph; intervals are ±10 % (relative) or ±2 wide below a cost of 50, and twice that above."""
    width = (1.1, 1.2) if workload.cost.relative else (2.0, 4.0)
    calibration = Calibration(
        relative=workload.cost.relative,
        edges=(50.0,),
        widths={str(coverage): width for coverage in COVERAGES if coverage != 0.99},
        minimum=workload.cost.minimum,
        maximum=workload.cost.maximum,
        rows=100,
    )
    manifest = Manifest(
        type=family,
        workload=workload.document(),
        ranges=ranges or {},
        graph=GraphFacts(sha256=sha256(graph).hexdigest(), bytes=len(graph), opset=21, ir=10, row_us=9.0),
        created_at="2026-01-01T00:00:00Z",
        metrics=Metrics(rows=10, mae=1.5, rmse=2.0, r2=0.9),
        calibration=calibration if calibrated else None,
        search={"trials": 20},
    )
    return Draft(graph, manifest)


def weighted(workload: Workload, **weights: float) -> bytes:
    """The graph that adds up the named features by these weights."""
    return linear_graph([weights.get(name, 0.0) for name in workload.feature_names])
