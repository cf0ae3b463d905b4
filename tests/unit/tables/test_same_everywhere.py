"""One file imported, sent as a batch and scored: the same rows are taken, refused and read, to the bit."""

import json
import re
from dataclasses import replace
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
from perfcast.workloads import RowReader, Workload, load_workload

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
    return load_workload(tmp_path / "shop.yaml")


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
    question = read_table(CSV, lines(mixed, time="measured_at", cost=True), 100)
    with pytest.raises(InvalidInput) as caught:
        question.read(reader)
    told = {
        int(row): error.field
        for error in caught.value.fields
        for row in re.findall(r"\d+", error.message.rpartition("(")[2].partition(", counted")[0].split("rows: ")[-1])
    }
    assert told == WRONG

    for time in ("measured_at", "timestamp", "Date", "date_time"):
        question = read_table(CSV, lines(GOOD, time=time, cost=True), 100)
        assert question.read(reader)[0].tobytes() == dataset.features.tobytes()

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


def test_what_was_assumed_of_a_file_is_told_alike_wherever_it_is_read(
    tmp_path: Path, workload: Workload, plan: Plan
) -> None:
    rows = ["1,234.5;001;1;2026-10-25 02:30:00;5", "1.5;001;1;2026-03-29T02:30;5", "16777217;001;1;2026-03-02T10:07;5"]
    content = "\n".join(["rate;plan;night;measured_at;cpu", *rows])
    (tmp_path / "rows.csv").write_text(content)
    _, report = import_file(tmp_path / "rows.csv", workload, name="d", zone=ZONE)
    result = score(plan, tmp_path / "rows.csv", tmp_path / "scored.parquet")
    question = read_table(CSV, content.encode(), 9)
    for _ in range(2):  # a model that has to be loaded is asked for twice
        _, notes = question.read(ColumnReader(workload, ZONE))
        told = {note.replace("timestamp:", "measured_at:"): count for note, count in notes.items()}
        assert (len(told), told) == (4, dict(report.notes))
    assert told == dict(result.notes)


def scored(plan: Plan, path: Path, content: str) -> tuple[list[str | None], dict[str, int]]:
    """The problem of each row, and the reasons of all."""
    path.write_text(content)
    report = score(plan, path, path.with_suffix(".parquet"), overwrite=True)
    return pq.read_table(path.with_suffix(".parquet"))["problem"].to_pylist(), dict(report.reasons)


@pytest.fixture
def plan(workload: Workload) -> Plan:
    made = draft(workload, weighted(workload, rate=1.0))
    return Plan(Version("shop", 1, None, made.manifest, "", "2026-01-01T00:00:00Z"), made.graph, zone=str(ZONE))


def test_each_row_is_told_its_own_value_and_a_reason_is_counted_once(tmp_path: Path, plan: Plan) -> None:
    rows = ["-1,1,001", "-2,1.00000006,001", "x; y,1,001", "450m,1,z", "1,1,001"]
    lines = [f"{row},1,2026-03-02T10:07" for row in rows]
    problems, reasons = scored(plan, tmp_path / "rows.csv", "\n".join(["rate,users,plan,night,timestamp", *lines, ""]))
    recipe = "--map 'rate=1 * rate' takes m as thousandths: 450m is 0.45"
    assert problems == [
        "rate: must be at least 0, got -1",
        "rate: must be at least 0, got -2; users: must be a whole number, got 1.0000001",
        "rate: expected a number, got 'x; y'",
        f"rate: expected a number, got '450m'; {recipe}; plan: expected one of 001, 010, 002, got 'z'",
        None,
    ]
    assert reasons == {
        "rate: must be at least 0, got -1": 2,
        "users: must be a whole number, got 1.0000001": 1,
        "rate: expected a number, got 'x; y'": 2,
        "plan: expected one of 001, 010, 002, got 'z'": 1,
    }


def test_rows_with_too_many_columns_are_left_out_and_counted_wherever_a_file_is_read(
    tmp_path: Path, workload: Workload, plan: Plan
) -> None:
    path, lines = tmp_path / "rows.csv", ["rate,night,plan,timestamp"] + 3 * ["1,1,001,2026-03-02T10:07"]
    lines[2] += ",9,9"
    content = "\n".join([*lines, ""])
    problems, reasons = scored(plan, path, content)
    told = "row: has 6 columns where 4 have names, got '1,1,001,2026-03-02T10:07,9,9'"
    assert (problems, reasons) == ([None, None], {told: 1})
    with pytest.raises(InvalidData, match=r"row 2 \(counted from 1\) has 6 columns.*nothing was written"):
        score(Plan(plan.version, plan.graph, on_bad="refuse"), path, tmp_path / "other.parquet")
    path.write_text("cpu," + content.replace("\n1", "\n5,1"))
    dataset, report = import_file(path, workload, name="d", zone=ZONE, told={"measured_at": "timestamp"})
    assert (len(dataset), report.repeats, report.rows, report.refusals[0].rows.tolist()) == (1, 1, 3, [1])
    with pytest.raises(InvalidInput, match=r"has 6 columns.*row 1, counted from 0"):
        read_table(CSV, content.encode(), 9)


