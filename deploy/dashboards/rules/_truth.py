"""Whether answers are true: what pages is consequence, what inputs did explains it."""

from deploy.dashboards.rules._rule import Alert, Group, Severity

_ENOUGH = 100
"""Actuals of a day below which a coverage says little: at 100 its standard error is 3 points."""


def _champions(figure: str) -> str:
    """A figure of live accuracy, of the versions that are champions now: what was one before has figures too."""
    champions = 'and on (job, model_name, version) ml_model_info{alias="champion"}'
    return f"max by (job, model_name) ({figure} {champions})"


_COVERAGE, _WIDTH, _WIDTH_WEEK = (
    _champions(f'ml_live_{name}{{arm="champion",window="{window}"}}')
    for name, window in (("coverage_percent", "24h"), ("interval_width", "1h"), ("interval_width", "7d"))
)
_ACTUALS = _champions('increase(ml_live_actuals_total{arm="champion"}[1d])')


def _state(name: str, kind: str, severity: Severity, lasts: str, summary: str, description: str) -> Alert:
    expr = f'max by (job, model_name) (ml_drift_state{{kind="{kind}"}}) == 1'
    return Alert(name, severity, lasts, summary, description, expr)


TRUTH = Group(
    "truth",
    [
        _state(
            "PerfcastCoverageLost",
            "coverage",
            "critical",
            "5m",
            "Intervals of {{ $labels.model_name }} no longer hold what they promise",
            "True costs lie outside the 90 % intervals more often than chance explains, in spite of their correction.",
        ),
        _state(
            "PerfcastErrorUp",
            "error",
            "critical",
            "5m",
            "{{ $labels.model_name }} errs more than it did",
            "Its error has risen for good against the time that it was calibrated on.",
        ),
        Alert(
            "PerfcastCoverageLow",
            "warning",
            "30m",
            'Only {{ $value | printf "%.0f" }} % of the true costs lie in the intervals of {{ $labels.model_name }}',
            "Over the last day, of intervals that were to hold 90 %, by at least a hundred actuals.",
            f"{_COVERAGE} < 80 and on (job, model_name) {_ACTUALS} >= {_ENOUGH}",
        ),
        _state(
            "PerfcastBadData",
            "quality",
            "warning",
            "15m",
            "Inputs of {{ $labels.model_name }} look broken",
            "Values are missing, a metric is stuck, or a unit changed by a power of ten: see /models/NAME/drift.",
        ),
        _state(
            "PerfcastUnexplainedCost",
            "unexplained",
            "warning",
            "30m",
            "Cost of {{ $labels.model_name }} that its load does not explain",
            "Something that is no feature of the model uses the machine, or the service got more expensive.",
        ),
        _state(
            "PerfcastInputsMoved",
            "inputs",
            "info",
            "1h",
            "Inputs of {{ $labels.model_name }} are not what it learnt from",
            "This explains a loss of coverage or accuracy where there is one. By itself it calls nobody.",
        ),
        Alert(
            "PerfcastExtrapolates",
            "info",
            "1h",
            "{{ $value | humanizePercentage }} of {{ $labels.model_name }}'s answers are beyond its training range",
            "They are marked `extrapolated`. Without actuals this is the first that speaks.",
            "sum by (job, model_name) (rate(ml_extrapolated_predictions_total[1h]))"
            ' / sum by (job, model_name) (rate(ml_predictions_total{status="success"}[1h])) > 0.2',
        ),
        Alert(
            "PerfcastIntervalsWide",
            "info",
            "1h",
            "Intervals of {{ $labels.model_name }} are {{ $value | humanize }} times as wide as in the last week",
            "The model is less sure: its inputs are unusual, or corrections widened it after misses.",
            f"{_WIDTH} / {_WIDTH_WEEK} > 2",
        ),
    ],
)
