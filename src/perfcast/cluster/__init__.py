"""Dask: the one way to a cluster of workers, for trials and for batch scoring.

`Cluster` is the connection, which notices when scheduler or workers are gone and refuses those that have other versions
than this machine. `scheduler_of` reads its address from the settings and refuses one that anybody could use.
`certificates/` makes that with which scheduler, workers and Perfcast know each other.
"""

from perfcast.cluster._address import is_encrypted, scheduler_of
from perfcast.cluster._connection import Cluster, WorkersLostError, unwanted_here

__all__ = ["Cluster", "WorkersLostError", "is_encrypted", "scheduler_of", "unwanted_here"]
