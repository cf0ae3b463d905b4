"""`model.yaml` may say by arithmetic what a model's inputs are, as the predecessor's polynomial file needs it."""

from pathlib import Path
from textwrap import dedent

import numpy as np
import polars as pl
import pytest
from sklearn.linear_model import Lasso
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import PolynomialFeatures, StandardScaler
from tests.unit.discovery.conftest import Convert, all_features, dumped

from perfcast.discovery.conversion._inputs import README_ORDER
from perfcast.errors import Refused
from perfcast.export import run
from perfcast.workloads import builtin_workloads

NAMES = ("Batch_Size", "Input_Size", "In_Channels", "Out_Channels", "Kernel_Size", "Stride", "Padding")
NAMES = (*NAMES, "Algorithm_direct", "Algorithm_smm")
PAGE = Path(__file__).parents[3] / "docs/predecessors.md"
DIRECT = dedent(PAGE.read_text().split("```yaml")[2].split("```")[0]).encode()
"""The page's own example."""
SMM = DIRECT.replace(b"direct: 1", b"direct: 0").replace(b"smm: 0", b"smm: 1")
POSITIONS = [0, 2, 1, 4, 5, 6, 7]
"""Of the file's first seven inputs among the README's eight."""


def asked(rows: np.ndarray, direct: float) -> np.ndarray:
    """What the file is asked for rows in the README's order: double [rows, 9]."""
    return np.column_stack([rows[:, POSITIONS], np.full(len(rows), direct), np.full(len(rows), 1 - direct)])


@pytest.fixture(scope="module")
def polynomial(rows: np.ndarray, cost: np.ndarray) -> Pipeline:
    """Fitted on named columns, both algorithms in one file; one of them takes half as long again."""
    table = pl.DataFrame(np.concatenate([asked(rows, 1), asked(rows, 0)]), schema=list(NAMES))
    model = make_pipeline(PolynomialFeatures(2), StandardScaler(), Lasso(alpha=0.05))
    return model.fit(table, np.concatenate([cost, 1.5 * cost]))


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(("hints", "direct"), [(DIRECT, 1.0), (SMM, 0.0)])
def test_the_predecessors_polynomial_file_is_served(
    hints: bytes, direct: float, polynomial: Pipeline, rows: np.ndarray, to_graph: Convert
) -> None:
    converted = to_graph("best_lasso_model.joblib", dumped(polynomial), model__yaml=hints)
    assert converted.inputs[:3] == ("batch_size", "input_height", "input_channels")
    assert converted.inputs[-2:] == (f"{direct:g}", f"{1 - direct:g}")
    expected = np.clip(polynomial.predict(asked(rows, direct)), 0, None)
    np.testing.assert_allclose(run(converted.graph, all_features(rows)), expected, rtol=1e-4, atol=1e-6)


@pytest.mark.filterwarnings("ignore")
def test_inputs_without_names_are_said_in_order_and_may_be_arithmetic(
    rows: np.ndarray, cost: np.ndarray, to_graph: Convert
) -> None:
    read = np.column_stack([rows[:, 2] * rows[:, 3], rows[:, 6], np.full(len(rows), 2.5), 1 / rows[:, 7].clip(1)])
    model = make_pipeline(StandardScaler(), Lasso(alpha=0.01)).fit(read, cost)
    texts = ["input_height * input_width", "stride", 2.5, "1 / max(padding, 1)"]
    for form in (f"inputs: {texts}", f"inputs: {dict(zip('abcd', texts, strict=True))}"):
        converted = to_graph("best_ridge_model.joblib", dumped(model), model__yaml=form.encode())
        expected = np.clip(model.predict(read), 0, None)
        np.testing.assert_allclose(run(converted.graph, all_features(rows)), expected, rtol=1e-4, atol=1e-6)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(
    ("hints", "said"),
    [
        (b"workload: cnn-execution-time", "Algorithm_smm, which cnn-execution-time's are not; put a model.yaml"),
        (b"inputs: []", "model.yaml names 0 inputs, but the model reads 9"),
        (
            DIRECT + b"activation: tanh",
            "'activation: tanh' is for PyTorch networks .*; best_lasso_model.joblib is none, so remove that line$",
        ),
        (DIRECT.replace(b"  Stride: stride\n", b""), "needs one line for each of Batch_Size, .*among them: Stride$"),
        (DIRECT.replace(b"Stride:", b"Step:"), "missing or not among them: Step, Stride$"),
        (DIRECT.replace(b": stride", b": step"), "cnn-execution-time has no step; it has batch_size"),
        (DIRECT.replace(b": stride", b": stride +"), "'stride \\+' is not an arithmetic expression"),
        (DIRECT.replace(b": stride", b": sin(stride)"), r"sin\(\) with 1 arguments"),
        (DIRECT.replace(b"direct: 1", b"direct: true"), "inputs.*expected .*got true or false"),
        (
            DIRECT.replace(b": stride", b": 1 / (batch_size - batch_size)"),
            "on all but 0 of the rows compared what it reads",
        ),
        (None, "put a model.yaml beside it with 'inputs:' and a line for each, such as 'Input_Size: input_height'"),
    ],
)
def test_inputs_that_do_not_fit_are_refused_by_name(
    hints: bytes | None, said: str, polynomial: Pipeline, to_graph: Convert
) -> None:
    beside = {} if hints is None else {"model__yaml": hints}
    with pytest.raises(Refused, match=said):
        to_graph("best_lasso_model.joblib", dumped(polynomial), **beside)


CPU, CNN, *_ = builtin_workloads().values()


@pytest.mark.parametrize("hints", [b"workload: cpu-utilization", b"workload: cpu-utilization\ninputs:\n"])
def test_with_a_workload_alone_the_inputs_are_its_features_in_order(hints: bytes, to_graph: Convert) -> None:
    table = np.random.default_rng(0).uniform(1, 20, (50, len(CPU.features)))
    model = Lasso(alpha=0.01).fit(table, 20 + table[:, 1])
    converted = to_graph("best_ridge_model.joblib", dumped(model), model__yaml=hints)
    assert (converted.workload, converted.inputs) == ("cpu-utilization", CPU.feature_names)


def test_with_a_workload_alone_another_count_is_refused_by_both(to_graph: Convert) -> None:
    model = Lasso().fit(np.ones((5, 2)), np.ones(5))
    said = (
        f"it reads 2 inputs, not the {len(CPU.features)} features of cpu-utilization; add 'inputs:' to its model.yaml"
    )
    with pytest.raises(Refused, match=said):
        to_graph("best_ridge_model.joblib", dumped(model), model__yaml=b"workload: cpu-utilization")


def test_the_usual_workload_named_alone_means_the_usual_inputs_or_all_features(
    rows: np.ndarray, cost: np.ndarray, to_graph: Convert
) -> None:
    hints = b"workload: cnn-execution-time"
    model = Lasso(alpha=0.01).fit(rows[:, :7], cost)
    assert to_graph("best_ridge_model.joblib", dumped(model), model__yaml=hints).inputs == README_ORDER[:7]
    model = Lasso(alpha=0.01).fit(all_features(rows).astype(np.float64), cost)
    assert to_graph("best_ridge_model.joblib", dumped(model), model__yaml=hints).inputs == CNN.feature_names
