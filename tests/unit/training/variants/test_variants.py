"""Smaller forms of versions."""

from dataclasses import replace

import numpy as np
import onnx
import pytest
from msgspec.structs import replace as replace_manifest
from tests.drafts import linear_graph

from perfcast.datasets import Dataset
from perfcast.errors import InvalidSetting, Refused
from perfcast.export import run, run_with_spread
from perfcast.manifest import Draft, Manifest
from perfcast.sessions import open_session
from perfcast.training import Budget, Training, train
from perfcast.training.families._tree_graph import Trees, tree_graph
from perfcast.training.judging import calibrate
from perfcast.training.variants import Figures, Variation, distill, prune, quantize, vary
from perfcast.training.variants._forest import OPERATOR, _read, _write, merge_weakest, visits
from perfcast.training.variants._graph import Graph

TREES = ("xgboost", "random_forest")


@pytest.fixture(scope="module")
def training(dataset: Dataset) -> Training:
    return train(dataset, Budget(4), threads=1)


def of(training: Training, family: str) -> Draft:
    return next(draft for draft in training.drafts if draft.manifest.type == family)


def leaves(graph: bytes) -> int:
    (node,) = (node for node in onnx.load_model_from_string(graph).graph.node if node.op_type == OPERATOR)
    return next(len(item.floats) for item in node.attribute if item.name == "target_weights")


def products(graph: bytes) -> list[str]:
    return [node.input[1] for node in Graph(graph).nodes if node.op_type == "MatMul"]


def network(into: np.ndarray, shift: np.ndarray, out: np.ndarray, end: np.ndarray) -> bytes:
    """`features` → product, shift, Relu, product, end → `cost`."""
    nodes = [
        onnx.helper.make_node("MatMul", ["features", "into"], ["a"]),
        onnx.helper.make_node("Add", ["a", "shift"], ["b"]),
        onnx.helper.make_node("Relu", ["b"], ["c"]),
        onnx.helper.make_node("MatMul", ["c", "out"], ["d"]),
        onnx.helper.make_node("Add", ["d", "end"], ["e"]),
        onnx.helper.make_node("Reshape", ["e", "flat"], ["cost"]),
    ]
    arrays = {"into": into, "shift": shift, "out": out, "end": end, "flat": np.array([-1])}
    constants = [onnx.numpy_helper.from_array(value, name) for name, value in arrays.items()]
    inputs = [onnx.helper.make_tensor_value_info("features", onnx.TensorProto.FLOAT, ["rows", len(into)])]
    outputs = [onnx.helper.make_tensor_value_info("cost", onnx.TensorProto.FLOAT, ["rows"])]
    made = onnx.helper.make_graph(nodes, "network", inputs, outputs, constants)
    opsets = [onnx.helper.make_opsetid("", 21)]
    return bytes(onnx.helper.make_model(made, opset_imports=opsets, ir_version=10).SerializeToString())


def stump_of_three(mode: str = "BRANCH_LT") -> Trees:
    """x < 1 → 10; else x < 2 → 20, else 24; and a tree that is one leaf of 1."""
    return Trees(
        left=np.array([1, -1, 3, -1, -1, -1]),
        right=np.array([2, -1, 4, -1, -1, -1]),
        feature=np.array([0, 0, 0, 0, 0, 0]),
        value=np.array([1, 10, 2, 20, 24, 1], dtype=np.float32),
        sizes=(5, 1),
        mode=mode,  # type: ignore[arg-type]
        base=0.5,
    )


def test_rows_are_counted_where_they_pass() -> None:
    inputs = np.array([[0], [1], [1.5], [2], [9]], dtype=np.float32)
    assert visits(stump_of_three(), inputs).tolist() == [5, 1, 4, 2, 2, 5]
    assert visits(stump_of_three("BRANCH_LEQ"), inputs).tolist() == [5, 2, 3, 2, 1, 5]


def test_the_split_that_matters_least_goes_first_and_its_leaf_is_the_mean_by_rows() -> None:
    thinner = merge_weakest(stump_of_three(), np.array([10, 6, 4, 3, 1, 10]), 0.75)
    assert thinner.sizes == (3, 1)
    assert thinner.left.tolist() == [1, -1, -1, -1]
    assert thinner.right.tolist() == [2, -1, -1, -1]
    assert thinner.value.tolist() == [1, 10, 21, 1]
    assert merge_weakest(thinner, np.array([10, 6, 4, 10]), 0.1).value.tolist() == [pytest.approx(14.4), 1]


def test_a_split_that_no_row_reaches_costs_nothing_and_leaves_the_middle() -> None:
    thinner = merge_weakest(stump_of_three(), np.array([6, 6, 0, 0, 0, 6]), 0.75)
    assert thinner.value.tolist() == [1, 10, 22, 1]


