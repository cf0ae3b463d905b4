"""PromQL for panels, so that each metric is asked as its kind wants it, and as who tells it (`_metrics.py`).

All of it is narrowed to the dashboard's variables, and counters are rated over `$__rate_interval`.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from deploy.dashboards._metrics import HOST, SHARED

from perfcast.api.http._lanes import PROBES
from perfcast.api.metrics import METRICS, Description

REPLICA = ("job", "instance")
CALLERS = f'route!~"{"|".join(sorted(PROBES))}"'
"""A matcher of requests that aren't probes: of those a 503 is an answer, and their 200s would water shares down."""


def pick(name: str, where: str = "") -> str:
    """The metric's series that the variables choose.

    Args:
        name: Of a series, so of a histogram with `_bucket`, `_sum` or `_count`.
        where: Further matchers, such as `status="error"`.

    Example:
        >>> pick("ml_predictions_total", 'status="error"')
        'ml_predictions_total{job=~"$job",instance=~"$instance",model_name=~"$model_name",status="error"}'
    """
    chosen = [f'{label}=~"${label}"' for label in REPLICA]
    if "model_name" in family(name).labels:
        chosen.append('model_name=~"$model_name"')
    return f"{name}{{{','.join([*chosen, *filter(None, [where])])}}}"


@dataclass(frozen=True)
class Query:
    """What a panel asks for; written into a longer one it is its PromQL.

    Attributes:
        expr: PromQL.
        legend: What its series are called, with labels in double braces, as Grafana writes them.
    """

    expr: str
    legend: str = ""

    def __str__(self) -> str:
        return self.expr

    def called(self, legend: str) -> "Query":
        """The same under another name; by itself it has those of its labels."""
        return replace(self, legend=legend)


def now(name: str, *by: str, where: str = "") -> Query:
    """A gauge: summed over replicas where each tells its own part, else any of them."""
    _check(name, "gauge")
    return _over(by, "max" if name in SHARED | HOST else "sum", pick(name, where))


def most(name: str, *by: str, where: str = "") -> Query:
    """A gauge's greatest value among the replicas."""
    _check(name, "gauge")
    return _over(by, "max", pick(name, where))


def rate(name: str, *by: str, where: str = "") -> Query:
    """A counter a second."""
    return _counted("rate", name, by, where)


def increase(name: str, *by: str, where: str = "") -> Query:
    """How much a counter rose from one point of the graph to the next, in whole numbers."""
    rise = _counted("increase", name, by, where)
    return Query(f"round({rise})", rise.legend)


def quantile(share: float, name: str, *by: str) -> Query:
    """A quantile of a histogram, of `share` 0.95 for instance."""
    _check(name, "histogram")
    buckets = _over(("le", *by), "sum", f"rate({pick(f'{name}_bucket')}[$__rate_interval])")
    return Query(f"histogram_quantile({share}, {buckets})", _labels(by))


def ratio(part: Query, whole: Query) -> Query:
    """One divided by another that has the same labels."""
    return Query(f"{part} / {whole}", part.legend)


def share(part: Query, whole: Query) -> Query:
    """What share of the whole the part is, both without labels; 0 where there is no such part yet."""
    return Query(f"({part} or vector(0)) / {whole}")


def top(query: Query) -> Query:
    """The ten greatest."""
    return Query(f"topk(10, {query})", query.legend)


def descending(query: Query) -> Query:
    """The greatest first."""
    return Query(f"sort_desc({query})", query.legend)


def family(name: str) -> Description:
    """The metric that a series belongs to."""
    for end in ("", "_bucket", "_sum", "_count"):
        if name.endswith(end) and (found := METRICS.get(name.removesuffix(end))):
            return found
    raise ValueError(f"{name}: no such metric in the catalogue")


def _counted(function: str, name: str, by: Sequence[str], where: str) -> Query:
    labels = _check(name, "counter").labels
    one = f"{function}({pick(name, where)}[$__rate_interval])"
    if name not in SHARED:
        return _over(by, "sum", one)
    any_replica = _over(labels, "max", one)
    return any_replica if set(by) == set(labels) else _over(by, "sum", any_replica)


def _over(by: Sequence[str], how: str, what: str | Query) -> Query:
    return Query(f"{how} by ({', '.join(by)}) ({what})" if by else f"{how}({what})", _labels(by))


def _labels(by: Sequence[str]) -> str:
    return " ".join(f"{{{{{label}}}}}" for label in by)


def _check(name: str, kind: str) -> Description:
    metric = METRICS.get(name)
    if metric is None or metric.kind != kind:
        raise ValueError(f"{name}: expected a {kind} of the catalogue, got {metric}")
    return metric
