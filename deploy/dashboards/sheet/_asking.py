"""Asking Prometheus what Grafana would ask it."""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import httpx2
import numpy as np
from numpy.typing import NDArray

_LEAST_SCRAPES = 4
"""Grafana's `$__rate_interval` spans at least so many scrapes."""


@dataclass(frozen=True)
class Span:
    """What is looked at.

    Attributes:
        start, end: Unix seconds.
        step: Seconds between two points.
        scrape: Seconds between two scrapes.
    """

    start: float
    end: float
    step: float
    scrape: float

    @classmethod
    def of(cls, end: float, minutes: float, scrape: float) -> "Span":
        """So many minutes until `end`, in about 200 points."""
        return cls(end - 60 * minutes, end, max(scrape, round(60 * minutes / 200)), scrape)

    def coarser(self, least: str | None) -> "Span":
        """With so many minutes between two points at least, as panels ask for: `1m`."""
        return self if least is None else replace(self, step=max(self.step, 60 * float(least.removesuffix("m"))))

    @property
    def rate_interval(self) -> str:
        """What `$__rate_interval` is filled with."""
        return f"{math.ceil(max(self.step + self.scrape, _LEAST_SCRAPES * self.scrape))}s"


@dataclass(frozen=True)
class Series:
    """One series of an answer.

    Attributes:
        labels: By their names.
        at: Unix seconds.
        values: As many; NaN and infinities as they came.
    """

    labels: Mapping[str, str]
    at: NDArray[np.float64]
    values: NDArray[np.float64]

    def called(self, legend: str) -> str:
        """The legend with its labels filled in."""
        return re.sub(r"{{\s*(\w+)\s*}}", lambda found: self.labels.get(found[1], ""), legend).strip()


def filled(expr: str, span: Span) -> str:
    """A panel's query with every variable at "All"."""
    return re.sub(r"\$(job|instance|model_name)\b", ".+", expr.replace("$__rate_interval", span.rate_interval))


class Prometheus:
    """A Prometheus server.

    Args:
        url: Where it answers, without `/api/v1`.
    """

    def __init__(self, url: str) -> None:
        self._client = httpx2.Client(base_url=url, timeout=60, trust_env=False)

    def course(self, expr: str, span: Span) -> list[Series]:
        """The query's series over the span."""
        found = self.ask("query_range", query=expr, start=span.start, end=span.end, step=span.step)
        return [_series(one["metric"], one["values"]) for one in found["result"]]

    def moment(self, expr: str, at: float) -> list[Series]:
        """The query's series at a moment."""
        found = self.ask("query", query=expr, time=at)
        if found["resultType"] == "scalar":
            return [_series({}, [found["result"]])]
        return [_series(one["metric"], [one["value"]]) for one in found["result"]]

    def ask(self, what: str, **arguments: object) -> Any:
        """The `data` of an answer of its HTTP API."""
        document = self._client.post(f"/api/v1/{what}", data=arguments).json()
        if document["status"] != "success":
            raise ValueError(f"{document['error']}: {arguments.get('query')}")
        return document["data"]


def _series(labels: Mapping[str, str], points: list[tuple[float, str]]) -> Series:
    return Series(labels, *np.array([(at, float(value)) for at, value in points], dtype=np.float64).T)
