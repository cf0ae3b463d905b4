"""Where fits run: in this process, in processes of this machine, or on the workers of a Dask cluster.

`Inner` is what they learn and are scored by, `FitTask` and `FitResult` are what goes to a fit and comes back from it;
`Executor` is what the three places have in common.
"""

from pathlib import Path

from perfcast.training.families import Stop, never
from perfcast.training.fits._executor import Executor, Here
from perfcast.training.fits._fitting import FitResult, FitTask, member_seed, predict_held
from perfcast.training.fits._inner import Inner, Learnt, inner_validation

__all__ = [
    "Executor",
    "FitResult",
    "FitTask",
    "Here",
    "Inner",
    "Learnt",
    "inner_validation",
    "make_executor",
    "member_seed",
    "predict_held",
]

_GPU = Path("/dev/nvidiactl")


def make_executor(inner: Inner, *, several: bool = True, cluster: str = "", stop: Stop = never) -> Executor:
    """The executor for what there is.

    With the address of a cluster its workers fit, one thread each. Else, where there are several, processes of one
    thread each share the processors that the lesson may use (`benchmarks/tuning.py parallel` compares that with one
    process of several threads). Where there is a GPU, fits take turns.

    Raises:
        Unavailable: The cluster can't be reached.
        MissingDependency: `perfcast[cluster]` is not installed.
    """
    if cluster:
        from perfcast.training.fits._cluster import OnCluster

        return OnCluster(inner, cluster, stop=stop)
    if inner.lesson.threads > 1 and several and not _GPU.exists():
        from perfcast.training.fits._processes import InProcesses

        return InProcesses(inner, processes=inner.lesson.threads, stop=stop)
    return Here(inner, stop=stop)
