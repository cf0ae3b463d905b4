import numpy as np
import onnx
import pytest
import spox
import spox.opset.ai.onnx.v17 as op

from perfcast.errors import BrokenVersion, Refused
from perfcast.export import Target, check_parity, compose, measure, run
from perfcast.sessions import COST, FEATURES
from perfcast.workloads import Rows, Workload, builtin_workloads
from perfcast.workloads.cnn_execution_time.profiler._sampler import sample_configurations

ROWS = 400


def body_of(workload: Workload, weights: Rows) -> onnx.ModelProto:
    """A linear body: inputs times weights."""
    inputs = spox.argument(spox.Tensor(np.float32, ("rows", len(workload.input_names))))
    return spox.build({"inputs": inputs}, {"raw": op.matmul(inputs, op.constant(value=weights[:, None]))})


def picking(workload: Workload, name: str) -> Rows:
    return np.array([1.0 if name == other else 0.0 for other in workload.input_names], dtype=np.float32)


@pytest.fixture(scope="module")
def convolution() -> Workload:
    return builtin_workloads()["cnn-execution-time"]


@pytest.fixture(scope="module")
def rows(convolution: Workload) -> Rows:
    sampled = sample_configurations(ROWS, seed=1)
    return np.array([[getattr(item, name) for name in convolution.feature_names] for item in sampled], dtype=np.float32)


def test_a_log_target_is_undone_and_the_cost_kept_within_its_bounds(convolution: Workload, rows: Rows) -> None:
    service = builtin_workloads()["cpu-utilization"]
    graph = compose(service, body_of(service, picking(service, "request_rate")))
    loads = np.zeros((3, len(service.features)), dtype=np.float32)
    loads[:, 0] = (50, 150, 1e6)
    np.testing.assert_array_equal(run(graph, loads), [50, 100, 100])
    graph = compose(convolution, body_of(convolution, picking(convolution, "kernel_size")), target=Target(log=True))
    np.testing.assert_allclose(run(graph, rows), np.exp(rows[:, 5]), rtol=1e-6)


def test_the_graph_has_the_agreed_face(convolution: Workload) -> None:
    graph = onnx.load_model_from_string(
        compose(convolution, body_of(convolution, picking(convolution, "stride")), target=Target(log=True))
    )
    assert [item.name for item in graph.graph.input] == [FEATURES]
    assert [item.name for item in graph.graph.output] == [COST]
    assert len(graph.graph.output[0].type.tensor_type.shape.dim) == 1


def test_parity_is_measured_and_a_difference_refused(convolution: Workload, rows: Rows) -> None:
    graph = compose(convolution, body_of(convolution, picking(convolution, "batch_size")))
    parity = check_parity(graph, lambda features: features[:, 0] * np.float32(1 + 5e-5), rows)
    assert parity.rows == ROWS
    assert 4e-5 < parity.p999 <= parity.worst < 6e-5
    with pytest.raises(Refused, match="differ by 2"):
        check_parity(graph, lambda features: features[:, 0] * np.float32(1 + 2e-4), rows)
    with pytest.raises(Refused, match="finite"):
        check_parity(graph, lambda features: features[:, 0] * np.float32(np.nan), rows)


def test_size_opset_and_time_of_a_row_are_recorded(convolution: Workload, rows: Rows) -> None:
    graph = compose(convolution, body_of(convolution, picking(convolution, "batch_size")))
    facts = measure(graph, rows, lambda features: features[:, 0], repeats=20)
    assert facts.bytes == len(graph)
    assert facts.opset >= 13
    assert facts.row_us > 0
    assert facts.native_row_us is not None


def test_a_graph_over_the_limit_is_refused(convolution: Workload) -> None:
    inputs = spox.argument(spox.Tensor(np.float32, ("rows", len(convolution.input_names))))
    large = op.constant(
        value=np.random.default_rng(0).random((len(convolution.input_names), 150_000), dtype=np.float32)
    )
    summed = op.reduce_sum(op.matmul(inputs, large), op.constant(value=np.array([1])))
    with pytest.raises(Refused, match="MB"):
        compose(convolution, spox.build({"inputs": inputs}, {"raw": summed}))


def test_bytes_that_are_no_graph_are_named_as_broken(rows: Rows) -> None:
    with pytest.raises(BrokenVersion, match="can't read"):
        run(b"not a graph", rows)
