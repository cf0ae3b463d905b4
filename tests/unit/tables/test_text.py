"""Text files as people's tools write them are read the same, and what was found is said in words."""

import gzip
from pathlib import Path

import pytest

from perfcast.datasets import import_file
from perfcast.errors import InvalidData
from perfcast.tables import open_table
from perfcast.workloads import Workload, load_workload

DECLARED = "{name: w, cost: {name: c, unit: percent}, features: [{name: a}, {name: b, type: integer}]}"
ROWS = [(1.5, 2, 30.25), (2.5, 3, 40.5)]


@pytest.fixture
def workload(tmp_path: Path) -> Workload:
    (tmp_path / "w.yaml").write_text(DECLARED)
    return load_workload(tmp_path / "w.yaml")


def text(separator: str, decimal: str = ".") -> str:
    lines = [separator.join(str(value).replace(".", decimal) for value in row) for row in ROWS]
    return "\n".join([separator.join("abc"), *lines, ""])


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (text(",").encode(), "',' between columns, UTF-8"),
        (text(",").replace("\n", "\r\n").encode("utf-8-sig"), "',' between columns, UTF-8"),
        (text(";").encode(), "';' between columns, UTF-8"),
        (text("\t").encode("utf-16"), "tabs between columns, UTF-16"),
        (text("\t", ",").encode("utf-16-le"), "tabs between columns, decimal commas, UTF-16-LE"),
        (text("|").encode(), "'|' between columns, UTF-8"),
        (b"sep=;\n" + text(";", ",").encode(), "';' between columns, decimal commas, UTF-8"),
        (b"# made by hand\n# twice\n" + text(",").encode() + b"# the end\n", "',' between columns, UTF-8"),
        (gzip.compress(text(",").encode(), mtime=0), "',' between columns, UTF-8"),
        (b'"a","b","c"\n"1,5","2","30,25"\n"2,5","3","40,5"\n', "',' between columns, decimal commas, UTF-8"),
    ],
)
def test_every_dialect_gives_the_same_rows(tmp_path: Path, workload: Workload, content: bytes, words: str) -> None:
    (tmp_path / "rows.csv").write_bytes(content)
    dataset, report = import_file(tmp_path / "rows.csv", workload, name="d")
    assert [(*row, cost) for row, cost in zip(dataset.features.tolist(), dataset.cost.tolist(), strict=True)] == ROWS
    assert (report.read_as, report.refused) == (words, 0)


def test_one_odd_value_far_down_refuses_its_row_alone(tmp_path: Path, workload: Workload) -> None:
    lines = ["a,b,c", *(f"{row},1,{row % 100}" for row in range(12_000))]
    lines[10_401], lines[10_402], lines[10_403] = "N/A,1,5", "55.5,1,5", "1,2,3,4"
    (tmp_path / "rows.csv").write_text("\n".join([*lines, "7,1,N/A"]))
    dataset, report = import_file(tmp_path / "rows.csv", workload, name="d")
    assert {(bad.field, bad.message): bad.rows.tolist() for bad in report.refusals} == {
        ("row", "has 4 columns where 3 have names, got '1,2,3,4'"): [10_402],
        ("a", "expected a number, got 'N/A'"): [10_400],
        ("c", "expected a number, got 'N/A'"): [12_000],
    }
    assert (report.rows, report.refused) == (12_001, 3)
    assert 55.5 in dataset.features[:, 0]


@pytest.mark.parametrize(
    ("cell", "taken", "told"),
    [
        ("45%", 45, "c: read without its %"),
        ('"1,045.5"', 1045.5, "c: commas or dots between thousands were left out"),
        ("450m", None, "expected a number, got '450m'; --map 'c=1 * c' takes m as thousandths: 450m is 0.45"),
        ('"1,393"', None, "expected a number, got '1,393'; this can be thousands or decimals"),
        ("n/a", None, "expected a number, got 'n/a'"),
    ],
)
def test_marks_on_numbers_are_read_where_they_can_mean_one_thing(
    tmp_path: Path, workload: Workload, cell: str, taken: float | None, told: str
) -> None:
    (tmp_path / "rows.csv").write_text(f"a,b,c\n1,1,2.5\n2,1,{cell}\n")
    dataset, report = import_file(tmp_path / "rows.csv", workload, name="d")
    if taken is None:
        assert report.refusals[0].message.startswith(told)
        assert report.refusals[0].rows.tolist() == [1]
    else:
        assert (dataset.cost[1], report.notes) == (taken, {told: 1})


@pytest.mark.parametrize(
    ("first", "cell", "taken"),
    [("2", "1,5", 1.5), ("2", "0,234", 0.234), ("2", "1234,5", 1234.5), ("2", "1,234", None), ("2.5", "1,5", None)],
)
def test_decimal_commas_far_down_are_read_where_the_first_lines_have_no_mark(
    tmp_path: Path, workload: Workload, first: str, cell: str, taken: float | None
) -> None:
    rows = [f"{row};1;{first}" for row in range(200)]
    (tmp_path / "rows.csv").write_text("\n".join(["a;b;c", *rows, f"9;1;{cell}", ""]))
    dataset, report = import_file(tmp_path / "rows.csv", workload, name="d")
    assert (report.refused, report.notes) == ((1, {}) if taken is None else (0, {"c: decimal commas were read": 1}))
    assert taken is None or dataset.cost[-1] == pytest.approx(taken)


