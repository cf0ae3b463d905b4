"""From a journal to a data set: accepted rows as Parquet, and the data card beside it."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from perfcast.errors import InvalidData

from ._card import CardFacts, data_card
from ._configurations import ConvConfig
from ._journal import SUFFIX, JournalContents, read_journal
from ._options import ProfileOptions
from ._rounds import Measurements, Reading, half_spread, measurements_of

WORKLOAD = "cnn-execution-time"


@dataclass(frozen=True, slots=True)
class MeasuredRow:
    """One accepted configuration.

    Attributes:
        config: The features.
        execution_time_ms: The least time per call over all rounds, in ms.
        rounds: Rounds that measured it.
        half_spread: Relative difference between the best of its odd and of its even rounds.
        sentinel_ratio: The sentinel's time before the best round, relative to its best in the run.
        measured_at: ISO 8601 UTC time of the best round.
    """

    config: ConvConfig
    execution_time_ms: float
    rounds: int
    half_spread: float
    sentinel_ratio: float
    measured_at: str


@dataclass(frozen=True, slots=True)
class WrittenDataset:
    """The files of a data set, its rows, and how many configurations it leaves out."""

    dataset: Path
    card: Path
    rows: int
    left_out: int


def write_dataset(
    journal: Path, *, options: ProfileOptions | None = None, output: Path | None = None
) -> WrittenDataset:
    """Write the accepted configurations of a journal as Parquet, and a data card beside it.

    Args:
        journal: The journal; it may belong to an unfinished run.
        options: Tolerance, base rounds and command; those in the journal's header unless given.
        output: Folder to write to; the journal's own unless given.

    Returns:
        The files written.

    Raises:
        InvalidData: The journal is empty or damaged.
    """
    contents = read_journal(journal)
    if not contents.header:
        raise InvalidData(f"{journal} is empty; profile again to fill it")
    settings = options.to_json() if options else contents.header["options"]
    measurements = measurements_of(contents)
    rows = accepted_rows(contents, tolerance=settings["tolerance"], rounds=settings["rounds"])
    stem = journal.name.removesuffix(SUFFIX)
    folder = output or journal.parent
    folder.mkdir(parents=True, exist_ok=True)
    dataset, card = folder / f"{stem}.parquet", folder / f"{stem}.md"
    _write_parquet(dataset, rows, contents, settings)
    card.write_text(data_card(_facts(rows, contents, measurements, settings, dataset)))
    return WrittenDataset(dataset, card, len(rows), len(contents.configurations) - len(rows))


def accepted_rows(contents: JournalContents, *, tolerance: float, rounds: int) -> list[MeasuredRow]:
    """Return the configurations whose halves agree, in the order they were sampled.

    Args:
        contents: A journal.
        tolerance: Largest relative difference of the halves.
        rounds: Rounds that a configuration must have.

    Returns:
        One row for each accepted configuration.
    """
    measurements = measurements_of(contents)
    indices = sorted(index for index in measurements.readings if index not in measurements.failed)
    return [
        _row(contents.configurations[index], measurements.readings[index], measurements)
        for index in indices
        if measurements.accepted(index, tolerance=tolerance, rounds=rounds)
    ]


def _row(config: ConvConfig, readings: Sequence[Reading], measurements: Measurements) -> MeasuredRow:
    """Summarise a configuration's readings."""
    best = min(readings, key=lambda reading: reading.ms)
    sentinel_best = measurements.sentinel_best_ms or best.sentinel_ms
    return MeasuredRow(
        config=config,
        execution_time_ms=best.ms,
        rounds=len(readings),
        half_spread=half_spread(readings) or 0.0,
        sentinel_ratio=best.sentinel_ms / sentinel_best,
        measured_at=best.at,
    )


def _write_parquet(
    path: Path, rows: Sequence[MeasuredRow], contents: JournalContents, settings: dict[str, Any]
) -> None:
    """Write the rows with zstd and dictionary encoding."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    fingerprint, runtime = contents.fingerprint, settings["runtime"]
    device = fingerprint.gpu or fingerprint.device
    moments = [datetime.fromisoformat(row.measured_at) for row in rows]
    version = fingerprint.versions.get(runtime, "unknown")
    columns: dict[str, Any] = {
        name: pa.array([getattr(row.config, name) for row in rows], pa.int32()) for name in ConvConfig.names()
    }
    columns["execution_time_ms"] = pa.array([row.execution_time_ms for row in rows], pa.float64())
    columns["rounds"] = pa.array([row.rounds for row in rows], pa.int16())
    columns["half_spread"] = pa.array([round(row.half_spread, 5) for row in rows], pa.float32())
    columns["sentinel_ratio"] = pa.array([round(row.sentinel_ratio, 4) for row in rows], pa.float32())
    columns["measured_at"] = pa.array(moments, pa.timestamp("s", tz="UTC"))
    columns["device"] = _constant(device, len(rows))
    columns["runtime"] = _constant(runtime, len(rows))
    columns["runtime_version"] = _constant(version, len(rows))
    columns["python_version"] = _constant(fingerprint.versions.get("python", "unknown"), len(rows))
    table = pa.table(columns).replace_schema_metadata(_metadata(contents, settings))
    unfinished = path.with_suffix(".parquet.tmp")
    pq.write_table(table, unfinished, compression="zstd", use_dictionary=True)
    unfinished.replace(path)


def _constant(value: str, count: int) -> Any:
    """Return a dictionary-encoded column that holds one value."""
    import pyarrow as pa

    return pa.array([value] * count, pa.string()).dictionary_encode()


def _metadata(contents: JournalContents, settings: dict[str, Any]) -> dict[str, str]:
    """Return the file's key-value metadata."""
    return {
        "name": contents.header["name"],
        "workload": WORKLOAD,
        "source": f"perfcast profile, {settings['runtime']} {settings['measured_pass']}",
        "fingerprint": json.dumps(contents.fingerprint.to_json(), sort_keys=True),
        "licence": "MIT",
    }


def _facts(
    rows: Sequence[MeasuredRow],
    contents: JournalContents,
    measurements: Measurements,
    settings: dict[str, Any],
    dataset: Path,
) -> CardFacts:
    """Gather what the data card states."""
    tried = {index: half_spread(readings) for index, readings in measurements.readings.items()}
    return CardFacts(
        name=contents.header["name"],
        file=dataset.name,
        bytes=dataset.stat().st_size,
        fingerprint=contents.fingerprint,
        settings=settings,
        times_ms=[row.execution_time_ms for row in rows],
        spreads=[spread for spread in tried.values() if spread is not None],
        row_spreads=[row.half_spread for row in rows],
        sentinel_ratios=[row.sentinel_ratio for row in rows],
        row_rounds=[row.rounds for row in rows],
        configurations=len(contents.configurations),
        failures=measurements.failed,
        first=min((block.at for block in contents.blocks), default="-"),
        last=max((block.at for block in contents.blocks), default="-"),
    )
