"""The promotion gate over a real registry, real graphs and real rows."""

import re
from dataclasses import replace as replaced
from pathlib import Path

import msgspec
import numpy as np
import pytest
from tests.drafts import draft, weighted

from perfcast.datasets import Dataset
from perfcast.jobs import default_model
from perfcast.jobs.run import promote, register
from perfcast.manifest import DataFacts
from perfcast.registry import CHAMPION, Registry, Version
from perfcast.storage import Blobs, Database
from perfcast.workloads import Workload, builtin_workloads, workload_from_document

SERVICE = builtin_workloads()["cpu-utilization"]


@pytest.fixture
def registry(tmp_path: Path) -> Registry:
    database = Database(f"sqlite:///{tmp_path}/perfcast.db")
    database.migrate()
    return Registry(database, Blobs(str(tmp_path / "artifacts")))


@pytest.fixture
def dataset() -> Dataset:
    """A service whose CPU is a quarter of its request rate, watched each minute."""
    random = np.random.default_rng(0)
    features = np.zeros((1000, 8), dtype=np.float32)
    features[:, 0] = random.integers(1, 300, 1000)
    moments = np.datetime64("2026-01-01", "us") + np.arange(1000) * np.timedelta64(60_000_000, "us")
    return Dataset("watched", SERVICE, features, features[:, 0] / 4, moments)


def add(registry: Registry, weight: float, *, learnt_until: str | None = None) -> int:
    made = draft(SERVICE, weighted(SERVICE, request_rate=weight))
    facts = DataFacts("watched", "", 1000, 1000, {}, "by time", learnt_until=learnt_until)
    return registry.add("service", replaced(made, manifest=msgspec.structs.replace(made.manifest, data=facts))).number


def judged(registry: Registry, best: Version, dataset: Dataset) -> tuple[bool, str]:
    reason = promote(registry, best, dataset, wanted="auto", actor="test")
    return reason.startswith("promoted"), reason


def offer(registry: Registry, number: int, dataset: Dataset) -> tuple[bool, str]:
    return judged(registry, registry.version("service", number), dataset)


def champion(registry: Registry) -> int | None:
    return registry.model("service").aliases.get(CHAMPION)


def test_the_first_version_is_promoted_and_a_better_one_takes_its_place(registry: Registry, dataset: Dataset) -> None:
    assert offer(registry, add(registry, 0.20), dataset)[0]
    promoted, reason = offer(registry, add(registry, 0.24), dataset)
    assert promoted
    assert "against the champion's" in reason
    assert champion(registry) == 2
    assert registry.version("service", 2).note == reason


def test_a_worse_or_equal_version_stays_a_candidate_with_the_reason(registry: Registry, dataset: Dataset) -> None:
    offer(registry, add(registry, 0.24), dataset)
    for weight in (0.20, 0.24):
        promoted, reason = offer(registry, add(registry, weight), dataset)
        assert not promoted
        assert "stays a candidate" in reason
    assert champion(registry) == 1


def test_a_champion_that_has_learnt_from_newer_rows_is_not_compared(registry: Registry, dataset: Dataset) -> None:
    offer(registry, add(registry, 0.20, learnt_until="2026-06-01T00:00:00.000000Z"), dataset)
    promoted, reason = offer(registry, add(registry, 0.25), dataset)
    assert not promoted
    assert "has learnt from these rows or newer ones" in reason


def test_a_champion_that_has_learnt_from_older_rows_is(registry: Registry, dataset: Dataset) -> None:
    offer(registry, add(registry, 0.20, learnt_until="2026-01-01T10:00:00.000000Z"), dataset)
    assert offer(registry, add(registry, 0.25), dataset)[0]


def test_a_broken_champion_is_replaced(registry: Registry, dataset: Dataset, tmp_path: Path) -> None:
    offer(registry, add(registry, 0.20), dataset)
    digest = registry.version("service", 1).manifest.graph.sha256
    (path,) = (tmp_path / "artifacts").rglob(digest)
    path.write_bytes(b"broken")
    promoted, reason = offer(registry, add(registry, 0.24), dataset)
    assert promoted, reason


@pytest.mark.parametrize(
    ("dataset", "workload", "model"),
    [
        ("simulated", "cpu-utilization", "cpu-utilization"),
        ("simulated", "rendering", "rendering-simulated"),
        ("shop", "cpu-utilization", "cpu-utilization-shop"),
        ("cpu", "cpu-utilization", "cpu-utilization-cpu"),
        ("cnn", "cnn-execution-time", "cnn-execution-time-cnn"),
        ("cpu-torch-operators", "operator-execution-time", "operator-execution-time-cpu-torch"),
        ("operators", "operator-execution-time", "operator-execution-time-operators"),
        ("shop-operators", "cpu-utilization", "cpu-utilization-shop-operators"),
        ("rendering", "rendering", "rendering"),
        ("compression", "compression-time", "compression-time"),
    ],
)
def test_a_dataset_never_names_a_starters_model_by_accident(dataset: str, workload: str, model: str) -> None:
    assert default_model(dataset, workload) == model


