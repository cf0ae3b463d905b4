"""Which popular networks have a convolution, by the list that the profiler samples from."""

from collections.abc import Mapping, Sequence
from functools import cache
from importlib.resources import files

WORKLOAD = "cnn-execution-time"
_LIST = "cnn_execution_time/profiler/networks.csv"


@cache
def _networks() -> Mapping[tuple[float, ...], tuple[str, ...]]:
    """The networks that have a layer, by its features but the batch's size."""
    found: dict[tuple[float, ...], tuple[str, ...]] = {}
    for line in files("perfcast.workloads").joinpath(_LIST).read_text().splitlines()[1:]:
        network, *numbers = line.split(",")
        channels, size, *rest = map(float, numbers)
        layer = (channels, size, size, *rest)
        found[layer] = (*found.get(layer, ()), network)
    return found


def networks_of(row: Sequence[float]) -> tuple[str, ...]:
    """The networks one of whose layers a row of `cnn-execution-time` is, at any batch size: 0.3 µs."""
    return _networks().get(tuple(row[1:]), ())
