"""A line of datasets that grows: each new one holds the journal's rows, and few old ones are left behind."""

from typing import Any

import numpy as np

from perfcast.collect._collection import Collection
from perfcast.collect._journal import Journal
from perfcast.collect._rows import Taken
from perfcast.datasets import Dataset, DatasetRecord, Datasets
from perfcast.errors import InvalidData

SOURCE = "perfcast collect"
"""What a dataset's provenance says of who made it."""
_DATASET = "dataset"


class Line:
    """The datasets of one collection.

    Args:
        datasets: Where they are kept.
        collection: Whose name they have.
        journal: Whose rows they hold.
    """

    def __init__(self, datasets: Datasets, collection: Collection, journal: Journal) -> None:
        self._datasets, self._collection, self._journal = datasets, collection, journal
        self.unpublished = 0

    def recall(self) -> int:
        """Take the rows of the newest dataset into the journal, where it lacks them; gives how many.

        So a line that was imported goes on growing, and a journal that was lost is there again.

        Raises:
            InvalidData: Those rows have no time, or are of another workload.
        """
        record = self._newest()
        if record is None:
            return 0
        found = 0
        if self._journal.fact(_DATASET) != record.digest:
            found = self._journal.add(self._rows_of(record), send=False)
            self._journal.note(_DATASET, record.digest)
        self.unpublished = max(0, len(self._journal) - record.rows)
        return found

    def leave(self) -> None:
        """Don't recall the rows that there are: they mean something else."""
        if (record := self._newest()) is not None:
            self._journal.note(_DATASET, record.digest)

    def _newest(self) -> DatasetRecord | None:
        return next(iter(self._datasets.list(self._collection.name)), None)

    def _rows_of(self, record: DatasetRecord) -> Taken:
        dataset, workload = self._datasets.load(record), self._collection.workload
        if dataset.measured_at is None or dataset.workload.feature_names != workload.feature_names:
            why = "have no time" if dataset.measured_at is None else f"have other features than {workload.name}"
            raise InvalidData(f"the rows of dataset '{record.name}' {why}: collect under another name (dataset: …)")
        seconds = dataset.measured_at.astype("datetime64[s]").astype(np.int64)
        return Taken(seconds, dataset.features, dataset.cost)

    def publish(self) -> DatasetRecord | None:
        """Write the journal's rows as the line's newest dataset; None where it has none."""
        document = self._collection.document
        self._journal.forget(document.keep_rows)
        rows = self._journal.rows()
        if not len(rows):
            return None
        moments = rows.at.astype("datetime64[s]").astype("datetime64[us]")
        workload, name = self._collection.workload, self._collection.name
        dataset = Dataset(name, workload, rows.features, rows.cost, moments, self._provenance())
        record = self._datasets.add(dataset)
        self._journal.note(_DATASET, record.digest)
        self._datasets.thin(name, keep=document.keep_datasets, source=SOURCE)
        self.unpublished = 0
        return record

    def publish_if_due(self, fresh: int) -> DatasetRecord | None:
        """Count rows that are new, and publish once there are enough of them."""
        self.unpublished += fresh
        return self.publish() if self.unpublished >= self._collection.document.publish_rows else None

    def _provenance(self) -> dict[str, Any]:
        document = self._collection.document
        return {
            "source": SOURCE,
            "server": document.server.url,
            "features": dict(document.features),
            "target": document.target,
            "capacity": document.capacity,
            "step_seconds": self._collection.step,
            "window_seconds": self._collection.window,
        }
