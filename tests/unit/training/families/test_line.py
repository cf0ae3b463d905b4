"""A line beneath trees goes on where they end, and never against a trend."""

from dataclasses import replace

import numpy as np
import onnxruntime as ort
import pytest
from hypothesis import given
from hypothesis import strategies as st

from perfcast.training.families import Fitted, Lesson, families
from perfcast.training.families._line import SHARES, Line, line_beneath
from perfcast.workloads import Rows

RANDOM = np.random.default_rng(0)
INPUTS = RANDOM.uniform(0, 1, (800, 3)).astype(np.float32)
TARGET = (2 * INPUTS[:, 0] + np.sin(6 * INPUTS[:, 1]) - INPUTS[:, 2] + RANDOM.normal(0, 0.05, 800)).astype(np.float32)
LESSON = Lesson(INPUTS, TARGET, ("load", "free", "capacity"), (1, 0, -1))


def learnt(share: float, lesson: Lesson = LESSON) -> Line:
    line = line_beneath(lesson, share)
    assert line is not None
    return line


def graph_answer(fitted: Fitted, inputs: Rows) -> Rows:
    session = ort.InferenceSession(fitted.graph().SerializeToString(), providers=["CPUExecutionProvider"])
    (answer,) = session.run(None, {session.get_inputs()[0].name: inputs})
    return np.asarray(answer).reshape(-1)


@pytest.mark.parametrize("share", SHARES)
@pytest.mark.parametrize("name", ["xgboost", "random_forest"])
def test_it_goes_on_where_training_rows_end_natively_and_in_the_graph(name: str, share: float) -> None:
    family = families()[name]
    fitted = family.fit(LESSON, {**family.start(LESSON), "line": share, "rounds": 100})
    rows = np.array([[2, 0.5, 0.5], [3, 0.5, 0.5], [1e6, -1e6, 0.5]], dtype=np.float32)
    answers = fitted.predict(rows)
    assert answers[1] - answers[0] == pytest.approx(2, rel=0.1)
    np.testing.assert_allclose(graph_answer(fitted, rows), answers, rtol=1e-4)
    np.testing.assert_allclose(graph_answer(fitted, INPUTS), fitted.predict(INPUTS), rtol=1e-4, atol=1e-4)
    assert np.abs(fitted.predict(INPUTS) - TARGET).mean() < 0.4


@given(
    share=st.sampled_from(SHARES),
    row=st.tuples(*[st.floats(-5, 5, width=32)] * 3),
    more=st.floats(0, 1e6, width=32),
    turned=st.booleans(),
)
def test_it_never_goes_against_a_trend(share: float, row: tuple[float, ...], more: float, *, turned: bool) -> None:
    line = learnt(share, replace(LESSON, target=-TARGET) if turned else LESSON)
    rows = np.array([row] * 3, dtype=np.float32)
    rows[1, 0] += np.float32(more)
    rows[2, 2] += np.float32(more)
    base, loaded, larger = line(rows)
    rounding = 1e-5 * (1 + np.abs([base, loaded, larger]).max())
    assert loaded >= base - rounding
    assert larger <= base + rounding


def test_inputs_without_a_trend_carry_it_no_further_than_training_rows_reach_twice() -> None:
    line = learnt(1.0)
    rows = np.array([[0.5, 9, 0.5], [0.5, 900, 0.5]], dtype=np.float32)
    assert line(rows)[0] == line(rows)[1]


def test_mistakes_in_few_rows_do_not_bend_it() -> None:
    target = TARGET.copy()
    target[::50] += 40
    np.testing.assert_allclose(learnt(1.0, replace(LESSON, target=target)).slopes, learnt(1.0).slopes, atol=0.1)


def test_there_is_none_where_it_would_be_an_exponential_or_nothing_rises() -> None:
    assert line_beneath(replace(LESSON, relative=True), 1.0) is None
    assert line_beneath(replace(LESSON, trends=(0, 0, -1)), 0.0) is None
    assert line_beneath(replace(LESSON, trends=(0, 0, 0)), 1.0) is None
    assert line_beneath(LESSON, 0.0) is not None
