"""Costs of every magnitude become targets around 0, and come back, natively and in the graph alike."""

import numpy as np
import pytest
import spox
from hypothesis import given, settings
from hypothesis import strategies as st

from perfcast.export import Target
from perfcast.sessions import COST
from perfcast.workloads import Rows, Workload, workload_from_document


def workload_of(*, relative: bool) -> Workload:
    cost = {"name": "cost", "unit": "", "relative": relative} | ({"minimum": 0} if relative else {})
    return workload_from_document({"name": "any", "cost": cost, "features": [{"name": "size"}]})


def in_a_graph(target: Target, workload: Workload, values: Rows) -> Rows:
    import onnxruntime as ort

    argument = spox.argument(spox.Tensor(np.float32, ("rows",)))
    graph = spox.build({"target": argument}, {COST: target.node(workload, argument)})
    graph.ir_version = 10
    session = ort.InferenceSession(graph.SerializeToString(), providers=["CPUExecutionProvider"])
    (cost,) = session.run(None, {"target": values})
    return np.asarray(cost)


@pytest.mark.parametrize("relative", [True, False])
@given(magnitude=st.floats(-14, 18), spread=st.floats(0, 3), seed=st.integers(0, 9))
@settings(max_examples=15, deadline=None)
def test_a_cost_of_any_magnitude_comes_back(*, relative: bool, magnitude: float, spread: float, seed: int) -> None:
    workload = workload_of(relative=relative)
    cost = (10.0**magnitude * np.exp(np.random.default_rng(seed).normal(0, spread, 50))).astype(np.float32)
    target = Target.of(workload, cost)
    values = target.from_cost(cost)
    assert np.abs(values).max() < 30
    back = target.to_cost(workload, values)
    np.testing.assert_allclose(back, cost, rtol=1e-5, atol=0 if relative else 1e-6 * cost.max())
    np.testing.assert_allclose(in_a_graph(target, workload, values), back, rtol=1e-6, atol=1e-7 * np.abs(back).max())


def test_equal_costs_and_zeros_are_no_obstacle() -> None:
    for value in (0.0, 7.0, 1e15):
        cost = np.full(5, value, dtype=np.float32)
        target = Target.of(workload_of(relative=False), cost)
        np.testing.assert_array_equal(target.to_cost(workload_of(relative=False), target.from_cost(cost)), cost)
