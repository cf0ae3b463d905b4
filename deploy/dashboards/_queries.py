"""PromQL for panels, so that each metric is asked as its kind wants it: see `_metrics.py`.

All of it is narrowed to the dashboard's variables, and counters are rated over `$__rate_interval`.
"""

from collections.abc import Sequence

from deploy.dashboards._metrics import METRICS, Kind, Metric, Told

from perfcast.api.http._lanes import PROBES

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


def now(name: str, *by: str, where: str = "") -> str:
    """A gauge: summed over replicas where each tells its own part, else any of them."""
    metric = _of(name, Kind.GAUGE)
    return _over(by, "sum" if metric.told is Told.OWN else "max", pick(name, where))


def most(name: str, *by: str, where: str = "") -> str:
    """A gauge's greatest value among the replicas."""
    _of(name, Kind.GAUGE)
    return _over(by, "max", pick(name, where))


def rate(name: str, *by: str, where: str = "") -> str:
    """A counter a second."""
    return _counted("rate", name, by, where)


def increase(name: str, *by: str, where: str = "") -> str:
    """How much a counter rose from one point of the graph to the next, in whole numbers."""
    return f"round({_counted('increase', name, by, where)})"


def quantile(share: float, name: str, *by: str) -> str:
    """A quantile of a histogram, of `share` 0.95 for instance."""
    _of(name, Kind.HISTOGRAM)
    buckets = _over(("le", *by), "sum", f"rate({pick(f'{name}_bucket')}[$__rate_interval])")
    return f"histogram_quantile({share}, {buckets})"


def mean(name: str, *by: str) -> str:
    """The mean of a histogram."""
    _of(name, Kind.HISTOGRAM)
    total, count = (_over(by, "sum", f"rate({pick(name + end)}[$__rate_interval])") for end in ("_sum", "_count"))
    return f"{total} / {count}"


def family(name: str) -> Metric:
    """The metric that a series belongs to."""
    for end in ("", "_bucket", "_sum", "_count"):
        if name.endswith(end) and (found := METRICS.get(name.removesuffix(end))):
            return found
    raise ValueError(f"{name}: no such metric in the catalogue")


def _counted(function: str, name: str, by: Sequence[str], where: str) -> str:
    metric = _of(name, Kind.COUNTER)
    one = f"{function}({pick(name, where)}[$__rate_interval])"
    if metric.told is not Told.SHARED:
        return _over(by, "sum", one)
    any_replica = _over(metric.labels, "max", one)
    return any_replica if set(by) == set(metric.labels) else _over(by, "sum", any_replica)


def _over(by: Sequence[str], how: str, what: str) -> str:
    return f"{how} by ({', '.join(by)}) ({what})" if by else f"{how}({what})"


def _of(name: str, kind: Kind) -> Metric:
    metric = METRICS.get(name)
    if metric is None or metric.kind is not kind:
        raise ValueError(f"{name}: expected a {kind.value} of the catalogue, got {metric}")
    return metric
