"""The measured rows that come with Perfcast."""

from collections.abc import Mapping
from pathlib import Path

from perfcast.datasets._dataset import Dataset
from perfcast.datasets._import import import_file
from perfcast.workloads import builtin_workloads

_FOLDER = Path(__file__).parent.parent / "workloads" / "cnn_execution_time" / "measured"


def shipped_files() -> Mapping[str, Path]:
    """The Parquet files of measured convolutions, by dataset name; a data card lies beside each."""
    return {path.stem: path for path in sorted(_FOLDER.glob("*.parquet"))}


def shipped_dataset(name: str) -> Dataset:
    """One of `shipped_files` as a dataset.

    Raises:
        KeyError: There is no such file.
    """
    about = {"source": "shipped with Perfcast, measured by perfcast profile", "card": f"{name}.md"}
    dataset, _ = import_file(
        shipped_files()[name], builtin_workloads()["cnn-execution-time"], name=name, provenance=about
    )
    return dataset
