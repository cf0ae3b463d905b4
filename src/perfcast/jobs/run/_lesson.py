"""What of a dataset is learnt from: the newest rows where that is asked for, and nothing of what was an anomaly."""

from collections.abc import Sequence
from dataclasses import dataclass

import msgspec
import numpy as np

from perfcast.datasets import Dataset
from perfcast.errors import Refused
from perfcast.manifest import Draft, Manifest, Reference
from perfcast.monitoring.drift import Anomaly

_GROWTH = 1.5
"""So many times may the usual error be that of the champion before."""


@dataclass(frozen=True)
class Lesson:
    """Rows to learn from and to judge by.

    Attributes:
        whole: All rows there are.
        dataset: The rows to learn from and to judge by.
        notes: What was left out and why, a sentence each.
    """

    whole: Dataset
    dataset: Dataset
    notes: tuple[str, ...] = ()

    def signed(self, draft: Draft, champion: Manifest | None = None) -> Draft:
        """A draft that was made from it, held to what was usual for the present champion.

        Where rows were left out, its manifest names the whole dataset and says what.
        """
        if champion is not None:
            reference = held_to(draft.manifest.reference, champion.reference)
            draft = Draft(draft.graph, msgspec.structs.replace(draft.manifest, reference=reference))
        manifest, facts = draft.manifest, draft.manifest.data
        if facts is None or not self.notes:
            return draft
        facts = msgspec.structs.replace(facts, rows=len(self.whole), digest=self.whole.digest)
        notes = (*manifest.notes, *self.notes)
        return Draft(draft.graph, msgspec.structs.replace(manifest, data=facts, notes=notes))


def held_to(reference: Reference | None, before: Reference | None) -> Reference | None:
    """What is usual, where errors may have grown by half since the champion was made, at most.

    Rows of a time in which something changed make a version that is poor, and poor would be usual from then on.
    """
    if reference is None or before is None:
        return reference
    most = _GROWTH * before.errors.usual
    return reference if reference.errors.usual <= most else reference.with_errors(most)


def make_lesson(dataset: Dataset, newest_rows: int | None, anomalies: Sequence[Anomaly] = ()) -> Lesson:
    """Choose the rows.

    Args:
        dataset: All rows there are.
        newest_rows: Only so many of the newest; None for all.
        anomalies: Stretches of time that aren't learnt from.

    Raises:
        Refused: The newest are asked for, but the rows have no times.
    """
    moments = dataset.measured_at
    if moments is None:
        if newest_rows is not None:
            raise Refused(f"dataset '{dataset.name}' has no times of measurement, so its newest rows can't be told")
        return Lesson(dataset, dataset)
    kept, notes = np.ones(len(dataset), dtype=np.bool_), []
    for one in anomalies:
        first, last = (np.datetime64(text.removesuffix("Z")) for text in (one.first_at, one.last_at))
        kept &= (moments < first) | (moments > last)
    if left_out := int((~kept).sum()):
        notes.append(f"{left_out:,} rows of anomalous stretches were not learnt from")
    if newest_rows is not None and kept.sum() > newest_rows:
        ordered = np.flatnonzero(kept)[np.argsort(moments[kept], kind="stable")]
        kept[ordered[:-newest_rows]] = False
        notes.append(f"learnt from the newest {newest_rows:,} of {len(dataset):,} rows")
    if not notes:
        return Lesson(dataset, dataset)
    rows = dataset.rows.take(kept)
    chosen = Dataset(dataset.name, dataset.workload, rows.features, rows.cost, rows.measured_at, dataset.provenance)
    return Lesson(dataset, chosen, tuple(notes))
