import gzip
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import polars as pl
import pytest

from perfcast.datasets import import_file
from perfcast.errors import InvalidData
from perfcast.tables import map_columns
from perfcast.workloads import Workload, builtin_workloads, load_workload

CONVOLUTION = builtin_workloads()["cnn-execution-time"]
SERVICE = builtin_workloads()["cpu-utilization"]


def convolutions(rows: int = 5) -> pl.DataFrame:
    sizes = list(range(1, rows + 1))
    columns = {
        "batch_size": sizes,
        "input_channels": [3] * rows,
        "input_height": [32] * rows,
        "input_width": [32] * rows,
        "output_channels": [8] * rows,
        "kernel_size": [3] * rows,
        "execution_time_ms": [0.5 * size for size in sizes],
    }
    return pl.DataFrame(columns)


def write(frame: pl.DataFrame, path: Path) -> Path:
    writers = {
        "rows.csv": frame.write_csv,
        "rows.tsv": lambda file: frame.write_csv(file, separator="\t"),
        "rows.parquet": frame.write_parquet,
        "rows.arrow": frame.write_ipc,
        "stream.arrow": frame.write_ipc_stream,
    }
    if path.name == "rows.csv.gz":
        path.write_bytes(gzip.compress(frame.write_csv().encode()))
    else:
        writers[path.name](path)
    return path


@pytest.mark.parametrize("name", ["rows.csv", "rows.csv.gz", "rows.tsv", "rows.parquet", "rows.arrow", "stream.arrow"])
def test_every_format_gives_the_same_dataset(tmp_path: Path, name: str) -> None:
    reference, _ = import_file(write(convolutions(), tmp_path / "rows.csv"), CONVOLUTION, name="d")
    seen: list[tuple[int, int | None]] = []
    path = write(convolutions(), tmp_path / name)
    dataset, report = import_file(path, CONVOLUTION, name="d", on_rows=lambda *rows: seen.append(rows))
    assert seen == [(5, 5 if name in ("rows.csv", "rows.tsv", "rows.parquet") else None)]
    assert dataset.digest == reference.digest
    assert (report.rows, report.kept, report.refused, report.repeats) == (5, 5, 0, 0)


def test_missing_optional_columns_take_their_defaults(tmp_path: Path) -> None:
    frame = convolutions().with_columns(padding=pl.Series([None, 0, None, 0, 1]))
    dataset, _ = import_file(write(frame, tmp_path / "rows.csv"), CONVOLUTION, name="d")
    assert dataset.features[:, CONVOLUTION.feature_names.index("padding")].tolist() == [1, 0, 1, 0, 1]
    assert dataset.features[:, CONVOLUTION.feature_names.index("groups")].tolist() == [1] * 5


def test_refused_rows_are_named_with_the_reason_and_the_rest_is_kept(tmp_path: Path) -> None:
    text = convolutions(6).cast(pl.String).write_csv().splitlines()
    text[2] = text[2].replace("2,3,32", "-2,3,32")
    text[3] = text[3].replace("3,3,32", "three,3,32")
    text[4] = text[4].replace("4,3,32", ",3,32")
    text[5] = text[5].replace("8,3,2.5", "8,90,2.5")
    path = tmp_path / "rows.csv"
    path.write_text("\n".join([*text, text[1]]))
    dataset, report = import_file(path, CONVOLUTION, name="d")
    found = {(refusal.field, refusal.message.split(" (")[0]): refusal.rows.tolist() for refusal in report.refusals}
    assert found == {
        ("batch_size", "must be between 1 and 4096, got -2"): [1],
        ("batch_size", "expected a whole number, got 'three'"): [2],
        ("batch_size", "is missing or not a finite number"): [3],
        ("kernel_size", "must be between 1 and 64, got 90"): [4],
    }
    assert (report.rows, report.refused, report.repeats, report.kept, len(dataset)) == (7, 4, 0, 3, 3)


