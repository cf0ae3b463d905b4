"""Which popular networks have a convolution, by the list that the profiler samples from."""

from collections.abc import Mapping, Sequence
from functools import cache
from importlib.resources import files

WORKLOAD = "cnn-execution-time"
_LIST = "cnn_execution_time/profiler/networks.csv"
_FIRST = 9


@cache
def _networks() -> Mapping[tuple[float, ...], tuple[str, ...]]:
    """The networks that have a layer, by its features but the batch's size.

    A square one also by the first nine of them, all that versions know which were made before kernels had a width.
    """
    found: dict[tuple[float, ...], tuple[str, ...]] = {}
    for line in files("perfcast.workloads").joinpath(_LIST).read_text().splitlines()[1:]:
        network, *numbers = line.split(",")
        channels, size, *rest = map(float, numbers)
        layer = (channels, size, size, *rest)
        for known in (layer, layer[:_FIRST]) if _is_square(layer) else (layer,):
            found[known] = (*found.get(known, ()), network)
    return found


def _is_square(layer: tuple[float, ...]) -> bool:
    *_, kernel, stride, padding, _, _ = layer[:_FIRST]
    return layer[_FIRST:] == (kernel, stride, padding, padding, padding)


def networks_of(row: Sequence[float]) -> tuple[str, ...]:
    """The networks one of whose layers a row of `cnn-execution-time` is, at any batch size: 0.3 µs."""
    return _networks().get(tuple(row[1:]), ())
