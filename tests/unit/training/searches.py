"""A search as tests ask for it: on a split, in this process unless they say where."""

from collections.abc import Mapping
from typing import Any

from perfcast.datasets import Split
from perfcast.training import Budget
from perfcast.training.families import Family, Stop, never
from perfcast.training.fits import Executor, Here, Inner, inner_validation
from perfcast.training.search import Search
from perfcast.training.search import search as search_in
from perfcast.workloads import Workload


def search(
    split: Split,
    workload: Workload,
    families: Mapping[str, Family],
    budget: Budget,
    *,
    seed: int = 0,
    inner: Inner | None = None,
    executor: Executor | None = None,
    stop: Stop = never,
    **options: Any,
) -> Search:
    inner = inner or inner_validation(split, workload, seed=seed, threads=1)
    return search_in(inner, families, budget, executor or Here(inner, stop=stop), stop=stop, **options)
