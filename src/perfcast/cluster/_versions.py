"""Which versions must be the same on both sides of a cluster, and where they are not."""

import platform
from collections.abc import Iterator, Mapping, Sequence

_NEEDED = ("python", "perfcast", "dask", "distributed", "numpy")
"""What reads that which travels: without it, or with another one, messages and arguments are misread."""
_LEARNING = ("onnxruntime", "scikit-learn", "torch", "xgboost")
"""What decides which numbers come back. A scheduler, which computes nothing, may lack it."""
_OTHER_NAMES = {"xgboost": "xgboost-cpu"}
"""Distributions that bring the same under another name."""

DISTRIBUTIONS = (*_NEEDED[1:], *_LEARNING, *_OTHER_NAMES.values())
"""What to ask the other side for."""

Versions = Mapping[str, str | None]
"""Of distributions by their names, as Dask tells them; None where one is not installed."""


def differences(here: Versions, scheduler: Versions, workers: Mapping[str, Versions]) -> list[str]:
    """A sentence for each version that differs, with both versions and the machine; empty where all are the same.

    What isn't installed here isn't needed there. Builds of one version (`2.8.0+cpu`, `2.8.0+cu128`) are the same, and
    so are Pythons whose first two numbers are.

    Args:
        here: Of this machine.
        scheduler: Of the scheduler's.
        workers: Of the workers', by their addresses.
    """
    elsewhere = {"on the scheduler": scheduler} | {f"on the worker {at}": found for at, found in workers.items()}
    return [sentence for place, found in elsewhere.items() for sentence in _between(here, place, found)]


def _between(here: Versions, place: str, there: Versions) -> Iterator[str]:
    for name in (*_NEEDED, *_LEARNING):
        ours, theirs = _version(here, name), _version(there, name)
        spared = theirs is None and name in _LEARNING and place == "on the scheduler"
        if ours is not None and ours != theirs and not spared:
            yield f"{name} is {ours} on {platform.node()} and {theirs or 'not installed'} {place}"


def _version(found: Versions, name: str) -> str | None:
    version = found.get(name) or found.get(_OTHER_NAMES.get(name, ""))
    if version is None:
        return None
    return ".".join(version.split(".")[:2]) if name == "python" else version.partition("+")[0]


def summary(found: Sequence[str], *, most: int = 5) -> str:
    """The first of many sentences, and how many more there are."""
    more = f"; and {len(found) - most} more" if len(found) > most else ""
    return "; ".join(found[:most]) + more