def test_columns_written_otherwise_or_with_a_slip_are_found_and_told_apart(tmp_path: Path) -> None:
    frame = convolutions().rename({"input_channels": "InputChannels", "kernel_size": "kernal_size"})
    _, report = import_file(write(frame, tmp_path / "rows.csv"), CONVOLUTION, name="d")
    assert report.columns.how["input_channels"] == "InputChannels (alias)"
    assert report.columns.how["kernel_size"] == "kernal_size (closest name: please check)"


def test_two_equally_close_names_are_not_guessed_between() -> None:
    columns = ["kernel_sizes", "kernel_sizee", *convolutions().drop("kernel_size").columns]
    with pytest.raises(InvalidData, match="no column for kernel_size"):
        map_columns(CONVOLUTION, columns, {})


MINE = """
name: shop
cost: {name: cpu, unit: percent, minimum: 0, maximum: 100}
features:
  - {name: request_rate, unit: requests/s, minimum: 0}
  - {name: plan, type: choice, values: [small, large]}
"""


@pytest.fixture
def shop(tmp_path: Path) -> Workload:
    (tmp_path / "shop.yaml").write_text(MINE)
    return load_workload(tmp_path / "shop.yaml")


def test_a_feature_can_be_arithmetic_over_columns_and_a_choice_comes_as_text(tmp_path: Path, shop: Workload) -> None:
    path = tmp_path / "rows.csv"
    path.write_text("requests,used,limit,plan\n600,0.5,1,small\n1200,0.9,1,large\n60,0.1,1,tiny\n")
    told = {"request_rate": "requests / 60", "cpu": "100 * used / limit"}
    dataset, report = import_file(path, shop, name="d", told=told)
    np.testing.assert_allclose(dataset.features, [[10, 0], [20, 1]])
    np.testing.assert_allclose(dataset.cost, [50, 90])
    assert "expected one of small, large, got 'tiny'" in report.refusals[0].message


@pytest.mark.parametrize(
    ("told", "part"),
    [
        ({"request_rate": "requestz / 60"}, "no column 'requestz'"),
        ({"request_rate": "requests ** 60"}, "map of 'request_rate'"),
        ({"rate": "requests"}, "neither a feature nor the cost"),
    ],
)
def test_a_map_that_cannot_be_followed_is_refused(shop: Workload, told: dict[str, str], part: str) -> None:
    with pytest.raises(InvalidData) as caught:
        map_columns(shop, ["requests", "plan", "cpu"], told)
    assert part in str(caught.value)


