"""Writes what a release keeps, so that later ones can be tested on it: run by that release's code, from its root.

PYTHONPATH=src:. python make.py FOLDER, then tar FOLDER: a `DATA_DIR` of two versions, a dataset, predictions with
their actuals, a queued job and a schedule.
"""

import sqlite3
import sys
from pathlib import Path
from zoneinfo import ZoneInfo

from tests.drafts import draft, weighted
from tests.workers import small_dataset

from perfcast.datasets import Datasets
from perfcast.jobs import Asked, Jobs, Plan, Schedules, Submissions, make_transport
from perfcast.monitoring import Actual, Record, keep_actuals, write_records
from perfcast.registry import Registry
from perfcast.settings import load_settings
from perfcast.storage import Blobs, Database
from perfcast.workloads import builtin_workloads

MODEL, AT = "cpu-utilization", "2026-03-01T00:00:00.000000Z"


def main(folder: Path) -> None:
    """Fill a `DATA_DIR`."""
    settings = load_settings(data_dir=folder)
    database, blobs = Database(settings.database_address), Blobs(settings.artifacts_address)
    database.migrate()
    registry, datasets, workload = Registry(database, blobs), Datasets(database, blobs), builtin_workloads()[MODEL]
    datasets.add(small_dataset(300))
    for weight in (0.25, 0.5):
        registry.add(MODEL, draft(workload, weighted(workload, request_rate=weight)), dataset="simulated")
    registry.point(MODEL, "champion", 1, reason="the first")
    row = [0.0] * len(workload.feature_names)
    names = [f"{number:011x}" for number in range(1, 201)]
    with database.begin() as connection:
        write_records(connection, [Record(name, MODEL, 1, row, 7.5, 6.5, 8.5, AT) for name in names])
        keep_actuals(connection, [Actual(name, name, 7.25) for name in names[:50]], AT)
    submissions, transport = Submissions(datasets, registry, builtin_workloads()), make_transport(settings)
    Jobs(database, transport, attempts=3, retry_seconds=1.0).submit(
        submissions.complete(Asked(model_name=MODEL, families=("polynomial",), n_trials=1))
    )
    Schedules(database, submissions, ZoneInfo("UTC")).put(MODEL, Plan(cron="0 3 1 1 *", drift=True))
    transport.close()
    database.close()
    (folder / "queue.db").unlink(missing_ok=True)
    with sqlite3.connect(folder / "perfcast.db") as connection:
        connection.execute("PRAGMA journal_mode = DELETE")
        connection.execute("VACUUM")


main(Path(sys.argv[1]))
