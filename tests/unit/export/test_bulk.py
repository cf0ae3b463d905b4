from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import pytest
import spox
from hypothesis import given, settings
from hypothesis import strategies as st

from perfcast.export._bulk import in_bulk
from perfcast.sessions import open_session
from perfcast.workloads import ArrayArithmetic, Expression, Name, Rows, builtin_workloads, evaluate, parse
from perfcast.workloads._expressions import Operation
from perfcast.workloads._terms import Plan, plan
from perfcast.workloads.cnn_execution_time.profiler._sampler import sample_configurations

NAMES = ("a", "b", "c")
ROWS = 400


def run(planned: Plan, names: Sequence[str], features: Rows) -> Rows:
    argument = spox.argument(spox.Tensor(np.float32, ("rows", len(names))))
    model = spox.build({"features": argument}, {"outputs": in_bulk(planned, argument, names)})
    model.ir_version = 10
    (outputs,) = open_session(model.SerializeToString()).run(None, {"features": features})
    return np.asarray(outputs)


def nodes(planned: Plan, names: Sequence[str]) -> int:
    argument = spox.argument(spox.Tensor(np.float32, ("rows", len(names))))
    model = spox.build({"features": argument}, {"outputs": in_bulk(planned, argument, names)})
    return sum(node.op_type != "Constant" for node in model.graph.node)


def natively(expressions: Mapping[str, Expression], names: Sequence[str], features: Rows) -> Rows:
    values = dict(zip(names, features.T, strict=True))
    for name, expression in expressions.items():
        values[name] = np.broadcast_to(evaluate(expression, values, ArrayArithmetic()), len(features))
    return np.stack([values[name] for name in expressions], axis=1)


def parts(expression: Expression) -> Iterator[Expression]:
    yield expression
    if isinstance(expression, Operation):
        for argument in expression.arguments:
            yield from parts(argument)


def grown(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.one_of(
        st.tuples(inner, st.sampled_from(["+", "-", "*", "/", "//", "%"]), inner).map(
            lambda made: f"({' '.join(made)})"
        ),
        st.tuples(st.sampled_from(["min", "max"]), inner, inner).map(lambda made: f"{made[0]}({made[1]}, {made[2]})"),
        st.tuples(st.sampled_from(["floor", "ceil", "abs"]), inner).map(lambda made: f"{made[0]}({made[1]})"),
    )


texts = st.recursive(
    st.one_of(st.sampled_from(NAMES), st.sampled_from(["0", "1", "3", "0.1", "1e6"])), grown, max_leaves=8
)
values = st.one_of(st.integers(-40, 4096), st.floats(-1e6, 1e6, width=32))


@settings(deadline=None)
@given(
    texts=st.lists(texts, min_size=1, max_size=12),
    rows=st.lists(st.tuples(values, values, values), min_size=1, max_size=4),
)
def test_any_expressions_have_the_same_bits_in_bulk_and_on_arrays(
    texts: list[str], rows: list[tuple[float, float, float]]
) -> None:
    expressions = {f"q{number}": parse(text) for number, text in enumerate(texts)}
    features = np.array(rows, dtype=np.float32)
    planned = plan(expressions, list(map(Name, expressions)))
    made, expected = run(planned, NAMES, features), natively(expressions, NAMES, features)
    # Which zero the least of 0 and -0 is, is left open (IEEE 754), and with it an infinity's sign in any step on the
    # way; rows that have infinities are refused.
    steps = [part for expression in expressions.values() for part in parts(expression)]
    told = np.isfinite(natively({f"s{number}": step for number, step in enumerate(steps)}, NAMES, features)).all(axis=1)
    np.testing.assert_array_equal(made[told], expected[told])


@pytest.fixture(scope="module")
def convolutions() -> Rows:
    names = builtin_workloads()["cnn-execution-time"].feature_names
    sampled = sample_configurations(ROWS, seed=1)
    return np.array([[getattr(item, name) for name in names] for item in sampled], dtype=np.float32)


def test_every_quantity_of_a_convolution_has_the_same_bits_in_the_graph(convolutions: Rows) -> None:
    workload = builtin_workloads()["cnn-execution-time"]
    found = run(workload.plan(), workload.feature_names, convolutions)
    for column, name in enumerate(workload.input_names):
        expected = workload.inputs(convolutions)[:, column]
        np.testing.assert_array_equal(found[:, column], expected, err_msg=name)


def test_many_expressions_of_one_form_take_no_more_nodes_than_a_few() -> None:
    def quantities(count: int) -> Plan:
        made = {f"q{number}": parse(f"ceil(a / {number + 2}) * {number + 2} / a") for number in range(count)}
        return plan(made, list(map(Name, made)))

    assert nodes(quantities(100), ("a",)) == nodes(quantities(3), ("a",))


def test_what_is_not_asked_for_is_not_computed() -> None:
    made = {"twice": parse("a * 2"), "dear": parse("ceil(a / 7) + floor(b / 3)")}
    assert nodes(plan(made, [Name("twice")]), NAMES) < nodes(plan(made, [Name("twice"), Name("dear")]), NAMES)


def test_constants_and_features_may_stand_among_what_is_wanted() -> None:
    wanted = [parse("2 * 3"), Name("c"), parse("a + 1"), Name("a"), Name("a")]
    features = np.array([[1, 2, 3], [4, 5, 6]], dtype=np.float32)
    np.testing.assert_array_equal(run(plan({}, wanted), NAMES, features), [[6, 3, 2, 1, 1], [6, 6, 5, 4, 4]])
    np.testing.assert_array_equal(run(plan({}, wanted[:1]), NAMES, features), [[6], [6]])