def test_blanks_around_values_do_not_count_and_blanks_alone_are_missing(
    tmp_path: Path, workload: Workload, plan: Plan
) -> None:
    time = "2026-03-02T10:07"
    content = f"rate,users,plan,night,timestamp\n 1 , , 010 , yes ,{time}\n2,  ,  ,no,{time}\n , 3,001,0,{time}\n"
    problems, _ = scored(plan, tmp_path / "rows.csv", content)
    assert problems == [None, "plan: is missing or not a finite number", "rate: is missing or not a finite number"]
    with pytest.raises(InvalidInput, match=r"rate: .*\(row 2.*plan: .*\(row 1"):
        read_table(CSV, content.encode(), 9).read(ColumnReader(workload, ZONE))
    body = {"rate": 1, "users": " ", "plan": " 010 ", "night": " yes ", "timestamp": time}
    columns = {name: np.array([value], dtype=object) for name, value in body.items()}
    one = ColumnReader(workload, ZONE).read(columns)
    assert one.tolist() == [[np.float32(value) for value in RowReader(workload, ZONE).read(body)]]
    assert one[0, :4].tolist() == [1, 1, 1, 1]
    with pytest.raises(InvalidInput, match="plan: is required"):
        RowReader(workload, ZONE).read(body | {"plan": " "})


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("cost", ["inf", "1e300"])
def test_numbers_that_are_not_finite_are_refused_with_what_stood_there(
    tmp_path: Path, workload: Workload, cost: str
) -> None:
    path, time = tmp_path / "rows.csv", "2026-03-02T10:07"
    path.write_text(
        f"rate,plan,night,measured_at,cpu\n1,001,1,{time},{cost}\n{cost},001,1,{time},5\n1,001,1,{time},5\n"
    )
    _, report = import_file(path, workload, name="d", zone=ZONE)
    assert [(bad.field, bad.message) for bad in report.refusals] == [
        ("rate", "must be finite and at least 0, got inf"),
        ("cpu", "must lie between 0 and 100 percent, got inf"),
    ]


def test_a_date_and_its_time_in_two_columns_are_to_be_joined(tmp_path: Path, workload: Workload) -> None:
    path = tmp_path / "rows.csv"
    path.write_text("rate,plan,night,date,time,cpu\n1,001,1,2026-03-02,10:07,5\n")
    with pytest.raises(InvalidData, match="where 'date' and 'time' are a date and its time, join them into one column"):
        import_file(path, workload, name="d", zone=ZONE)


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


@pytest.mark.parametrize("cost", ["cpu", "CPU", "load"])
@pytest.mark.parametrize(("written", "rate"), [("1.100,5", 1100.5), ("1,100", 1.1), ("1.000", None)])
def test_the_costs_column_says_how_numbers_are_written_wherever_a_file_has_it(
    tmp_path: Path, workload: Workload, plan: Plan, cost: str, written: str, rate: float | None
) -> None:
    path, told = tmp_path / "rows.csv", {"cpu": "load"} if cost == "load" else {}
    row = "{};3;001;yes;2026-03-02T10:07;{}"
    content = f"rate;users;plan;night;measured_at;{cost}\n{row.format(written, '37,5')}\n{row.format('2', '50,5')}\n"
    path.write_text(content)
    dataset, report = import_file(path, workload, name="d", zone=ZONE, told=told)
    assert (report.refused, dataset.features[0, 0]) == ((1, 2.0) if rate is None else (0, np.float32(rate)))
    result = score(replace(plan, told=told), path, tmp_path / "scored.parquet")
    first = pq.read_table(tmp_path / "scored.parquet")["cost"].to_pylist()[0]
    assert (result.bad, first) == (report.refused, None if rate is None else pytest.approx(rate))
    if cost == "cpu":
        question = read_table(CSV, content.encode(), 9)
        if rate is None:
            with pytest.raises(InvalidInput, match=r"rate: expected a number, got '1.000'"):
                question.read(ColumnReader(workload, ZONE))
        else:
            assert question.read(ColumnReader(workload, ZONE))[0].tobytes() == dataset.features.tobytes()


def test_the_time_of_measured_rows_is_left_out_of_batches_where_nothing_is_computed_from_it(tmp_path: Path) -> None:
    declared = "{name: w, cost: {name: c}, features: [{name: date}, {name: a}]}"
    (tmp_path / "w.yaml").write_text(declared)
    reader = ColumnReader(load_workload(tmp_path / "w.yaml"), ZONE)
    assert read_table(CSV, b"measured_at,a,date,c\nsoon,1,2,3\n", 9).read(reader)[0].tolist() == [[2, 1]]


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
    workload = load_workload(tmp_path / "w.yaml")
    made = draft(workload, weighted(workload, a=1.0))
    plan = Plan(Version("w", 1, None, made.manifest, "", "2026-01-01T00:00:00Z"), made.graph)
    for lines, costs, notes in (
        (["kind,a", "#1,1", "# no row", "#2,2"], [1, 2], {"a line that begins with # is a comment": 1}),
        (["# w", "#", "kind,a", "#1,1", "#2,2"], [1, 2], {"a line that begins with # is a comment": 2}),
        (
            ["#a,kind", "# made by hand", "1,#1", "2,#2"],
            [1, 2],
            {
                "the names of the columns stand in a line that begins with #": 1,
                "a line that begins with # is a comment": 1,
            },
        ),
        (["a,kind", "1,#1", "# no row", "# no,row", "2,#2"], [1, 2], {"a line that begins with # is a comment": 2}),
    ):
        content = "\n".join([*lines, ""])
        (tmp_path / "rows.csv").write_text(content)
        report = score(plan, tmp_path / "rows.csv", tmp_path / "scored.parquet", overwrite=True)
        assert pq.read_table(tmp_path / "scored.parquet")["cost"].to_pylist() == costs
        assert (report.rows, report.bad, report.notes) == (2, 0, notes)
        assert read_table(CSV, content.encode(), 9).read(ColumnReader(workload, ZONE))[0].tolist() == [[0, 1], [1, 2]]
