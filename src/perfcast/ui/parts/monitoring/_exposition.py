"""Prometheus' text format, as far as the page needs it: samples by name, and quantiles of histograms."""

import re
import time
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from perfcast.ui._server import fresh

_LINE = re.compile(r"^([a-zA-Z_:][\w:]*)(?:\{(.*)\})?\s+(\S+)(?:\s+\d+)?$")
_LABEL = re.compile(r'(\w+)="((?:[^"\\]|\\.)*)"')
_ESCAPED = re.compile(r"\\(.)")

Labels = Mapping[str, str]


@dataclass(frozen=True)
class Look:
    """Every sample of one look at `/metrics`.

    Attributes:
        at: When, seconds since 1970.
        samples: Labels and value of each, by name.
    """

    at: float
    samples: Mapping[str, Sequence[tuple[Labels, float]]]

    def of(self, name: str, **where: str) -> Sequence[tuple[Labels, float]]:
        """A metric's samples that have these labels."""
        found = self.samples.get(name, ())
        return [one for one in found if all(one[0].get(label) == value for label, value in where.items())]

    def value(self, name: str, **where: str) -> float | None:
        """Their sum; None where there are none."""
        found = self.of(name, **where)
        return sum(value for _, value in found) if found else None

    def by(self, label: str, name: str, **where: str) -> Mapping[str, float]:
        """Their sums by the values of a label."""
        sums: dict[str, float] = defaultdict(float)
        for labels, value in self.of(name, **where):
            sums[labels.get(label, "")] += value
        return dict(sums)


def look() -> Look:
    """What `/metrics` shows, at most a few seconds old; everybody who looks meanwhile sees the same."""
    return fresh(lambda api: read(api.metrics(), time.time()), "metrics")


def read(text: str, at: float) -> Look:
    """Read the text that was shown at a time; lines that say nothing of a sample are left out."""
    samples: dict[str, list[tuple[Labels, float]]] = defaultdict(list)
    for line in text.splitlines():
        if not line.startswith("#") and (found := _LINE.match(line.strip())):
            name, labels, value = found.groups()
            samples[name].append((_labels(labels or ""), float(value)))
    return Look(at, dict(samples))


def _labels(text: str) -> Labels:
    return {name: _ESCAPED.sub(_unescaped, value) for name, value in _LABEL.findall(text)}


def _unescaped(found: re.Match[str]) -> str:
    return "\n" if found[1] == "n" else found[1]


def quantile(buckets: Mapping[str, float], share: float) -> float | None:
    """The value that a share of a histogram's observations doesn't exceed, as Prometheus estimates it.

    Between a bucket's bounds observations count as spread evenly; beyond the last bound it is that bound.

    Args:
        buckets: Observations up to and with each bound, by the bound as `le` has it.
        share: 0 to 1.

    Returns:
        In the bounds' unit; None without observations.
    """
    known = sorted((float(bound), count) for bound, count in buckets.items())
    if not known or known[-1][1] <= 0:
        return None
    wanted = share * known[-1][1]
    for (left, below), (right, up_to) in pairwise([(0.0, 0.0), *known]):
        if up_to >= wanted and up_to > below:
            return left if right == float("inf") else left + (right - left) * (wanted - below) / (up_to - below)
    return known[-1][0]
