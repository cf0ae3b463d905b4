"""Where datasets are kept: a row of SQL each, their bytes among the content-addressed ones (rule R5)."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from threading import Lock
from typing import Any

import msgspec
import numpy as np
import sqlalchemy as sa

from perfcast.datasets._dataset import Dataset, newest_moment
from perfcast.datasets._files import from_parquet, times_in_parquet, to_parquet
from perfcast.datasets._overview import Overview, read_overview
from perfcast.errors import UnknownDataset
from perfcast.storage import Blobs, Database, insert_new, now, schema
from perfcast.workloads import differences


@dataclass(frozen=True)
class DatasetRecord:
    """What is known of a stored dataset without reading it; `digest` is that of its rows."""

    name: str
    workload: str
    digest: str
    rows: int
    created_at: str
    provenance: Mapping[str, Any]
    blob: str


class Datasets:
    """The datasets kept in a database and its blobs."""

    def __init__(self, database: Database, blobs: Blobs) -> None:
        self._database = database
        self._blobs = blobs
        self._newer = lru_cache(maxsize=256)(self._count_newer)
        self._times = lru_cache(maxsize=1024)(self._read_times)
        self._overview = lru_cache(maxsize=32)(self._read_overview)
        self._looking = Lock()

    def add(self, dataset: Dataset) -> DatasetRecord:
        """Keep a dataset; the same rows under the same name are kept once, and become the newest when kept again."""
        record = DatasetRecord(
            name=dataset.name,
            workload=dataset.workload.name,
            digest=dataset.digest,
            rows=len(dataset),
            created_at=now(),
            provenance=dict(dataset.provenance),
            blob=self._blobs.put(to_parquet(dataset)),
        )
        with self._database.begin() as connection:
            table = schema.dataset
            same = (table.c.name == record.name) & (table.c.digest == record.digest)
            connection.execute(sa.delete(table).where(same))
            insert_new(connection, table, vars(record))
        return self.find(dataset.name, dataset.digest)

    def changes(self, dataset: Dataset) -> tuple[str, ...]:
        """How the declaration of a dataset differs from that of the newest rows kept under its name, a clause each."""
        if not self.list(dataset.name):
            return ()
        return differences(self.load(self.find(dataset.name)).workload, dataset.workload)

    def list(self, name: str | None = None) -> list[DatasetRecord]:
        """The records, newest first; of one source if given."""
        table = schema.dataset
        query = sa.select(table).order_by(table.c.id.desc())
        if name is not None:
            query = query.where(table.c.name == name)
        with self._database.read() as connection:
            return [_record(row) for row in connection.execute(query)]

    def find(self, name: str, digest: str | None = None) -> DatasetRecord:
        """The newest record of a source, or the older one whose digest begins so.

        Raises:
            UnknownDataset: There is none.
        """
        for record in self.list(name):
            if digest is None or record.digest.startswith(digest):
                return record
        known = {record.name for record in self.list()}
        raise UnknownDataset(name if digest is None else f"{name}@{digest}", known, hint="see perfcast data list")

    def thin(self, name: str, *, keep: int, source: str) -> int:
        """Forget the older datasets of a line that grows, and give how many.

        Those that a version was made from, or that a job waits for, stay whatever their age.

        Args:
            name: Of the line.
            keep: How many of the newest stay.
            source: Only datasets whose provenance says so are forgotten: nobody else's.
        """
        table = schema.dataset
        with self._database.begin() as connection:
            used = _used(connection, name)
            query = sa.select(table).where(table.c.name == name).order_by(table.c.id.desc()).offset(keep)
            older = [_record(row) for row in connection.execute(query)]
            old = [item for item in older if item.provenance.get("source") == source and item.digest not in used]
            for record in old:
                same = (table.c.name == name) & (table.c.digest == record.digest)
                connection.execute(sa.delete(table).where(same))
        held = {record.blob for record in self.list()}
        for blob in {record.blob for record in old} - held:
            self._blobs.delete(blob)
        return len(old)

    def load(self, record: DatasetRecord) -> Dataset:
        """The rows of a record, under the declaration they were taken in with.

        Raises:
            BrokenVersion: The bytes are missing or altered.
        """
        return from_parquet(self._blobs.get(record.blob))

    def newer(self, record: DatasetRecord, moment: str) -> int:
        """How many of its rows were measured after a moment (ISO 8601, UTC); 0 where they have no times.

        They are read once for each moment: who asks every few seconds may.
        """
        return self._newer(record.blob, moment)

    def until(self, record: DatasetRecord) -> str | None:
        """When the newest of its rows was measured: ISO 8601, UTC; None where they have no times."""
        return newest_moment(self.load(record).measured_at)

    def times(self, record: DatasetRecord) -> tuple[str, str] | None:
        """When the first and the last of its rows was measured: ISO 8601, UTC; None where they have no times.

        Raises:
            BrokenVersion: The bytes are missing.
        """
        return self._times(record.blob)

    def overview(self, record: DatasetRecord) -> Overview:
        """What people look at of a dataset. Its rows are read once, one dataset at a time; the answer is remembered.

        Raises:
            BrokenVersion: The bytes are missing or altered.
        """
        with self._looking:
            return self._overview(record.blob)

    def _read_times(self, blob: str) -> tuple[str, str] | None:
        with self._blobs.opened(blob) as file:
            return times_in_parquet(file)

    def _read_overview(self, blob: str) -> Overview:
        return read_overview(self._blobs.get(blob))

    def _count_newer(self, blob: str, moment: str) -> int:
        moments = from_parquet(self._blobs.get(blob)).measured_at
        return 0 if moments is None else int((moments > np.datetime64(moment.removesuffix("Z"))).sum())


def _used(connection: sa.Connection, name: str) -> set[str]:
    """The digests of a line that versions were made from or that unfinished jobs were given."""
    version, model, job = schema.version, schema.model, schema.job
    made = sa.select(version.c.manifest).join(model, model.c.name == version.c.model).where(model.c.dataset == name)
    facts = [msgspec.json.decode(manifest).get("data") or {} for manifest in connection.execute(made).scalars()]
    asked = sa.select(job.c.request).where(job.c.finished_at.is_(None), job.c.dataset == name)
    return {str(each.get("digest")) for each in (*facts, *connection.execute(asked).scalars())}


def _record(row: sa.Row[Any]) -> DatasetRecord:
    return DatasetRecord(
        row.name, row.workload, row.digest, row.rows, str(row.created_at), row.provenance or {}, row.blob
    )
