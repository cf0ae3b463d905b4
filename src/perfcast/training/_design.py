"""Which few rows to measure, so that they tell most of all that will be asked."""

import numpy as np
import numpy.typing as npt

from perfcast.training.families import soft_inputs
from perfcast.workloads import Rows

CANDIDATES = 1500
"""Rows that are chosen among."""


def choose_rows(inputs: Rows, count: int, *, seed: int = 0) -> npt.NDArray[np.int64]:
    """One row of each of so many clusters: that nearest to the middle of what it stands for.

    Rows at the edges (greedy k-center, D-optimal designs) tell less than random ones, of which devices' odd corners
    are no example; benchmarks/devices.py compares them.

    Args:
        inputs: What a model reads of the rows to choose among, float32 [rows, inputs].
        count: How many, at most as many as there are.
        seed: Of where the clusters begin.

    Returns:
        Positions of the chosen rows, int64 [count], the one that stands for most rows first.
    """
    from sklearn.cluster import KMeans

    scaled = soft_inputs(inputs)(inputs).astype(np.float64)
    clusters = KMeans(min(count, len(scaled)), n_init=1, random_state=seed).fit(scaled)
    chosen = []
    for number, _ in sorted(enumerate(np.bincount(clusters.labels_)), key=lambda found: -found[1]):
        members = np.flatnonzero(clusters.labels_ == number)
        apart = ((scaled[members] - clusters.cluster_centers_[number]) ** 2).sum(axis=1)
        chosen.append(int(members[apart.argmin()]))
    return np.array(chosen, dtype=np.int64)
