"""Unusual access."""

from deploy.dashboards.rules._rule import Alert, Group, ours

_SPIKE = 'http_refused_total{reason=~"key|scope|rate"}'
_NOW = "sum by (job) (rate(http_requests_total[5m]))"
_REFUSALS = f"sum by (job, reason) (rate({_SPIKE}[5m]))"
ACCESS = Group(
    "access",
    [
        Alert(
            "PerfcastKeysRefused",
            "warning",
            "10m",
            "{{ $labels.job }} refuses {{ $value | humanize }} requests a second for their key",
            "Somebody tries keys, or a client goes on with one that was withdrawn.",
            'sum by (job) (rate(http_refused_total{reason="key"}[5m])) > 1',
        ),
        Alert(
            "PerfcastScopesRefused",
            "warning",
            "10m",
            "Keys of {{ $labels.job }} are used for what they may not, {{ $value | humanize }} times a second",
            "403: a client with the wrong key, or a key in the wrong hands.",
            'sum by (job) (rate(http_refused_total{reason="scope"}[5m])) > 0.1',
        ),
        Alert(
            "PerfcastRateLimited",
            "warning",
            "10m",
            "{{ $labels.job }} refuses {{ $value | humanizePercentage }} of its requests for their rate",
            "429: a caller that doesn't wait when it is told to, or a RATE_LIMIT that is too low.",
            ours(f'sum by (job) (rate(http_refused_total{{reason="rate"}}[5m])) / {_NOW} > 0.2 and {_NOW} > 1'),
        ),
        Alert(
            "PerfcastRefusalsSpike",
            "warning",
            "2m",
            "{{ $labels.job }} refuses ten times as many requests as usual ({{ $labels.reason }})",
            "401 (key), 403 (scope) or 429 (rate), more than one a second, against the mean of the hour before.",
            f"({_REFUSALS} > 1 unless {_REFUSALS} <= 10 * sum by (job, reason) (rate({_SPIKE}[1h] offset 5m)))"
            " and on (job) perfcast_uptime_seconds offset 65m",
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