def test_clock_features_are_computed_from_a_time_column_in_the_services_zone(tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    rows = [f"2026-03-02 08:{minute:02d}:00,10,5,2,20" for minute in range(3)]
    path.write_text("\n".join(["time,request_rate,active_users,db_connections,cpu_utilization", *rows]))
    dataset, _ = import_file(path, SERVICE, name="d", zone=ZoneInfo("Europe/Berlin"))
    assert dataset.measured_at is not None
    assert str(dataset.measured_at[0]) == "2026-03-02T07:00:00.000000"
    assert dataset.features[:, -1].tolist() == [0, 0, 0]
    path.write_text(path.read_text().replace(" 08:", "T08:").replace(":00,10", ":00Z,10"))
    dataset, _ = import_file(path, SERVICE, name="d", zone=ZoneInfo("Europe/Berlin"))
    assert str(dataset.measured_at[0]) == "2026-03-02T08:00:00.000000"
    assert dataset.features[:, -1].tolist() == [1, 1, 1]


@pytest.mark.parametrize("missing", [f.name for f in CONVOLUTION.features if f.required] + ["execution_time_ms"])
def test_a_missing_column_is_never_filled_from_another_ones(missing: str) -> None:
    columns = [*CONVOLUTION.feature_names, "execution_time_ms"]
    columns.remove(missing)
    with pytest.raises(InvalidData, match=f"no column for {missing}"):
        map_columns(CONVOLUTION, columns, {})


def test_a_column_told_for_one_feature_is_not_taken_for_another() -> None:
    columns = [name for name in (*CONVOLUTION.feature_names, "execution_time_ms") if name != "input_width"]
    told = {"input_height": "input_height"}
    with pytest.raises(InvalidData, match="no column for input_width"):
        map_columns(CONVOLUTION, columns, told)


@pytest.mark.parametrize(
    ("times", "repeats"),
    [
        (["2026-03-02", "2026-03-02", "2026-07-01"], 0),
        (["2026-03-02T00:00", "2026-03-02T00:00", "2026-07-01T10:00"], 1),
        (["2026-03-01T23:00Z", "2026-03-01T23:00Z", "2026-06-30T22:00Z"], 0),
    ],
)
def test_equal_rows_are_repeats_only_where_times_are_more_than_dates(
    tmp_path: Path, shop: Workload, times: list[str], repeats: int
) -> None:
    path = tmp_path / "rows.csv"
    path.write_text("\n".join(["measured_at,request_rate,plan,cpu", *(f"{time},1,small,5" for time in times)]))
    dataset, report = import_file(path, shop, name="d", zone=ZoneInfo("Europe/Berlin"))
    assert (report.repeats, len(dataset)) == (repeats, 3 - repeats)


SERVICE_ROWS = [("2026-03-02T08:00:00", 10.0), (None, 11.0), ("soon", 12.0), ("2026-03-02T08:03:00", 13.0)]


@pytest.mark.parametrize("name", ["rows.csv", "rows.parquet"])
def test_rows_without_a_readable_time_are_refused_and_local_times_mean_the_same_in_every_format(
    tmp_path: Path, name: str
) -> None:
    frame = pl.DataFrame(
        {
            "measured_at": [moment for moment, _ in SERVICE_ROWS],
            "request_rate": [rate for _, rate in SERVICE_ROWS],
            "active_users": [1.0] * 4,
            "db_connections": [1.0] * 4,
            "cpu_utilization": [20.0] * 4,
        }
    )
    dataset, report = import_file(write(frame, tmp_path / name), SERVICE, name="d", zone=ZoneInfo("Asia/Tokyo"))
    assert dataset.measured_at is not None
    assert str(dataset.measured_at[0]) == "2026-03-01T23:00:00.000000"
    assert {row for refusal in report.refusals if refusal.field == "measured_at" for row in refusal.rows} == {1, 2}
    assert report.kept == 2


def test_seconds_and_milliseconds_since_1970_are_told_by_their_size(tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    path.write_text(
        "time,request_rate,active_users,db_connections,cpu_utilization\n1772438400,1,1,1,5\n1772438460000,1,1,1,5\n1772438,1,1,1,5\n"
    )
    dataset, report = import_file(path, SERVICE, name="d")
    assert dataset.measured_at is not None
    assert [str(moment) for moment in dataset.measured_at] == [
        "2026-03-02T08:00:00.000000",
        "2026-03-02T08:01:00.000000",
    ]
    assert "seconds since 1970" in report.refusals[0].message


@pytest.mark.parametrize(
    ("name", "content", "part"),
    [
        ("missing.csv", None, "No such file"),
        ("rows.xlsx", b"x", "not a known format"),
        ("rows.parquet", b"not parquet", "can't be read"),
        ("rows.csv", b"", "is empty"),
        ("rows.csv", b"a,b\n1,2\n", "no column for batch_size"),
        ("rows.csv", convolutions().with_columns(batch_size=0).write_csv().encode(), "none of its 5 rows"),
    ],
)
def test_a_file_that_cannot_be_taken_says_why(tmp_path: Path, name: str, content: bytes | None, part: str) -> None:
    path = tmp_path / name
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(InvalidData) as caught:
        import_file(path, CONVOLUTION, name="d")
    assert part in str(caught.value)
