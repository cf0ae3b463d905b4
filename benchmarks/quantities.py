"""What derived quantities cost a row: in bulk, and with one node for each operation.

    .venv/bin/python benchmarks/quantities.py

Prints nodes and the median µs of a call of ONNX Runtime with one row, the two taking turns.
"""

import statistics
import time

import numpy as np
import spox
import spox.opset.ai.onnx.v21 as op

from perfcast.export._bulk import _NODES, in_bulk
from perfcast.sessions import FEATURES, open_session
from perfcast.workloads import Operator, Workload, builtin_workloads, evaluate

CALLS, ROUNDS = 300, 25


class OneByOne:
    """One node for each operation, on quantities of shape [rows, 1]."""

    def constant(self, value: float) -> spox.Var:
        """A constant of shape [1, 1]."""
        return op.constant(value=np.full((1, 1), value, np.float32))

    def apply(self, operator: Operator, arguments: list[spox.Var]) -> spox.Var:
        """The operator's node."""
        return _NODES[operator](*arguments)


def main() -> None:
    """Measure the built-in workloads."""
    print("| workload | nodes, in bulk | one by one | µs, in bulk | one by one |\n|---|---|---|---|---|")
    for workload in builtin_workloads().values():
        features = spox.argument(spox.Tensor(np.float32, ("rows", len(workload.features))))
        bulk = in_bulk(workload.plan(), features, workload.feature_names)
        models = [
            spox.build({FEATURES: features}, {"inputs": made}) for made in (bulk, _one_by_one(workload, features))
        ]
        nodes = [sum(node.op_type != "Constant" for node in model.graph.node) for model in models]
        took = _microseconds([model.SerializeToString() for model in models], len(workload.features))
        print(f"| {workload.name} | {nodes[0]} | {nodes[1]} | {took[0]:.0f} | {took[1]:.0f} |")


def _one_by_one(workload: Workload, features: spox.Var) -> spox.Var:
    columns = op.split(features, num_outputs=len(workload.features), axis=1)
    values = dict(zip(workload.feature_names, columns, strict=True))
    for item in (*workload.indicators, *workload.derived):
        values[item.name] = evaluate(item.expression, values, OneByOne())
    return op.concat(list(values.values()), axis=1)


def _microseconds(graphs: list[bytes], features: int) -> list[float]:
    sessions = [open_session(graph) for graph in graphs]
    row = np.full((1, features), 3, np.float32)
    took: list[list[float]] = [[] for _ in sessions]
    for _ in range(ROUNDS):
        for session, times in zip(sessions, took, strict=True):
            begun = time.perf_counter()
            for _ in range(CALLS):
                session.run(None, {FEATURES: row})
            times.append((time.perf_counter() - begun) / CALLS * 1e6)
    return [statistics.median(times) for times in took]


if __name__ == "__main__":
    main()
