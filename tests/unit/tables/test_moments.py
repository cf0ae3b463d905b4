"""One reader of moments: whatever form a moment has, column, single value and text say the same."""

import re
from collections import Counter
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from perfcast.datasets import import_file
from perfcast.errors import InvalidData
from perfcast.tables import read_moments
from perfcast.workloads import Workload, load_workload, read_moment

BERLIN = ZoneInfo("Europe/Berlin")
NOON = "2026-03-02T12:00:00"
FORMS: dict[Any, str | None] = {
    "2026-03-02T13:00:00": NOON,
    "2026-03-02 13:00": NOON,
    "2026-03-02T12:00:00Z": NOON,
    "2026-03-02T13:00:00.000000+01:00": NOON,
    "2026-03-02T08:00:00-0400": NOON,
    "2026-03-02": "2026-03-01T23:00:00",
    "20260302": "2026-03-01T23:00:00",
    20260302: "2026-03-01T23:00:00",
    20260302130000: NOON,
    1772452800: NOON,
    "1772452800.0": NOON,
    1772452800.5: NOON,
    1772452800_000: NOON,
    1772452800_000_000: NOON,
    1772452800_000_000_000: NOON,
    "1772452800000": NOON,
    20261399: None,
    202603021300: None,
    2026030210: None,
    "2026030210": None,
    2026030225: "2034-03-15T10:10:25",
    2026030210.5: "2034-03-15T10:10:10",
    86400: None,
    -5: None,
    1e15 * 1e9: None,
    "soon": None,
    True: None,
}


def read(column: Any) -> list[str | None]:
    moments = read_moments("measured_at", column, BERLIN).moments
    return [None if np.isnat(moment) else str(moment.astype("datetime64[s]")) for moment in moments]


@pytest.mark.parametrize("value", FORMS)
def test_single_values_and_columns_of_every_kind_agree(value: Any) -> None:
    objects = np.array([value, value], dtype=object)
    columns = [objects, pa.array([value] * 2)] if not isinstance(value, bool) else [objects]
    if isinstance(value, str):
        columns += [pa.array([value] * 2).dictionary_encode(), pa.array([value, "soon"])[:1].take(pa.array([0, 0]))]
    elif not isinstance(value, bool):
        columns.append(np.array([value] * 2))
    assert all(read(column) == [FORMS[value]] * 2 for column in columns)
    if FORMS[value] is None:
        with pytest.raises(ValueError, match="expected an ISO 8601 time"):
            read_moment(value, BERLIN)
    else:
        single = read_moment(value, BERLIN).astimezone(UTC).replace(tzinfo=None, microsecond=0)
        assert single.isoformat() == FORMS[value]


@pytest.mark.parametrize("column", [pa.array([2026030210]), pa.array(["2026030210"]), np.array([2026030210.0])])
def test_ten_digits_that_can_be_an_hour_are_told_as_such(column: Any) -> None:
    refusal = read_moments("measured_at", column, BERLIN).refusal
    assert refusal is not None
    assert "can be an hour (yyyymmddHH) as well as seconds, got" in refusal.message
    with pytest.raises(ValueError, match="can be an hour"):
        read_moment(column.tolist()[0], BERLIN)


def test_texts_of_several_forms_in_one_column_are_each_read() -> None:
    texts = [text for text in FORMS if isinstance(text, str)]
    assert read(pa.array([*texts, None])) == [*(FORMS[text] for text in texts), None]
    assert read(np.array([*texts, None] * 500, dtype=object)) == [*(FORMS[text] for text in texts), None] * 500


def test_arrows_times_and_dates_are_moments_and_durations_are_none() -> None:
    naive = datetime(2026, 3, 2, 13)  # noqa: DTZ001
    assert read(pa.array([naive], pa.timestamp("ms"))) == [NOON]
    assert read(pa.array([naive.replace(tzinfo=BERLIN)], pa.timestamp("ns", "UTC"))) == [NOON]
    assert read(pa.array([date(2026, 3, 2)])) == ["2026-03-01T23:00:00"]
    times = read_moments("measured_at", pa.array([5], pa.duration("s")), BERLIN)
    assert times.refusal is not None
    assert times.refusal.message == "holds duration[s], where times are expected"


