"""Whether what was predicted and what was told is kept and looked at."""

from deploy.dashboards.rules._rule import Alert, Group

from perfcast.monitoring._prediction_log import CAPACITY

_NEAR_FULL = CAPACITY * 8 // 10
"""Of the records that may wait in a process."""
_JOINED, _BEFORE = (f"sum by (job, instance) (ml_live_actuals_total{when})" for when in ("", " offset 15m"))
"""Of all versions: what a new one begins with is a rise of the sum, but none that `increase` sees."""
WATCHING = Group(
    "watching",
    [
        Alert(
            "PerfcastRecordsLost",
            "critical",
            "1m",
            "{{ $labels.instance }} loses records of predictions",
            "{{ $value | humanize }} within ten minutes. The database can't take them: is its disk full, is it there?",
            "increase(prediction_records_dropped_total[10m]) > 0",
        ),
        Alert(
            "PerfcastRecordsWait",
            "warning",
            "5m",
            "{{ $labels.instance }} can't write its records of predictions",
            f"{{{{ $value | humanize }}}} wait; above {CAPACITY:,} in a process they are lost.",
            f"prediction_records_waiting > {_NEAR_FULL}",
        ),
        Alert(
            "PerfcastActualsWait",
            "critical",
            "10m",
            "Actuals told to {{ $labels.job }} are not joined",
            "{{ $value | humanize }} wait, and of those told lately none was joined: does a worker run?",
            "max by (job) (ml_actuals_waiting) > 0"
            ' and on (job) sum by (job) (increase(ml_feedback_total{result="accepted"}[15m])) >= 10'
            f" unless on (job) max by (job) ({_JOINED} - ({_BEFORE} or 0 * {_JOINED})) > 0",
        ),
        Alert(
            "PerfcastFeedbackRefused",
            "warning",
            "15m",
            "{{ $value | humanizePercentage }} of the feedback to {{ $labels.job }} is refused",
            "Callers tell actuals of predictions that nobody made, or values that can't be.",
            'sum by (job) (rate(ml_feedback_total{result="refused"}[10m]))'
            " / sum by (job) (rate(ml_feedback_total[10m])) > 0.1",
        ),
        Alert(
            "PerfcastShadowRowsLost",
            "info",
            "15m",
            "{{ $labels.instance }} asks its shadows of fewer rows than it answers",
            "{{ $value | humanize }} rows a second were not asked of a shadow, or it had no answer for them.",
            "rate(ml_shadow_rows_dropped_total[15m]) + rate(ml_shadow_rows_failed_total[15m]) > 0.1",
        ),
    ],
)
