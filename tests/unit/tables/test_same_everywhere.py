"""One file imported, sent as a batch and scored: the same rows are taken, refused and read, to the bit."""

import json
import re
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow.parquet as pq
import pytest
from tests.drafts import draft, weighted

from perfcast.api.batch._arrow_forms import read_table
from perfcast.api.batch._forms import CSV
from perfcast.datasets import import_file
from perfcast.errors import InvalidData, InvalidInput
from perfcast.registry import Version
from perfcast.scoring import Plan, score
from perfcast.tables import ColumnReader
from perfcast.workloads import RowReader, Workload, read_declaration

ZONE = ZoneInfo("Europe/Berlin")
DECLARED = """
name: shop
cost: {name: cpu, unit: percent, minimum: 0, maximum: 100}
features:
  - {name: rate, minimum: 0}
  - {name: users, type: integer, minimum: 0, default: 1}
  - {name: plan, type: choice, values: ["001", "010", "002"]}
  - {name: night, type: flag}
  - {name: hour_sin, minimum: -1, maximum: 1, clock: true}
"""
GOOD = [
    "0,1;3;001;yes;2026-03-02T10:07;10,5",
    "1.234,5;;010;0;2026-10-25 02:30:00;20",
    "7;4;002;off;2026-07-01T00:00:00Z;5",
    "7;4;002;off;2026-03-29T02:30;5",
]
BAD = ["N/A;3;001;1;2026-03-02T10:07;10", "1;2,5;001;1;2026-03-02T10:07;10", "1;2;1.0;1;2026-03-02T10:07;10",
       "1;2;001;maybe;2026-03-02T10:07;10", "1;2;001;1;soon;10", "1;20000001;001;1;2026-03-02T10:07;10"]  # fmt: skip
WRONG = {0: "rate", 2: "users", 3: "plan", 5: "night", 6: "timestamp", 8: "users"}


@pytest.fixture
def workload(tmp_path: Path) -> Workload:
    (tmp_path / "shop.yaml").write_text(DECLARED)
    return Workload(read_declaration(tmp_path / "shop.yaml"))


def lines(rows: list[str], *, time: str, cost: bool) -> bytes:
    kept = [row if cost else row.rpartition(";")[0] for row in rows]
    return "\n".join([f"rate;users;plan;night;{time}" + (";cpu" if cost else ""), *kept]).encode("utf-16")


def test_the_same_file_means_the_same_in_imports_batches_and_scoring(tmp_path: Path, workload: Workload) -> None:
    mixed = [BAD[0], GOOD[0], BAD[1], BAD[2], GOOD[1], BAD[3], BAD[4], GOOD[2], BAD[5], GOOD[3]]
    (tmp_path / "all.csv").write_bytes(lines(mixed, time="measured_at", cost=True))
    dataset, report = import_file(tmp_path / "all.csv", workload, name="d", zone=ZONE)
    refused = {
        row: bad.field.replace("measured_at", "timestamp") for bad in report.refusals for row in bad.rows.tolist()
    }
    assert refused == WRONG

    reader = ColumnReader(workload, ZONE)
    question = read_table(CSV, lines(mixed, time="timestamp", cost=False), 100)
    with pytest.raises(InvalidInput) as caught:
        question.read(reader)
    told = {
        int(row): error.field
        for error in caught.value.fields
        for row in re.findall(r"\d+", error.message.rpartition("(")[2].partition(", counted")[0].split("rows: ")[-1])
    }
    assert told == WRONG

    question = read_table(CSV, lines(GOOD, time="timestamp", cost=False), 100)
    assert question.read(reader).tobytes() == dataset.features.tobytes()

    bodies = [
        {"rate": 0.1, "users": 3, "plan": "001", "night": "yes", "timestamp": "2026-03-02T10:07"},
        {"rate": 1234.5, "plan": "010", "night": 0, "timestamp": "2026-10-25 02:30:00"},
        {"rate": 7, "users": 4, "plan": "002", "night": "off", "timestamp": "2026-07-01T00:00:00Z"},
        {"rate": 7, "users": 4, "plan": "002", "night": "off", "timestamp": "2026-03-29T02:30"},
    ]
    single = [RowReader(workload, ZONE).read(json.loads(json.dumps(body))) for body in bodies]
    assert np.array(single, dtype=np.float32).tobytes() == dataset.features.tobytes()

    made = draft(workload, weighted(workload, rate=1.0, users=10_000.0))
    plan = Plan(Version("shop", 1, None, made.manifest, "", "2026-01-01T00:00:00Z"), made.graph, zone=str(ZONE))
    (tmp_path / "rows.csv").write_bytes(lines(mixed, time="timestamp", cost=False))
    scored_report = score(plan, tmp_path / "rows.csv", tmp_path / "scored.parquet")
    scored = pq.read_table(tmp_path / "scored.parquet")
    problems = {row: text for row, text in enumerate(scored["problem"].to_pylist()) if text}
    assert {row: text.split(":")[0].replace("measured_at", "timestamp") for row, text in problems.items()} == WRONG
    assert (scored_report.rows, scored_report.bad) == (10, 6)
    assert scored["rate"].to_pylist()[4] == "1.234,5"
    assert scored_report.notes
    with pytest.raises(InvalidData, match=r"row 1 \(counted from 1\): rate"):
        score(Plan(plan.version, plan.graph, on_bad="refuse"), tmp_path / "rows.csv", tmp_path / "other.parquet")


