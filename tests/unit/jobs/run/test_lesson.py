"""Which rows are learnt from: the newest where asked for, none of an anomaly; and the version says so."""

import numpy as np
import pytest
from tests.drafts import draft, weighted
from tests.workers import small_dataset

from perfcast.datasets import Dataset
from perfcast.errors import Refused
from perfcast.jobs.run import make_lesson
from perfcast.jobs.run._lesson import held_to
from perfcast.manifest import Chart, DataFacts, Draft, Reference
from perfcast.monitoring.drift import Anomaly
from perfcast.workloads import builtin_workloads

CPU = builtin_workloads()["cpu-utilization"]
BURST = Anomaly("2026-03-01T01:00:00.000000Z", "2026-03-01T01:59:00.000000Z", "errors 14 times what is usual")


def minutes(rows: int = 600) -> Dataset:
    plain = small_dataset(rows)
    moments = (np.datetime64("2026-03-01T00:00") + np.arange(rows).astype("timedelta64[m]")).astype("datetime64[us]")
    shuffled = np.random.default_rng(0).permutation(rows)
    return Dataset("line", CPU, plain.features, plain.cost, moments[shuffled])


def test_all_rows_are_learnt_where_nothing_is_said() -> None:
    dataset = minutes()
    lesson = make_lesson(dataset, None)
    assert lesson.dataset is dataset
    assert lesson.notes == ()


def test_the_newest_rows_are_taken_whatever_their_order() -> None:
    lesson = make_lesson(minutes(), 100)
    assert lesson.dataset.measured_at is not None
    assert len(lesson.dataset) == 100
    assert lesson.dataset.measured_at.min() == np.datetime64("2026-03-01T08:20")
    assert lesson.notes == ("learnt from the newest 100 of 600 rows",)


def test_rows_of_an_anomaly_are_left_out_before_the_newest_are_counted() -> None:
    lesson = make_lesson(minutes(), None, [BURST])
    assert len(lesson.dataset) == 540
    assert lesson.notes == ("60 rows of anomalous stretches were not learnt from",)
    both = make_lesson(minutes(), 540, [BURST])
    assert len(both.dataset) == 540
    assert both.dataset.digest == lesson.dataset.digest


def test_a_version_names_the_whole_dataset_and_says_what_was_left_out() -> None:
    lesson = make_lesson(minutes(), 500, [BURST])
    made = draft(CPU, weighted(CPU, request_rate=0.1))
    facts = DataFacts("line", lesson.dataset.digest, 500, 500, {"train": 325}, "by time")
    manifest = type(made.manifest)(
        **{name: getattr(made.manifest, name) for name in made.manifest.__struct_fields__} | {"data": facts}
    )
    signed = lesson.signed(Draft(made.graph, manifest)).manifest
    assert signed.data is not None
    assert (signed.data.rows, signed.data.digest) == (600, lesson.whole.digest)
    assert signed.notes[-2:] == lesson.notes


def usual(error: float) -> Reference:
    chart = Chart(error, error / 2, 4 * error, {"1.0": 10 * error})
    return Reference({}, chart, chart, burst=8 * error, rows=5000, days=5, method="5 held-out days")


def test_what_is_usual_grows_by_half_from_champion_to_version_at_most() -> None:
    held = held_to(usual(6), usual(2))
    assert held is not None
    assert (held.errors, held.burst) == (usual(3).errors, usual(3).burst)
    assert held_to(usual(2.5), usual(2)) == usual(2.5)
    assert held_to(usual(6), None) == usual(6)
    assert held_to(None, usual(2)) is None


def test_newest_rows_need_times() -> None:
    with pytest.raises(Refused, match="no times of measurement"):
        make_lesson(small_dataset(), 500)