@pytest.mark.parametrize("family", TREES)
def test_trees_that_are_read_and_written_answer_as_before(training: Training, family: str) -> None:
    graph = of(training, family).graph
    copy = Graph(graph)
    (node,) = (node for node in copy.nodes if node.op_type == OPERATOR)
    trees = _read(node)
    assert trees is not None
    _write(node, trees)
    test = training.split.test.features
    np.testing.assert_array_equal(run(copy.to_bytes(), test), run(graph, test))


@pytest.mark.parametrize("family", TREES)
@pytest.mark.parametrize("keep", [0.5, 0.2])
def test_a_pruned_version_has_so_many_leaves_and_keeps_its_mean(training: Training, family: str, keep: float) -> None:
    graph, rows = of(training, family).graph, training.split.train.features
    thinner = prune(graph, keep, rows)
    assert leaves(thinner) == pytest.approx(keep * leaves(graph), abs=1)
    assert len(thinner) < (keep + 0.1) * len(graph)
    before, after = np.log(run(graph, rows)), np.log(run(thinner, rows))
    assert after.mean() == pytest.approx(before.mean(), abs=1e-3)
    assert np.abs(after - before).max() > 0


def test_a_pruned_version_keeps_the_trends_that_its_trees_keep(training: Training) -> None:
    draft, rows = of(training, "xgboost"), training.split.train.features
    assert draft.manifest.keeps_trends
    thinner = Graph(prune(draft.graph, 0.2, rows))
    (node,) = (node for node in thinner.nodes if node.op_type == OPERATOR)
    trees = _read(node)
    assert trees is not None
    inputs = np.repeat(thinner.values(node.input[0], rows[:50]), 200, axis=0).astype(np.float32)
    inputs[:, 0] = np.tile(np.exp(np.linspace(-2, 6, 200)), 50)  # megabytes, which the workload declares as increasing
    body = tree_graph(trees, inputs.shape[1]).SerializeToString()
    (answers,) = open_session(body).run(None, {"inputs": inputs})
    assert (np.diff(answers.reshape(50, 200), axis=1) >= -1e-5).all()


def test_a_variant_says_that_it_keeps_trends_only_if_it_does(training: Training, dataset: Dataset) -> None:
    draft = of(training, "xgboost")
    pruned = vary(
        (1, draft.manifest, draft.graph), prune(draft.graph, 0.5, training.split.train.features), dataset, name="p"
    )
    assert pruned.draft.manifest.keeps_trends
    falling = linear_graph([-0.01, 0, 0, 0], operator="Exp")
    manifest = vary((1, draft.manifest, draft.graph), falling, dataset, name="falling").draft.manifest
    assert manifest.keeps_trends is False
    assert any("doesn't keep trends" in note and "megabytes" in note for note in manifest.notes)


def test_a_pruned_network_is_narrower_and_nearly_the_same(training: Training) -> None:
    graph, rows = of(training, "neural_network").graph, training.split.train.features
    thinner = prune(graph, 0.5, rows)
    widths = [Graph(each).constant(name).shape for each in (graph, thinner) for name in products(each)]  # type: ignore[union-attr]
    assert (128, 64) in widths
    assert (64, 128) in widths
    assert len(thinner) < 0.7 * len(graph)
    apart = np.abs(run(thinner, training.split.test.features) / run(graph, training.split.test.features) - 1)
    assert 0 < np.median(apart) < 0.05


def test_a_neuron_that_never_changes_is_left_out_without_any_loss() -> None:
    random = np.random.default_rng(3)
    into = random.normal(size=(4, 8)).astype(np.float32)
    into[:, [1, 4, 5]] = 0  # these give the same for every row
    out = random.normal(size=(8, 1)).astype(np.float32)
    graph = network(into, random.normal(size=8).astype(np.float32), out, np.array([3], dtype=np.float32))
    rows = random.normal(size=(300, 4)).astype(np.float32)
    thinner = prune(graph, 5 / 8, rows)
    shapes = sorted(Graph(thinner).constant(name).shape for name in products(thinner))  # type: ignore[union-attr]
    assert shapes == [(4, 5), (5, 1)]
    np.testing.assert_allclose(run(thinner, rows), run(graph, rows), rtol=1e-4, atol=1e-4)


def test_a_quantised_network_is_smaller_and_nearly_the_same(training: Training) -> None:
    graph, rows = of(training, "neural_network").graph, training.split.test.features
    smaller = quantize(graph)
    assert len(smaller) < 0.5 * len(graph)
    apart = np.abs(run(smaller, rows) / run(graph, rows) - 1)
    assert 0 < np.median(apart) < 0.02


def test_a_quantised_versions_answer_does_not_depend_on_the_rows_beside_it(training: Training) -> None:
    smaller, rows = quantize(of(training, "neural_network").graph), training.split.test.features[:50]
    alone = np.concatenate([run(smaller, row[None]) for row in rows])
    np.testing.assert_allclose(run(smaller, rows), alone, rtol=1e-5)