def zones(*values: str, unit: str = "") -> Workload:
    features = [{"name": "zone", "type": "choice", "values": values}, {"name": "load", "unit": unit}]
    return workload_from_document({"name": "zones", "cost": {"name": "ms", "maximum": 1e6}, "features": features})


def measured(workload: Workload, count: int = 1200) -> Dataset:
    """A cost of 0, 100 or 200 by zone and one for each load, whatever the order in which zones are declared."""
    loads = np.arange(count, dtype=np.float32)
    texts = [f"00{1 + at % 3}" for at in range(count)]
    rows = np.array([[workload.features[0].encode(text), load] for text, load in zip(texts, loads, strict=True)])
    cost = np.array([100.0 * (int(text) - 1) for text in texts]) + loads
    return Dataset("zones", workload, rows.astype(np.float32), cost.astype(np.float32))


def test_a_champion_of_another_declaration_reads_the_rows_by_its_own(registry: Registry) -> None:
    before, now = zones("001", "002", "003"), zones("003", "001", "002")
    good = draft(before, weighted(before, zone=100, load=1))
    number = registry.add("zones", good).number
    assert judged(registry, registry.version("zones", number), measured(before))[0]
    worse = registry.add("zones", draft(now, weighted(now, zone=100, load=1)))
    assert "its declaration differs from the champion's: 'zone' had the values 001, 002, 003" in worse.note
    promoted, reason = judged(registry, worse, measured(now))
    assert not promoted
    assert "against the champion's 0;" in reason
    assert "'zone' had the values 001, 002, 003; now 003, 001, 002" in reason


def test_a_champion_whose_units_differ_is_not_compared(registry: Registry) -> None:
    before, now = zones("001", "002", "003"), zones("001", "002", "003", unit="s")
    number = registry.add("zones", draft(before, weighted(before, load=1))).number
    judged(registry, registry.version("zones", number), measured(before))
    better = registry.add("zones", draft(now, weighted(now, load=1)))
    promoted, reason = judged(registry, better, measured(now))
    assert not promoted
    assert "'load' is declared as number by one and as number s by the other; activate it yourself" in reason


def published(registry: Registry, workload: Workload, **weights: float) -> tuple[bool, str]:
    """What becomes of a version that a run learnt from the rows as this declaration has them."""
    made = [draft(workload, weighted(workload, **weights))]
    (best,) = register(registry, made, model="zones", dataset="zones", run="a run")
    return judged(registry, best, measured(workload))


def test_from_registering_to_promoting_each_version_reads_rows_by_its_own_declaration(registry: Registry) -> None:
    """Errors by zone and version: 0, 100, 200; then 0, 120, 60; then none; then 100 again."""
    former, swapped = zones("001", "002", "003"), zones("001", "003", "002")
    offers = [(former, 0, True), (swapped, 80, True), (former, 100, True), (swapped, 0, False)]
    made = [published(registry, workload, zone=weight, load=1) for workload, weight, _ in offers]
    assert [promoted for promoted, _ in made] == [promoted for _, _, promoted in offers]
    errors = [re.findall(r"MAE ([\d.]+) .* champion's ([\d.]+)", reason)[0] for _, reason in made[1:]]
    expected = [pytest.approx(pair, abs=10) for pair in ((60, 100), (0, 60), (100, 0))]
    assert [tuple(map(float, pair)) for pair in errors] == expected
    assert all("'zone' had the values" in reason for _, reason in made[1:])


@pytest.mark.parametrize(
    ("rows", "now", "compared"),
    [
        (1200, zones("001", "002", "003"), True),
        (1200, zones("003", "001", "002"), True),
        (300, zones("001", "002", "003"), True),
        (300, zones("003", "001", "002"), False),
    ],
    ids=["the same", "another", "the same, few rows", "another, few rows"],
)
def test_rows_that_the_champion_was_fitted_on_under_its_own_declaration_do_not_judge(
    registry: Registry, rows: int, now: Workload, *, compared: bool
) -> None:
    """Costs tell rows apart, so those that neither learnt from are those of both declarations' test parts."""
    former, latter = measured(zones("001", "002", "003"), rows), measured(now, rows)
    made = draft(former.workload, weighted(former.workload, zone=80, load=1))
    facts = DataFacts("zones", "", rows, rows, {}, former.split().description)
    present = replaced(made, manifest=msgspec.structs.replace(made.manifest, data=facts))
    judged(registry, registry.version("zones", registry.add("zones", present).number), former)
    offered = registry.add("zones", draft(now, weighted(now, zone=90, load=1)))
    _, reason = judged(registry, offered, latter)
    unseen = len(set(former.split().test.cost) & set(latter.split().test.cost))
    if compared:
        assert f"on {unseen} held-out rows against the champion's" in reason
    else:
        assert reason.startswith(
            f"stays a candidate: its split differs from the champion's, and {unseen} held-out configurations that the "
            "champion hasn't learnt from are few to compare by (at least 20); activate it yourself"
        )
