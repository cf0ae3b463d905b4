"""A graph says how far the members of its mean disagree."""

from dataclasses import replace
from typing import cast

import numpy as np
import onnx
import pytest
import spox
import spox.opset.ai.onnx.v21 as op

from perfcast.export import Target, compose, run_with_spread
from perfcast.sessions import open_session
from perfcast.training._ensemble import FittedEnsemble
from perfcast.training.families import Fitted, Lesson, spread_node
from perfcast.training.families._network import FittedNetwork
from perfcast.training.families._neural_network import NeuralNetwork
from perfcast.training.families._polynomial import Polynomial
from perfcast.workloads import Rows, Workload, builtin_workloads

CNN = builtin_workloads()["cnn-execution-time"]
CPU = builtin_workloads()["cpu-utilization"]


def lesson(workload: Workload, rows: int = 400) -> Lesson:
    random = np.random.default_rng(0)
    inputs = random.uniform(1, 30, (rows, len(workload.input_names))).astype(np.float32)
    target = np.log(inputs[:, 0] * inputs[:, 1]).astype(np.float32)
    return Lesson(inputs, target, workload.input_names, workload.trends, workload.cost.relative)


def network(taught: Lesson, members: int) -> FittedNetwork:
    family = NeuralNetwork()
    settings = {**family.start(taught), "epochs": 3, "width": 32}
    return family.join([family.fit(replace(taught, seed=seed), settings) for seed in range(members)])


def outputs(fitted: Fitted, inputs: Rows) -> list[Rows]:
    session = open_session(fitted.graph().SerializeToString())
    return cast("list[Rows]", session.run(None, {session.get_inputs()[0].name: inputs}))


def apart(fitted: FittedNetwork, inputs: Rows) -> Rows:
    return np.stack([replace(fitted, members=(member,)).predict(inputs) for member in fitted.members])


@pytest.mark.parametrize("workload", [CNN, CPU], ids=lambda workload: workload.name)
def test_a_networks_spread_is_the_standard_deviation_of_its_members(workload: Workload) -> None:
    taught = lesson(workload)
    fitted = network(taught, 3)
    target, spread = outputs(fitted, taught.inputs)
    assert target.shape == spread.shape == (400, 1)
    np.testing.assert_allclose(spread[:, 0], apart(fitted, taught.inputs).std(axis=0), rtol=1e-3, atol=1e-5)


def test_one_model_alone_has_none() -> None:
    taught = lesson(CNN)
    assert len(outputs(network(taught, 1), taught.inputs)) == 1


def test_a_means_spread_is_that_of_its_models_and_theirs_together() -> None:
    taught = lesson(CNN)
    family = Polynomial()
    several, one = network(taught, 2), family.fit(taught, family.start(taught))
    mean = FittedEnsemble((several, one), {"neural_network": 0.7, "polynomial": 0.3})
    target, spread = outputs(mean, taught.inputs)
    members = [*apart(several, taught.inputs), one.predict(taught.inputs)]
    weights = np.array([0.35, 0.35, 0.3])[:, None]
    middle = (weights * members).sum(axis=0)
    wanted = np.sqrt((weights * (members - middle) ** 2).sum(axis=0))
    np.testing.assert_allclose(target[:, 0], middle, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(spread[:, 0], wanted, rtol=1e-3, atol=1e-5)


def two_answers(workload: Workload) -> onnx.ModelProto:
    """Members that answer the first input plus and minus 0.25."""
    inputs = spox.argument(spox.Tensor(np.float32, ("rows", len(workload.input_names))))
    first = op.gather(inputs, op.constant(value=np.array([0])), axis=1)
    both = op.add(first, op.constant(value=np.array([[0.25, -0.25]], np.float32)))
    return spox.build({"inputs": inputs}, {"target": first, "spread": spread_node(both, np.array([0.5, 0.5]))})


@pytest.mark.parametrize(
    ("workload", "target", "spread"),
    [(CPU, Target(center=3, scale=8), 2.0), (CPU, Target(), 0.25), (CNN, Target(log=True, scale=8), 0.25)],
)
def test_a_spread_is_told_in_the_costs_unit_or_of_its_logarithm(
    workload: Workload, target: Target, spread: float
) -> None:
    rows = np.ones((5, len(workload.features)), dtype=np.float32)
    cost, told = run_with_spread(compose(workload, two_answers(workload), target=target), rows)
    assert cost.shape == (5,)
    assert told is not None
    assert told.tolist() == [spread] * 5