def test_what_has_nothing_to_give_is_refused_with_the_reason(training: Training) -> None:
    rows = training.split.train.features
    with pytest.raises(Refused, match=r"nothing to quantise.*models prune"):
        quantize(of(training, "xgboost").graph)
    with pytest.raises(Refused, match=r"nothing to prune.*models quantize"):
        prune(of(training, "polynomial").graph, 0.5, rows)
    for keep in (0.0, 1.0, -1.0, float("nan")):
        with pytest.raises(InvalidSetting, match="--keep"):
            prune(of(training, "xgboost").graph, keep, rows)


def test_a_variant_is_judged_and_calibrated_on_its_own(training: Training, dataset: Dataset) -> None:
    original = of(training, "random_forest")
    thinner = prune(original.graph, 0.3, training.split.train.features)
    manifest = replace_manifest(original.manifest, learnt_all=True)
    variation = vary((7, manifest, original.graph), thinner, dataset, name="pruned to 0.3")
    made, judging = variation.draft.manifest, training.split.test
    sizing, test = judging.take(np.arange(len(judging)) % 2 == 0), judging.take(np.arange(len(judging)) % 2 == 1)
    error = np.abs(run(thinner, test.features) / test.cost - 1)
    assert made.metrics is not None
    assert made.metrics.mape == pytest.approx(100 * float(error.mean()), rel=1e-3)
    assert made.metrics.coverage["0.9"] == pytest.approx(90, abs=7)
    assert made.calibration == calibrate(dataset.workload, sizing.cost, *run_with_spread(thinner, sizing.features))
    rows = training.split.calibrate
    assert not original.manifest.learnt_all
    assert vary(
        (7, original.manifest, original.graph), thinner, dataset, name="p"
    ).draft.manifest.calibration == calibrate(dataset.workload, rows.cost, *run_with_spread(thinner, rows.features))
    assert (made.settings["variant"], made.settings["of"]) == ("pruned to 0.3", 7)
    assert made.settings["measured"]["after"]["bytes"] == made.graph.bytes == len(thinner)
    assert made.settings["measured"]["difference"]["worst"] == pytest.approx(variation.difference.worst)
    assert made.parity is None
    assert "pruned to 0.3 of version 7" in made.notes[-1]
    assert Manifest.from_json(made.to_json()) == made
    assert "smaller" in variation.gains
    first = np.abs(run(original.graph, test.features) / test.cost - 1)
    assert variation.before.error == pytest.approx(100 * float(first.mean()), rel=1e-3)


def test_a_distilled_version_answers_much_like_its_original_and_reads_less(
    training: Training, dataset: Dataset
) -> None:
    original, held = of(training, "xgboost"), training.split.test.features

    def student(quantities: int) -> bytes:
        rows = training.split.train.features
        return distill(original.graph, dataset.workload, rows, quantities=quantities, asked=6_000)

    least, most = student(0), student(2)
    assert least == student(0)
    assert len(Graph(least).nodes) < len(Graph(most).nodes)
    apart = np.abs(np.log(run(most, held) / run(original.graph, held)))
    assert np.median(apart) < 0.1


def test_no_fewer_quantities_than_none_can_be_read(training: Training, dataset: Dataset) -> None:
    original = of(training, "xgboost")
    with pytest.raises(InvalidSetting, match=r"--quantities.*-1"):
        distill(original.graph, dataset.workload, training.split.train.features, quantities=-1)


def test_what_is_better_in_nothing_is_refused_with_the_figures(training: Training, dataset: Dataset) -> None:
    original = of(training, "polynomial")
    variation = vary((1, original.manifest, original.graph), original.graph, dataset, name="same")
    same = Figures(error=5, bytes=1000, row_us=10, batch_us=1)
    worse = replace(variation, before=same, after=replace(same, error=6, bytes=990))
    with pytest.raises(Refused, match=r"same is neither smaller, quicker nor more accurate: MAPE 5 → 6"):
        worse.require_gain()
    gains = [
        (replace(same, bytes=900, error=6), ("smaller",)),
        (replace(same, row_us=9), ("quicker",)),
        (replace(same, batch_us=0.5), ("quicker",)),
        (replace(same, error=4.9), ("more accurate",)),
    ]
    for after, said in gains:
        better: Variation = replace(variation, before=same, after=after)
        better.require_gain()
        assert better.gains == said


def test_smaller_forms_of_a_mean_still_say_how_far_its_members_disagree(training: Training) -> None:
    draft, rows = of(training, "neural_network"), training.split.test.features
    # How alike the spreads are is left open: where members nearly agree, rounding decides what is left between them.
    for changed in (quantize(draft.graph), prune(draft.graph, 0.5, training.split.train.features)):
        _, spread = run_with_spread(changed, rows)
        assert spread is not None
        assert np.isfinite(spread).all()
        assert 0 < np.median(spread) < 1
