"""Measured rows: immutable, content-hashed, with their provenance.

`import_file` takes in somebody's file and says which rows it refuses and why; `shipped` are the rows that come with
Perfcast; `Datasets` keeps them; `Overview` is what people look at; `Dataset.split` parts them so that no configuration
stands on both sides (rule R4).
"""

from perfcast.datasets._across import across_devices, with_figures
from perfcast.datasets._dataset import Dataset, check_name, moment_texts, newest_moment
from perfcast.datasets._files import from_parquet, to_parquet
from perfcast.datasets._import import ImportReport, import_file, shipped_dataset, shipped_files, shipped_workload
from perfcast.datasets._overview import MOST_SHOWN, QUANTILES, Overview, spread
from perfcast.datasets._split import (
    BY_HASH,
    FEWEST,
    Part,
    Split,
    configuration_numbers,
    held_out,
    judging_rows,
    split_by_configuration,
    split_by_time,
)
from perfcast.datasets._store import DatasetRecord, Datasets

__all__ = [
    "BY_HASH",
    "FEWEST",
    "MOST_SHOWN",
    "QUANTILES",
    "Dataset",
    "DatasetRecord",
    "Datasets",
    "ImportReport",
    "Overview",
    "Part",
    "Split",
    "across_devices",
    "check_name",
    "configuration_numbers",
    "from_parquet",
    "held_out",
    "import_file",
    "judging_rows",
    "moment_texts",
    "newest_moment",
    "shipped_dataset",
    "shipped_files",
    "shipped_workload",
    "split_by_configuration",
    "split_by_time",
    "spread",
    "to_parquet",
    "with_figures",
]
