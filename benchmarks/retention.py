"""Whether the disk stays flat: simulated days of a prediction log, kept for its days and its bytes.

Blocks are those that an API process writes, a thousand predictions each, at moments of simulated days; retention
looks once a simulated hour, as a worker does each minute. The records' numbers are random, so that they take the bytes
that real ones do.

.venv/bin/python benchmarks/retention.py
.venv/bin/python benchmarks/retention.py --days 12 --megabytes-a-day 400 --keep-days 3 --keep-megabytes 1000
.venv/bin/python benchmarks/retention.py --url postgresql://…
.venv/bin/python benchmarks/retention.py --export
"""

import argparse
import json
import logging
import random
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import sqlalchemy as sa
import structlog

from perfcast.monitoring import Archive, Record, Retention, write_records
from perfcast.storage import Database, schema, time_text

ROWS = 1_000
FEATURES = ["request_rate", "active_users", "db_connections", "hour_sin", "hour_cos", "day_of_week"]
BEGIN = datetime(2026, 3, 1, tzinfo=UTC)


def block(at: datetime, number: int, chance: random.Random) -> list[Record]:
    """What was predicted in a moment."""
    moment, begin = time_text(at), f"{int(at.timestamp() * 1000):011x}aaaaaaaa"
    return [
        Record(
            f"{begin}{number * ROWS + row:07x}",
            "cpu-utilization",
            1,
            [chance.random() * 100 for _ in FEATURES],
            chance.random() * 100,
            chance.random() * 100,
            chance.random() * 100,
            moment,
        )
        for row in range(ROWS)
    ]


def size(database: Database) -> float:
    """Megabytes of the database: SQLite's files, or the relation with its indexes and large values."""
    if database.file is not None:
        return sum(path.stat().st_size for path in Path(database.file).parent.glob("perfcast.db*")) / 1e6
    with database.read() as connection:
        return float(connection.scalar(sa.text("SELECT pg_total_relation_size('prediction_block')")) or 0) / 1e6


def simulate(database: Database, options: argparse.Namespace, archive: Archive | None) -> list[dict[str, float]]:
    """One row a day."""
    chance = random.Random(7)
    retention = Retention(
        database,
        days=options.keep_days,
        most_bytes=int(options.keep_megabytes * 1e6),
        archive=archive,
        features_of=lambda *_: FEATURES,
    )
    templates = _templates(database, chance)
    an_hour = max(1, round(options.megabytes_a_day * 1e6 / 24 / templates[0]["bytes"]))
    days, number = [], 0
    for day in range(options.days):
        began, looked, most = time.monotonic(), 0.0, 0.0
        for hour in range(24):
            now = BEGIN + timedelta(days=day, hours=hour)
            with database.begin() as connection:
                rows = [_again(templates, now, number + each) for each in range(an_hour)]
                connection.execute(schema.prediction_block.insert(), rows)
            number += an_hour
            began_look = time.monotonic()
            retention.look(now)
            seconds = time.monotonic() - began_look
            looked, most = looked + seconds, max(most, seconds)
        with database.read() as connection:
            held = connection.scalar(sa.select(sa.func.sum(schema.prediction_block.c.bytes))) or 0
        found = {
            "day": day + 1,
            "records_mb": round(held / 1e6, 1),
            "database_mb": round(size(database), 1),
            "retention_s": round(looked, 2),
            "longest_look_s": round(most, 2),
        }
        days.append(found)
        print(json.dumps(found | {"seconds": round(time.monotonic() - began, 1)}), flush=True)
    return days


def _templates(database: Database, chance: random.Random) -> list[dict[str, Any]]:
    """Rows of some blocks, as they are written; packing each anew would take most of the time."""
    with database.begin() as connection:
        for number in range(8):
            write_records(connection, block(BEGIN, number, chance))
        rows = [dict(row) for row in connection.execute(schema.prediction_block.select()).mappings()]
        connection.execute(schema.prediction_block.delete())
    return rows


def _again(templates: list[dict[str, Any]], at: datetime, number: int) -> dict[str, Any]:
    """One of them at another moment."""
    template, moment, begin = templates[number % len(templates)], time_text(at), f"{int(at.timestamp() * 1000):011x}"
    names = {"first_id": f"{begin}aaaaaaaa{number * ROWS:07x}", "last_id": f"{begin}aaaaaaaa{number * ROWS + 999:07x}"}
    kept = {name: value for name, value in template.items() if name != "id"}
    return kept | names | {"first_at": moment, "last_at": moment, "observed": True}


def main() -> None:
    """Simulate, and say how flat it was."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--days", type=int, default=12)
    parser.add_argument("--megabytes-a-day", type=float, default=400)
    parser.add_argument("--keep-days", type=float, default=3)
    parser.add_argument("--keep-megabytes", type=float, default=0)
    parser.add_argument("--url", default="")
    parser.add_argument("--export", action="store_true", help="write what leaves to Parquet first")
    options = parser.parse_args()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    with tempfile.TemporaryDirectory() as folder:
        database = Database(options.url or f"sqlite:///{folder}/perfcast.db")
        database.migrate()
        archive = Archive(f"{folder}/archive") if options.export else None
        days = simulate(database, options, archive)
        full = [day["database_mb"] for day in days[int(options.keep_days) + 1 :]]
        if full:
            print(f"after {int(options.keep_days) + 1} days: from {min(full):,.0f} to {max(full):,.0f} MB")
        if archive is not None:
            files = list(Path(folder, "archive").rglob("*.parquet"))
            print(f"{len(files)} Parquet files of {sum(file.stat().st_size for file in files) / 1e6:,.0f} MB")
        database.close()


if __name__ == "__main__":
    main()
