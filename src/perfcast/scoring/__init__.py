"""Scoring files: the predicted cost of every row of Parquet files that may be larger than memory.

`score` reads row group by row group, checks each row as a request is checked, and writes the rows with `COLUMNS`
added: here, or with the same code on the workers of a Dask cluster. What it writes appears whole or not at all.
"""

from perfcast.scoring._plan import Plan, ScoreReport
from perfcast.scoring._rows import COLUMNS
from perfcast.scoring._score import score

__all__ = ["COLUMNS", "Plan", "ScoreReport", "score"]
