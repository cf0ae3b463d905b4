"""How quickly actuals are taken, joined and shown, with many predictions in the database.

    .venv/bin/python benchmarks/feedback.py
    DATABASE_URL=postgresql://… .venv/bin/python benchmarks/feedback.py --predictions 1000000

Fills an empty database (an SQLite file in a temporary folder unless told otherwise) with predictions of a month, lets
an observer look at them, then tells actuals over HTTP in this process and asks for live accuracy.
"""

import argparse
import json
import statistics
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import serving_model
import sqlalchemy as sa
from starlette.testclient import TestClient

from perfcast.api import create_app
from perfcast.logs import configure_logs
from perfcast.monitoring import Actual, LiveAccuracy, Observer, Record, keep_actuals, versions_of, write_records
from perfcast.registry import Registry
from perfcast.settings import Settings, load_settings
from perfcast.storage import Blobs, Database, now, schema, time_text
from perfcast.workloads import builtin_workloads

MODEL = "cpu-utilization"
DAYS = 30
BLOCK, TRANSACTION = 1_000, 20_000
AT_ONCE = 10_000
ACTUALS = 200_000
ASKED = 50


def filled(database: Database, count: int) -> Iterator[list[str]]:
    """Write predictions of a month, evenly; gives the ids of each transaction."""
    rng = np.random.default_rng(0)
    begin = datetime.now(UTC) - timedelta(days=DAYS)
    step = timedelta(days=DAYS) / count
    for first in range(0, count, TRANSACTION):
        records = []
        rows = np.column_stack([rng.uniform(0, 400, (TRANSACTION, 3)), rng.uniform(-1, 1, (TRANSACTION, 5))]).tolist()
        for place, row in enumerate(rows, first):
            moment = begin + place * step
            name = f"{int(moment.timestamp() * 1000):011x}0123abcd{place % 2**28:07x}"
            cost = 0.2 * row[0]
            records.append(Record(name, MODEL, 1, row, cost, cost - 4, cost + 4, time_text(moment)))
        with database.begin() as connection:
            for start in range(0, TRANSACTION, BLOCK):
                write_records(connection, records[start : start + BLOCK])
        yield [record.id for record in records]


def seconds(call: Any) -> float:
    """How long it takes."""
    began = time.perf_counter()
    call()
    return time.perf_counter() - began


def told(client: TestClient, items: list[Any], expected: str) -> float:
    """Seconds of one `POST /feedback`."""
    body = json.dumps(items)
    began = time.perf_counter()
    answer = client.post("/feedback", content=body)
    took = time.perf_counter() - began
    assert answer.status_code == 202, answer.text
    assert answer.json()[expected] == len(items), {name: answer.json()[name] for name in ("accepted", "refused")}
    return took


def by_features(count: int) -> list[Any]:
    """Items with features, each of a minute of its own."""
    rng = np.random.default_rng(1)
    names = builtin_workloads()[MODEL].feature_names
    begin = datetime.now(UTC) - timedelta(minutes=count)
    return [
        {
            "model_name": MODEL,
            "features": dict(zip(names, [*load, 0.5, 0.866, 0.2588, 0.9659, 1], strict=True)),
            "actual": 0.2 * load[0],
            "measured_at": time_text(begin + timedelta(minutes=place)),
        }
        for place, load in enumerate(rng.uniform(0, 400, (count, 3)).tolist())
    ]


def measure(settings: Settings, predictions: int) -> None:
    """Print all figures."""
    database = Database(settings.database_address)
    registry = Registry(database, Blobs(settings.artifacts_address))
    names: list[str] = []
    began = time.perf_counter()
    for ids in filled(database, predictions):
        names = (names + ids)[-2 * ACTUALS :]
        print(f"\rwriting predictions: {time.perf_counter() - began:.0f} s", end="", flush=True)
    print(f"\r{predictions:,} predictions written in {time.perf_counter() - began:.0f} s")
    version_of = versions_of(registry)
    observer = Observer(database, [LiveAccuracy(version_of)], version_of)
    took = seconds(observer.look)
    print(f"observer: {predictions / took:,.0f} predictions/s")
    kept = [Actual(name, name, 40.0) for name in names[:ACTUALS]]
    with database.begin() as connection:
        keep_actuals(connection, kept, now())
    took = seconds(observer.look)
    print(f"observer: {len(kept) / took:,.0f} actuals/s, of predictions that follow each other")
    sample = np.random.default_rng(2).choice(names[ACTUALS:-AT_ONCE], 2_000, replace=False).tolist()
    with database.begin() as connection:
        keep_actuals(connection, [Actual(name, name, 40.0) for name in sample], now())
    took = seconds(observer.look)
    print(f"observer: {len(sample) / took:,.0f} actuals/s, of predictions here and there")
    with TestClient(create_app(settings)) as client:
        items = [{"prediction_id": name, "actual": 40.0} for name in names[-AT_ONCE:]]
        print(f"POST /feedback, {AT_ONCE:,} by id: {told(client, items, 'accepted'):.2f} s", end="")
        print(f", again: {told(client, items, 'repeated'):.2f} s")
        items = by_features(AT_ONCE)
        print(f"POST /feedback, {AT_ONCE:,} by features: {told(client, items, 'accepted'):.2f} s", end="")
        print(f", again: {told(client, items, 'repeated'):.2f} s")
        one = [seconds(lambda item=item: told(client, [item], "repeated")) for item in items[:ASKED]]
        print(f"POST /feedback, one that was told: {1000 * statistics.median(one):.1f} ms")
        observer.look()
        for path in (f"/models/{MODEL}/metrics", f"/models/{MODEL}/traffic"):
            asked = [seconds(lambda path=path: client.get(path).raise_for_status()) for _ in range(ASKED)]
            print(f"GET {path}: median {1000 * statistics.median(asked):.1f} ms, worst {1000 * max(asked):.1f} ms")
    with database.read() as connection:
        rows = connection.execute(sa.select(sa.func.count()).select_from(schema.live_accuracy)).scalar_one()
        print(f"{rows:,} rows of live accuracy")
    database.close()


def main() -> None:
    """Read the options and measure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--predictions", type=int, default=10_000_000)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        serving_model.make(Path(folder))
        settings = load_settings(data_dir=Path(folder) / "var", log_level="WARNING")
        configure_logs(settings)
        measure(settings, given.predictions)


if __name__ == "__main__":
    main()
