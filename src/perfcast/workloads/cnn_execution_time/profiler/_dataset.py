"""From a journal to a data set: accepted rows as Parquet, and the data card beside it."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from ._card import data_card
from ._fingerprint import Fingerprint
from ._journal import SUFFIX, JournalContents, read_journal
from ._kind import Kind
from ._options import ProfileOptions
from ._rounds import MeasuredRow, accepted_rows, measurements_of


@dataclass(frozen=True, slots=True)
class ProfileResult:
    """What a run wrote, how many rows, how many of its configurations were left out, and on which device."""

    dataset: Path
    card: Path
    journal: Path
    rows: int
    left_out: int
    fingerprint: Fingerprint


def write_dataset(journal: Path, options: ProfileOptions, kind: Kind) -> ProfileResult:
    """Write the accepted configurations of a journal as Parquet, and a data card, beside it."""
    contents = read_journal(journal, kind.configuration)
    settings = options.to_json()
    measurements = measurements_of(contents)
    rows = accepted_rows(contents, measurements, tolerance=settings["tolerance"], rounds=settings["rounds"])
    stem = journal.name.removesuffix(SUFFIX)
    dataset, card = journal.with_name(f"{stem}.parquet"), journal.with_name(f"{stem}.md")
    _write_parquet(dataset, kind, rows, contents, settings)
    card.write_text(data_card(dataset, kind, rows, contents, measurements, settings))
    left_out = len(contents.configurations) - len(rows)
    return ProfileResult(dataset, card, journal, len(rows), left_out, contents.fingerprint)


def _write_parquet(
    path: Path, kind: Kind, rows: Sequence[MeasuredRow], contents: JournalContents, settings: Mapping[str, Any]
) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    fingerprint, runtime = contents.fingerprint, settings["runtime"]
    columns: dict[str, Any] = {name: _column([getattr(row.config, name) for row in rows]) for name in kind.features}
    columns["execution_time_ms"] = pa.array([row.execution_time_ms for row in rows], pa.float64())
    columns["rounds"] = pa.array([row.rounds for row in rows], pa.int16())
    columns["half_spread"] = pa.array([round(row.half_spread, 5) for row in rows], pa.float32())
    columns["sentinel_ratio"] = pa.array([round(row.sentinel_ratio, 4) for row in rows], pa.float32())
    columns["path"] = pa.array([row.path for row in rows], pa.string()).dictionary_encode()
    moments = [datetime.fromisoformat(row.measured_at) for row in rows]
    columns["measured_at"] = pa.array(moments, pa.timestamp("s", tz="UTC"))
    same = {
        "device": fingerprint.gpu or fingerprint.device,
        "runtime": runtime,
        "runtime_version": fingerprint.versions.get(runtime, "unknown"),
        "python_version": fingerprint.versions.get("python", "unknown"),
    }
    columns |= {name: pa.array([value] * len(rows), pa.string()).dictionary_encode() for name, value in same.items()}
    about = {
        "name": contents.header["name"],
        "workload": kind.workload,
        "source": f"perfcast profile, {runtime} {settings['measured_pass']}",
        "fingerprint": json.dumps(asdict(fingerprint), sort_keys=True),
        "licence": "MIT",
    }
    unfinished = path.with_suffix(".parquet.tmp")
    table = pa.table(columns).replace_schema_metadata(about)
    pq.write_table(table, unfinished, compression="zstd", use_dictionary=True)
    unfinished.replace(path)


def _column(values: Sequence[int | str]) -> Any:
    """Values of one feature: whole numbers, or the words of a choice."""
    import pyarrow as pa

    words = any(isinstance(value, str) for value in values)
    return pa.array(values, pa.string()).dictionary_encode() if words else pa.array(values, pa.int32())