@pytest.mark.parametrize(
    ("told", "problem"),
    [
        ({"users": "u * 1"}, "users: column 'u': expected a number, got 'N/A'"),
        ({"rate": "u * 1"}, "rate: column 'u': expected a number, got 'N/A'"),
        ({"measured_at": "u * 1 + time"}, "measured_at: column 'u': expected a number, got 'N/A'"),
    ],
)
def test_text_in_arithmetic_that_is_no_number_is_refused_not_filled(
    tmp_path: Path, workload: Workload, told: dict[str, str], problem: str
) -> None:
    path = tmp_path / "rows.csv"
    path.write_text("rate,u,plan,night,time,cpu\n1,N/A,001,1,1772452800,5\n1,2,001,1,1772452800,5\n")
    dataset, report = import_file(path, workload, name="d", zone=ZONE, told=told)
    assert [(f"{bad.field}: {bad.message}", bad.rows.tolist()) for bad in report.refusals] == [(problem, [0])]
    made = draft(workload, weighted(workload, rate=1.0))
    version = Version("shop", 1, None, made.manifest, "", "2026-01-01T00:00:00Z")
    score(Plan(version, made.graph, zone=str(ZONE), told=told), path, tmp_path / "scored.parquet")
    assert pq.read_table(tmp_path / "scored.parquet")["problem"].to_pylist() == [problem, None]
    assert len(dataset) == 1


def test_only_columns_of_numbers_say_what_stands_before_decimals(tmp_path: Path, workload: Workload) -> None:
    rows = "rate;users;plan;night;measured_at;cpu;version\n0,1;3;001;yes;2026-03-02T10:07;10,5;1.5\n"
    (tmp_path / "rows.csv").write_text(rows + "0,2;3;001;yes;2026-03-02T10:08;10,5;2.5\n")
    dataset, report = import_file(tmp_path / "rows.csv", workload, name="d", zone=ZONE)
    assert (dataset.features[:, 0].tolist(), report.refused) == ([np.float32(0.1), np.float32(0.2)], 0)
    (tmp_path / "rows.csv").write_text(rows.replace("0,1", "1.234").replace("10,5", "10.5").replace("1.5", "1,5"))
    dataset, report = import_file(tmp_path / "rows.csv", workload, name="d", zone=ZONE)
    assert (dataset.features[0, 0], dataset.cost[0], report.refused) == (np.float32(1.234), 10.5, 0)
    body = b"rate;users;plan;night;timestamp\n0,1;3;1.5;yes;2026-03-02T10:07\n"
    with pytest.raises(InvalidInput, match="plan: expected one of"):
        read_table(CSV, body, 9).read(ColumnReader(workload, ZONE))


def test_each_file_of_a_folder_says_for_itself_what_stands_before_decimals(tmp_path: Path, workload: Workload) -> None:
    made = draft(workload, weighted(workload, rate=1.0))
    plan = Plan(Version("shop", 1, None, made.manifest, "", "2026-01-01T00:00:00Z"), made.graph, zone=str(ZONE))
    (tmp_path / "in").mkdir()
    for name, rate in (("a", "0.5"), ("b", "0,5"), ("c", "0.25")):
        row = f"rate;users;plan;night;timestamp\n{rate};3;001;yes;2026-03-02T10:07\n"
        (tmp_path / "in" / f"{name}.csv").write_text(row)
    assert score(plan, tmp_path / "in", tmp_path / "scored.parquet").bad == 0
    assert pq.read_table(tmp_path / "scored.parquet")["cost"].to_pylist() == [0.5, 0.5, 0.25]


def test_a_hash_begins_a_comment_unless_it_is_a_choice(tmp_path: Path) -> None:
    declared = "{name: w, cost: {name: c}, features: [{name: kind, type: choice, values: ['#1', '#2']}, {name: a}]}"
    (tmp_path / "w.yaml").write_text(declared)
    workload = Workload(read_declaration(tmp_path / "w.yaml"))
    made = draft(workload, weighted(workload, a=1.0))
    plan = Plan(Version("w", 1, None, made.manifest, "", "2026-01-01T00:00:00Z"), made.graph)
    for lines, costs, notes in (
        (["kind,a", "#1,1", "# no row", "#2,2"], [1, 2], {"a line that begins with # is a comment": 1}),
        (["a,kind", "1,#1", "# no row", "# no,row", "2,#2"], [1, 2], {"a line that begins with # is a comment": 2}),
    ):
        content = "\n".join([*lines, ""])
        (tmp_path / "rows.csv").write_text(content)
        report = score(plan, tmp_path / "rows.csv", tmp_path / "scored.parquet", overwrite=True)
        assert pq.read_table(tmp_path / "scored.parquet")["cost"].to_pylist() == costs
        assert (report.rows, report.bad, report.notes) == (2, 0, notes)
        assert read_table(CSV, content.encode(), 9).read(ColumnReader(workload, ZONE)).tolist() == [[0, 1], [1, 2]]
