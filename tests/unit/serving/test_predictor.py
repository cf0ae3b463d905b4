"""One loaded version."""

from datetime import UTC

import msgspec
import numpy as np
import pytest
from tests.drafts import draft, linear_graph, weighted

from perfcast.errors import BrokenVersion, InvalidInput
from perfcast.manifest import Calibration, Draft
from perfcast.registry import Version
from perfcast.serving import Predictor
from perfcast.workloads import Workload

LOAD = [30.0, 60.0, 25.0, 0.5, 0.866, 0.2588, 0.9659, 1.0]


def version_of(made: Draft) -> Version:
    return Version("m", 1, None, made.manifest, "", "2026-01-01T00:00:00Z")


def predictor(workload: Workload, graph: bytes, **options: object) -> Predictor:
    made = draft(workload, graph, **options)  # type: ignore[arg-type]
    return Predictor(version_of(made), made.graph, zone=UTC)


def test_a_row_gets_the_graphs_cost_and_the_interval_of_its_band(cpu: Workload) -> None:
    answer = predictor(cpu, weighted(cpu, request_rate=1)).answer(LOAD)
    assert (answer.cost, answer.lower, answer.upper) == (30.0, 28.0, 32.0)


def test_a_greater_cost_falls_into_the_wider_band_and_bounds_are_kept(cpu: Workload) -> None:
    answer = predictor(cpu, weighted(cpu, request_rate=3.3)).answer(LOAD)
    assert (answer.lower, answer.upper) == (pytest.approx(95.0), 100.0)


def test_relative_intervals_divide_and_multiply(cnn: Workload) -> None:
    answer = predictor(cnn, weighted(cnn, batch_size=1)).answer([11, 1, 1, 1, 1, 1, 1, 0, 1, 1, 1, 1, 0, 0, 0])
    assert (answer.lower, answer.upper) == (pytest.approx(10.0), pytest.approx(12.1))


def test_a_coverage_that_was_not_calibrated_has_no_interval(cpu: Workload) -> None:
    answer = predictor(cpu, weighted(cpu, request_rate=1)).answer(LOAD, 0.99)
    assert (answer.cost, answer.lower, answer.upper) == (30.0, None, None)


def test_features_outside_the_trained_range_are_named(cpu: Workload) -> None:
    trained = predictor(
        cpu, weighted(cpu, request_rate=1), ranges={"request_rate": (0, 29.9), "active_users": (60, 60)}
    )
    assert list(trained.answer(LOAD).extrapolated) == ["request_rate"]


def test_the_edge_of_the_trained_range_is_inside_although_float32_rounds(cpu: Workload) -> None:
    edge = float(np.float32(0.3))
    trained = predictor(cpu, weighted(cpu), ranges={"hour_sin": (edge, edge)})
    assert list(trained.answer([0, 0, 0, 0.3, 0, 0, 0, 0]).extrapolated) == []


def test_many_rows_get_the_same_answers_as_single_ones(cpu: Workload) -> None:
    loaded = predictor(cpu, weighted(cpu, request_rate=1.7, active_users=0.3), ranges={"request_rate": (0, 20)})
    rows = np.random.default_rng(0).uniform(0, 40, (50, 8)).astype(np.float32)
    answer = loaded.predict(rows)
    assert answer.lower is not None
    assert answer.upper is not None
    for index, row in enumerate(rows.tolist()):
        single = loaded.answer(row)
        assert answer.cost[index] == pytest.approx(single.cost)
        assert answer.lower[index] == pytest.approx(single.lower, rel=1e-5)
        assert answer.upper[index] == pytest.approx(single.upper, rel=1e-5)
        assert answer.extrapolated[index].any() == bool(single.extrapolated)


def test_a_cost_that_is_not_finite_is_refused_not_returned(cpu: Workload) -> None:
    loaded = predictor(cpu, linear_graph([-1.0] * 8, operator="Log"))
    with pytest.raises(InvalidInput, match="no finite cost"):
        loaded.answer(LOAD)
    with pytest.raises(InvalidInput, match="no finite cost"):
        loaded.predict(np.ones((2, 8), np.float32))


@pytest.mark.parametrize(
    ("graph", "reason"),
    [
        (b"not a graph", "can't read the graph"),
        (linear_graph([1.0] * 7), "takes 7 features"),
        (linear_graph([1.0] * 8, cost="output"), "must lead from 'features'"),
    ],
)
def test_a_graph_that_does_not_fit_is_broken(cpu: Workload, graph: bytes, reason: str) -> None:
    with pytest.raises(BrokenVersion, match=reason):
        predictor(cpu, graph)


def test_a_manifest_without_a_usable_workload_is_broken(cpu: Workload) -> None:
    made = draft(cpu, weighted(cpu))
    made.manifest.workload["features"][0]["type"] = "complex"
    with pytest.raises(BrokenVersion, match="workload document"):
        Predictor(version_of(made), made.graph, zone=UTC)


BY_SPREAD = Calibration(
    relative=False, edges=(), widths={"0.9": (1.0, 5.0)}, minimum=0, maximum=100, rows=100, spreads=((2.0,),)
)


def test_an_answer_is_as_sure_as_its_members_agree(cpu: Workload) -> None:
    made = draft(cpu, linear_graph([1, *[0] * 7], spread=[0, 0.1, *[0] * 6]))
    version = version_of(Draft(made.graph, msgspec.structs.replace(made.manifest, calibration=BY_SPREAD)))
    loaded = Predictor(version, made.graph, zone=UTC)
    sure, unsure = [30.0, 10.0, *LOAD[2:]], [30.0, 25.0, *LOAD[2:]]
    answers = [loaded.answer(row) for row in (sure, unsure)]
    assert [(one.lower, one.upper, one.spread) for one in answers] == [(29, 31, 1.0), (25, 35, 2.5)]
    many = loaded.predict(np.array([sure, unsure], dtype=np.float32))
    assert many.lower is not None
    assert many.spread is not None
    assert (many.lower.tolist(), many.spread.tolist()) == ([29, 25], [1.0, 2.5])


def test_a_graph_that_does_not_say_what_its_intervals_go_by_is_broken(cpu: Workload) -> None:
    made = draft(cpu, weighted(cpu, request_rate=1))
    manifest = msgspec.structs.replace(made.manifest, calibration=BY_SPREAD)
    with pytest.raises(BrokenVersion, match="go by 'spread'"):
        Predictor(version_of(Draft(made.graph, manifest)), made.graph, zone=UTC)
