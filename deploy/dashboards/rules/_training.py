"""Whether training is done, and not too often."""

from deploy.dashboards.rules._rule import Alert, Group

_BY = "by (job, model_name)"
_FAILURES = 'perfcast_job_outcomes_total{status="failed"}'
_FIRST = f"(max {_BY} ({_FAILURES}) > 0 unless max {_BY} ({_FAILURES} offset 1h))"
_KNOWN = "on (job) group by (job) (perfcast_uptime_seconds offset 1h)"
_SIGNALLED = 'perfcast_schedule_fired_total{trigger=~"drift|accuracy"}'
TRAINING = Group(
    "training",
    [
        Alert(
            "PerfcastNoWorker",
            "warning",
            "5m",
            "Jobs of {{ $labels.job }} wait and nobody runs them",
            "The oldest has waited for {{ $value | humanizeDuration }}, and no job is running.",
            "max by (job) (perfcast_job_oldest_queued_seconds) > 600"
            ' and on (job) max by (job) (perfcast_jobs{status="queued"}) > 0'
            ' unless on (job) max by (job) (perfcast_jobs{status="running"}) > 0',
        ),
        # A counter's first value is no rise that `increase` sees.
        Alert(
            "PerfcastJobsFail",
            "warning",
            "1m",
            "Training of {{ $labels.model_name }} fails",
            "A job failed within the last hour, and the model keeps the version it had. /train/jobs says why.",
            f"max {_BY} (increase({_FAILURES}[1h])) > 0 or ({_FIRST} and {_KNOWN})",
        ),
        Alert(
            "PerfcastJobStuck",
            "warning",
            "10m",
            "The training of {{ $labels.model_name }} does not move",
            "Its progress is what it was an hour ago, though it is said to run.",
            f"max {_BY} (changes(perfcast_job_progress[1h])) == 0 and on (job, model_name) perfcast_job_progress"
            " and on (job, model_name) perfcast_job_progress offset 1h",
        ),
        Alert(
            "PerfcastRetrainsOften",
            "warning",
            "5m",
            "Drift has {{ $labels.model_name }} trained again and again",
            "{{ $value | humanize }} times within a day: it doesn't help. The clock and new rows aren't counted.",
            f"sum {_BY} (max by (job, model_name, trigger) (increase({_SIGNALLED}[1d]))) > 2.5",
        ),
    ],
)