def test_columns_with_blanks_and_marks_stand_in_arithmetic(tmp_path: Path, workload: Workload) -> None:
    (tmp_path / "rows.csv").write_text("a,b,CPU Used,CPU Limit\n1,1,450m,1\n2,1,1,4\n")
    dataset, report = import_file(
        tmp_path / "rows.csv", workload, name="d", told={"c": "100 * `CPU Used` / `CPU Limit`"}
    )
    assert dataset.cost.tolist() == [45, 25]
    assert report.notes == {"CPU Used: m was read as thousandths": 1}
    with pytest.raises(InvalidData, match="in backticks: `CPU Used`"):
        import_file(tmp_path / "rows.csv", workload, name="d", told={"c": "100 * CPU Used"})


@pytest.mark.parametrize(
    ("above", "names", "noted"),
    [
        ("#a,b,c", "abc", True),
        ("# 2 rows\n# a,b,c\n# by hand", "abc", True),
        ("#a,b,c\na,b,c", "abc", False),
        ("#1,2,3\na,b,c", "abc", False),
        ("# by hand\na,b,c", "abc", False),
        ("# x,y,z\na,b,c\n1,1,2", "abc", False),
    ],
)
def test_names_in_a_comment_are_taken_where_a_row_of_numbers_stands_below(
    tmp_path: Path, workload: Workload, above: str, names: str, *, noted: bool
) -> None:
    (tmp_path / "rows.csv").write_text(f"{above}\n1.5,2,30\n2.5,3,x\n# the end\n")
    dataset, report = import_file(tmp_path / "rows.csv", workload, name="d")
    assert open_table(tmp_path / "rows.csv").names == tuple(names)
    assert (dataset.cost.tolist()[-1], len(report.refusals[0].rows)) == (30, 1)
    assert ("the names of the columns stand in a line that begins with #" in report.notes) == noted


def test_names_keep_their_quotation_marks_single(tmp_path: Path) -> None:
    (tmp_path / "rows.csv").write_text('"Time","{__name__=""x"", job=""s""}"\n1772438400000,5\n')
    assert open_table(tmp_path / "rows.csv").names == ("Time", '{__name__="x", job="s"}')


@pytest.mark.parametrize(
    ("content", "part"),
    [
        (b"1,2,3\n" * 20_000 + b"1,2,\xff\n", "row 20001 (counted from 1) holds bytes that are no text"),
        (b'1,2,3\n1,2,"3\n' + b"1,2,3\n" * 10_000, "a quotation mark is not closed in row 2 (counted from 1)"),
        (b'1,2,3\n1,2\n1,"2\n' + b"1,2,3\n" * 10_000, "a quotation mark is not closed in row 3 (counted from 1)"),
        (b'1,2,"' + b"1,2,3\n" * 1_000_000, "some row after 0 is longer than 4,194,304 bytes; is a quotation"),
    ],
)
def test_what_cannot_be_read_on_is_told_without_the_librarys_words(
    tmp_path: Path, workload: Workload, content: bytes, part: str
) -> None:
    (tmp_path / "rows.csv").write_bytes(b"a,b,c\n" + content)
    with pytest.raises(InvalidData) as caught:
        import_file(tmp_path / "rows.csv", workload, name="d")
    assert part in str(caught.value)


@pytest.mark.parametrize(
    ("cells", "rows", "notes"),
    [
        ('17" screen', 3, {}),
        ('"two\nlines, of text"', 3, {}),
        (
            '"oops\n2,1,7,\n3,1,8,"and more',
            3,
            {"a line break and cells after it are one cell's text; is a quotation mark not closed?": 1},
        ),
    ],
)
def test_marks_and_breaks_in_texts_are_read_and_noted_where_they_look_like_rows(
    tmp_path: Path, workload: Workload, cells: str, rows: int, notes: dict[str, int]
) -> None:
    (tmp_path / "rows.csv").write_text(f"a,b,c,note\n1,1,5,ok\n2,2,6,{cells}\n3,3,7,ok\n")
    _, report = import_file(tmp_path / "rows.csv", workload, name="d")
    assert (report.rows, report.kept, report.notes) == (rows, rows, notes)


def test_rows_that_begin_with_a_hash_are_comments_wherever_they_stand(tmp_path: Path, workload: Workload) -> None:
    rows = ["a,b,c", "1,1,5", "# one,two,three", "2,x,6", "# one", "3,1", " #,,", "4,y,7", "5,1", "6,1,8", ""]
    (tmp_path / "rows.csv").write_text("\n".join(rows))
    dataset, report = import_file(tmp_path / "rows.csv", workload, name="d")
    assert [(bad.field, bad.rows.tolist()) for bad in report.refusals] == [("row", [2, 4]), ("b", [1, 3])]
    assert (dataset.cost.tolist(), report.rows) == ([5, 8], 6)
    assert report.notes == {"a line that begins with # is a comment": 3}


def test_whole_numbers_that_float32_rounds_are_refused_or_noted(tmp_path: Path, workload: Workload) -> None:
    (tmp_path / "rows.csv").write_text("a,b,c\n16777217,1,5\n2,16777217,6\n3,16777216,7\n")
    dataset, report = import_file(tmp_path / "rows.csv", workload, name="d")
    assert [(bad.field, bad.rows.tolist()) for bad in report.refusals] == [("b", [1])]
    assert "count in thousands" in report.refusals[0].message
    assert len(dataset) == 2
    ((note, count),) = report.notes.items()
    assert (note[:2], count) == ("a:", 1)
    (tmp_path / "rows.csv").write_text("a,b,c\n20240101.5,1,5\n20240101.25,1,6\n0.1,1,7\n16777218,1,1\n")
    _, report = import_file(tmp_path / "rows.csv", workload, name="d")
    assert [(note[:27], count) for note, count in report.notes.items()] == [("a: numbers beyond 16,777,21", 2)]
