"""A cost that is learnt as a multiple of a derived quantity, read through what is derived from the device's figures."""

import pickle

import msgspec
import numpy as np
import pytest

from perfcast.datasets import Dataset
from perfcast.errors import InvalidDeclaration
from perfcast.export import run
from perfcast.manifest import Draft
from perfcast.training import Budget, learning_curve, train
from perfcast.training._base import basis_of
from perfcast.training._path import Path
from perfcast.workloads import Workload, builtin_workloads, load_workload

COPYING = """
name: copying-across
cost: {name: copy_ms, unit: ms, minimum: 0, relative: true, basis: least_ms}
features:
  - {name: speed, minimum: 0.01, maximum: 10000, derived_only: true}
  - {name: megabytes, minimum: 0.01, maximum: 10000}
  - {name: pieces, type: integer, minimum: 1, maximum: 1000}
derived:
  - {name: least_ms, expression: megabytes / speed}
  - {name: piece, expression: megabytes / pieces}
"""
SPEEDS = (4.0, 6.0)
FAMILIES = ["xgboost", "polynomial", "ensemble"]


@pytest.fixture(scope="module")
def copying(tmp_path_factory: pytest.TempPathFactory) -> Workload:
    file = tmp_path_factory.mktemp("workload") / "copying.yaml"
    file.write_text(COPYING)
    return load_workload(file)


def rows(workload: Workload, speeds: tuple[float, ...], count: int = 900) -> Dataset:
    """Small pieces use less of the speed."""
    random = np.random.default_rng(len(speeds))
    speed = random.choice(speeds, count)
    megabytes, pieces = np.exp(random.uniform(0, 6, count)), random.integers(1, 200, count)
    cost = megabytes / speed * (1.2 + pieces / megabytes) * np.exp(random.normal(0, 0.02, count))
    return Dataset(
        "copies", workload, np.stack([speed, megabytes, pieces], axis=1).astype(np.float32), cost.astype(np.float32)
    )


@pytest.fixture(scope="module")
def drafts(copying: Workload) -> tuple[Draft, ...]:
    return train(rows(copying, SPEEDS), Budget(3), family_names=FAMILIES, threads=1).drafts


def test_models_answer_for_a_speed_far_from_those_they_learnt_from(
    copying: Workload, drafts: tuple[Draft, ...]
) -> None:
    unseen = rows(copying, (50.0,))
    for draft in drafts:
        error = np.abs(run(draft.graph, unseen.features) / unseen.cost - 1)
        assert error.mean() < 0.25, draft.manifest.type


def test_without_the_basis_they_dont(copying: Workload) -> None:
    """What the test above proves: trees that learn the cost itself are wrong by a factor."""
    declaration = msgspec.structs.replace(
        copying.declaration, cost=msgspec.structs.replace(copying.declaration.cost, basis=None)
    )
    plain = Workload(declaration)
    (made,) = train(rows(plain, SPEEDS), Budget(1), family_names=["xgboost"], threads=1).drafts
    unseen = rows(plain, (50.0,))
    assert np.abs(run(made.graph, unseen.features) / unseen.cost - 1).mean() > 1


def test_a_manifest_names_no_version_that_it_starts_from(drafts: tuple[Draft, ...]) -> None:
    for draft in drafts:
        assert draft.manifest.base == ""
        assert draft.manifest.parity is not None
        assert draft.manifest.parity.worst < 1e-4


def test_the_learning_curve_is_learnt_on_the_basis_too(copying: Workload, drafts: tuple[Draft, ...]) -> None:
    curve = list(learning_curve(drafts[0].manifest, rows(copying, SPEEDS).split()))
    metrics = drafts[0].manifest.metrics
    assert metrics is not None
    assert curve[-1][1].mape == pytest.approx(metrics.mape, rel=0.5)


def test_a_basis_gives_its_quantity_and_pickles(copying: Workload) -> None:
    base = basis_of(copying)
    assert base is not None
    features = rows(copying, SPEEDS, 50).features
    for one in (base, pickle.loads(pickle.dumps(base))):
        np.testing.assert_allclose(one.cost(features), features[:, 1] / features[:, 0], rtol=1e-6)


def test_what_is_read_only_through_others_is_no_input(copying: Workload) -> None:
    path = Path(copying, base=basis_of(copying))
    assert path.input_names == ("megabytes", "pieces", "least_ms", "piece", "cost of least_ms")
    assert path.stated == (0, 1)
    assert path.features == {0: 1, 1: 2}
    features = rows(copying, SPEEDS, 5).features
    np.testing.assert_array_equal(path.inputs(features)[:, :2], features[:, 1:])


@pytest.mark.parametrize(
    ("change", "told"),
    [({"relative": False}, "only a relative cost"), ({"basis": "megabytes"}, "none of its derived quantities")],
)
def test_a_basis_that_cant_be_is_refused(copying: Workload, change: dict[str, object], told: str) -> None:
    cost = msgspec.structs.replace(copying.declaration.cost, **change)
    with pytest.raises(InvalidDeclaration, match=told):
        Workload(msgspec.structs.replace(copying.declaration, cost=cost))


def test_the_shipped_one_reads_no_figure_of_a_device_as_it_is() -> None:
    workload = builtin_workloads()["convolution-across-devices"]
    read = set(Path(workload).input_names)
    assert {"roofline_ms", "balance", "kernel_size"} <= read
    assert not read & {"peak_gflops", "bandwidth", "processors", "clock_ghz", "cache_megabytes"}