@pytest.mark.parametrize(
    ("column", "shown"),
    [
        (pa.array([1772445600_000], pa.timestamp("s")), "1772445600000"),
        (pa.array([2**62], pa.timestamp("us", "UTC")).dictionary_encode(), "4611686018427387904"),
        (pa.array([2**31 - 1], pa.date32()), "2147483647"),
        (np.array([1772445600_000], dtype="datetime64[s]"), "58136"),
    ],
    ids=["seconds", "microseconds", "days", "NumPy's"],
)
def test_a_time_in_no_year_that_there_is_is_refused(column: Any, shown: str) -> None:
    times = read_moments("measured_at", column, BERLIN)
    assert times.refusal is not None
    assert f"got {shown}" in times.refusal.message


@pytest.mark.parametrize("more", [[], ["2026-W10-1"]], ids=["alike", "one by one"])
def test_local_times_that_come_twice_or_never_are_counted_and_taken_as_a_single_value_is(more: list[str]) -> None:
    texts = ["2026-10-25T02:30:00", "2026-10-25T02:59:59", "2026-03-29T02:30:00", "2026-10-25T03:00:00", "2026-07-01"]
    texts += more
    times = read_moments("measured_at", pa.array(texts), BERLIN)
    assert times.notes == Counter(
        {
            "measured_at: local times that come twice as clocks go back, each taken for the first": 2,
            "measured_at: local times that don't exist as clocks go forward, each taken for an hour later": 1,
        }
    )
    single = [read_moment(text, BERLIN).astimezone(UTC).replace(tzinfo=None) for text in texts]
    assert times.moments.tolist() == single


@pytest.mark.parametrize(
    ("column", "midnights"),
    [
        (pa.array(["2026-03-02", "2026-03-03", None]), 2),
        (pa.array([20260302, 20260303]), 2),
        (pa.array(["2026-03-02", "2026-03-03T10:00"]), 0),
        (pa.array(["2026-03-02T00:00:00Z"]), 0),
    ],
)
def test_dates_without_a_time_are_told(column: pa.Array, midnights: int) -> None:
    told = read_moments("measured_at", column, BERLIN).notes
    assert told == +Counter({"measured_at: dates without a time, each taken for midnight": midnights})


@pytest.fixture
def workload(tmp_path: Path) -> Workload:
    path = tmp_path / "w.yaml"
    path.write_text("{name: w, cost: {name: took, unit: ms}, features: [{name: pause, unit: s}, {name: size}]}")
    return load_workload(path)


def test_durations_become_the_declared_unit_and_are_refused_where_there_is_none(
    tmp_path: Path, workload: Workload
) -> None:
    table = {
        "took": pa.array([53_550_000], pa.duration("ns")),
        "pause": pa.array([1500], pa.duration("ms")),
        "size": pa.array([1.0]),
    }
    pq.write_table(pa.table(table), tmp_path / "rows.parquet")
    dataset, _ = import_file(tmp_path / "rows.parquet", workload, name="d")
    assert dataset.cost[0] == np.float32(53.55)
    assert dataset.features[0].tolist() == [1.5, 1.0]
    for column in (pa.array([3], pa.duration("s")), pa.array([3], pa.timestamp("ms"))):
        pq.write_table(pa.table(table | {"size": column}), tmp_path / "rows.parquet")
        advice = "; give numbers; --map 'size=COLUMN / 1' takes" if column.type == pa.duration("s") else ""
        with pytest.raises(InvalidData, match=rf"{re.escape(f'size holds {column.type}')}.*{re.escape(advice)}"):
            import_file(tmp_path / "rows.parquet", workload, name="d")
    pq.write_table(pa.table(table | {"size": pa.array([3], pa.duration("s"))}), tmp_path / "rows.parquet")
    dataset, report = import_file(tmp_path / "rows.parquet", workload, name="d", told={"size": "size / 60"})
    assert report.notes["size: durations were read in seconds"] == 1
    assert dataset.features[0, 1] == np.float32(0.05)


def test_a_time_may_be_arithmetic_in_full_precision(tmp_path: Path, workload: Workload) -> None:
    (tmp_path / "rows.csv").write_text("Clock,took,pause,size\n60.5,1,1,1\n")
    dataset, _ = import_file(
        tmp_path / "rows.csv", workload, name="d", told={"measured_at": "1772452740 + Clock"}, zone=BERLIN
    )
    assert dataset.measured_at is not None
    assert str(dataset.measured_at[0]) == "2026-03-02T12:00:00.500000"
