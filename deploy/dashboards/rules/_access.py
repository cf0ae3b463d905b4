"""Unusual access."""

from deploy.dashboards.rules._rule import Alert, Group, ours

_REFUSED = 'http_refused_total{reason=~"key|scope"}'
_NOW = "sum by (job) (rate(http_requests_total[5m]))"
ACCESS = Group(
    "access",
    [
        Alert(
            "PerfcastKeysRefused",
            "warning",
            "10m",
            "{{ $labels.job }} refuses {{ $value | humanize }} requests a second for their key",
            "Somebody tries keys, or a client goes on with one that was withdrawn.",
            f"sum by (job) (rate({_REFUSED}[5m])) > 1",
        ),
        Alert(
            "PerfcastManyNewCallers",
            "info",
            "5m",
            "{{ $value | humanize }} callers of {{ $labels.job }} are new within ten minutes",
            "They had not called in the day before: a launch, or a scan. To a replica that has just begun all are new.",
            "sum by (job) (increase(http_new_callers_total[10m])"
            " and on (job, instance) perfcast_uptime_seconds > 3600) > 100",
        ),
        Alert(
            "PerfcastBurst",
            "info",
            "5m",
            "{{ $labels.job }} gets {{ $value | humanize }} requests a second, five times as many as usual",
            "Against the mean of the hour before.",
            ours(
                f"{_NOW} > 5 * sum by (job) (rate(http_requests_total[1h] offset 5m)) and {_NOW} > 10"
                " and on (job) perfcast_uptime_seconds offset 65m"
            ),
        ),
    ],
)
