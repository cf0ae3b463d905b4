"""Names of opposite or other meaning are never taken for a column, known ones are, and guesses are marked."""

import re

import pytest

from perfcast.errors import InvalidData
from perfcast.tables import map_columns
from perfcast.workloads import builtin_workloads

CONVOLUTION = builtin_workloads()["cnn-execution-time"]
SERVICE = builtin_workloads()["cpu-utilization"]
RIGHT = {"time": "time", "request_rate": "request_rate", "active_users": "active_users",
         "db_connections": "db_connections", "cpu_utilization": "cpu_utilization"}  # fmt: skip


@pytest.mark.parametrize(
    ("name", "column"),
    [
        ("active_users", "inactive_users"),
        ("cpu_utilization", "gpu_utilization"),
        ("cpu_utilization", "cpu_utilisation"),
        ("request_rate", "bequest_rate"),
        ("db_connections", "dc_connections"),
        ("db_connections", "connections"),
    ],
)
def test_another_quantity_or_a_guessed_cost_is_not_taken(name: str, column: str) -> None:
    columns = [*(RIGHT | {name: column}).values()]
    with pytest.raises(InvalidData, match=f"no column for {name}"):
        map_columns(SERVICE, columns, {})


def test_every_missing_column_is_told_with_its_option_and_how_to_write_names_of_several_words() -> None:
    told = "--map active_users=COLUMN --map cpu_utilization=COLUMN, names .*: --map FEATURE='users online'$"
    columns = [*(RIGHT | {"active_users": "users online", "cpu_utilization": "cpu %"}).values()]
    with pytest.raises(InvalidData, match=told):
        map_columns(SERVICE, columns, {})


def test_a_told_column_that_is_written_otherwise_is_suggested() -> None:
    columns = [*(RIGHT | {"active_users": "users online"}).values()]
    with pytest.raises(InvalidData, match=r"no column 'users_online'.*; did you mean 'users online'"):
        map_columns(SERVICE, columns, {"active_users": "users_online"})


def test_the_time_may_be_told_by_the_name_that_predictions_give_it() -> None:
    columns = [*(RIGHT | {"time": "when it was"}).values()]
    assert map_columns(SERVICE, columns, {"timestamp": "when it was"}).sources["measured_at"] == "when it was"


@pytest.mark.parametrize(
    ("name", "column", "how"),
    [
        ("request_rate", "RequestRate", "alias"),
        ("request_rate", "Requests per second", "alias"),
        ("cpu_utilization", "CPU Utilization", "alias"),
        ("active_users", "active_user", "closest name: please check"),
        ("db_connections", "db_conections", "closest name: please check"),
        ("db_connections", "db_conenctions", "closest name: please check"),
    ],
)
def test_aliases_and_slips_are_taken_and_told_apart(name: str, column: str, how: str) -> None:
    found = map_columns(SERVICE, [*(RIGHT | {name: column}).values()], {})
    assert found.how[name] == f"{column} ({how})"


@pytest.mark.parametrize(
    ("name", "columns"),
    [
        ("stride", ["Stride", "STRIDE"]),
        ("input_channels", ["InputChannels", "in channels"]),
        ("execution_time_ms", ["Execution time (ms)", "executionTimeMs"]),
    ],
)
def test_columns_that_are_equally_alike_are_refused_and_one_can_be_told(name: str, columns: list[str]) -> None:
    others = [known for known in (*CONVOLUTION.feature_names, "execution_time_ms") if known != name]
    with pytest.raises(InvalidData, match=re.escape(f"; say which with --map '{name}={columns[0]}'")):
        map_columns(CONVOLUTION, [*others, *columns], {})
    assert map_columns(CONVOLUTION, [*others, *columns], {name: columns[1]}).sources[name] == columns[1]
