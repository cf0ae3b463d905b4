"""The newest rows of the dataset that a version learns from."""

from perfcast.datasets import DatasetRecord, Datasets
from perfcast.errors import Conflict, NotFound
from perfcast.registry import Version


def newest_rows(datasets: Datasets, version: Version) -> DatasetRecord:
    """The record of the newest content of the line that a version was trained on.

    Raises:
        Conflict: It names none, or it isn't kept here any more.
    """
    facts = version.manifest.data
    if facts is None:
        raise Conflict(
            f"{version.reference} names no dataset (it was uploaded or imported), so there is no newest load"
        )
    try:
        return datasets.find(facts.name)
    except NotFound:
        raise Conflict(f"dataset '{facts.name}', of {version.reference}, isn't kept here any more") from None


def named(record: DatasetRecord) -> str:
    """What answers call it."""
    return f"{record.name}@{record.digest[:12]}"
