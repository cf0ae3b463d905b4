"""When each alert fires and when it doesn't: what is different from a healthy service. A minute a value."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from tests.unit.deploy.healthy_service import (
    ARM,
    DAY,
    FAILED,
    FEEDBACK,
    HOUR,
    QUEUED,
    REFUSED,
    REQUESTS,
    RUNNING,
    UP,
    UPTIME,
    M,
    Series,
    late,
    of,
)


@dataclass(frozen=True)
class Case:
    """When an alert fires.

    Attributes:
        at: When it is looked at, in minutes.
        fires: Services for which it fires.
        calm: Services, close to those, for which it doesn't; the healthy one is always among them.
        labels: Of the alert besides severity.
        value: As its text shows it.
        nothing: Whether there is no service at all where it fires.
    """

    at: int
    fires: tuple[Series, ...]
    calm: tuple[Series, ...] = ()
    labels: Mapping[str, str] = field(default_factory=lambda: {"job": "perfcast"})
    value: str = ""
    nothing: bool = False


_JOB_LABELS = {"job": "perfcast"}
_REPLICA_LABELS = _JOB_LABELS | {"instance": "a:8000"}
_MODEL_LABELS = _JOB_LABELS | {"model_name": "m"}


def _state(kind: str, other: str) -> Case:
    fires, calm = ({of("ml_drift_state", f'{M},kind="{each}"'): "1x600"} for each in (kind, other))
    return Case(120, (fires,), (calm,), _MODEL_LABELS)


_B = 'job="perfcast",instance="b:8000"'
_FIRED = of("perfcast_schedule_fired_total", f'{M},trigger="drift"')
_BY_CLOCK = of("perfcast_schedule_fired_total", f'{M},trigger="cron"')
_FAILURES = of("perfcast_job_outcomes_total", f'{M},status="failed"')
_PROGRESS = of("perfcast_job_progress", M)
_ERRORS = "ml_prediction_errors_total"
_BEFORE = of("ml_live_coverage_percent", f'{M},arm="champion",version="0",window="24h"')
CASES: Mapping[str, Case] = {
    "PerfcastAbsent": Case(10, ({of("up", replica='job="node",instance="c:9100"'): "1x600"},), (), {}, nothing=True),
    "PerfcastDown": Case(
        90,
        ({UP: "1x30 0x600", UPTIME: "0+60x30 _x600"},),
        (
            {
                UP: "1x30 0x600",
                UPTIME: "0+60x30 _x600",
                of("up", replica=_B): "1x600",
                of("perfcast_uptime_seconds", replica=_B): "0+60x600",
            },
        ),
    ),
    "PerfcastReplicaDown": Case(
        90,
        ({of("up", replica=_B): "1x30 0x600", of("perfcast_uptime_seconds", replica=_B): "0+60x30 _x600"},),
        ({of("up", replica='job="node",instance="c:9100"'): "0x600"},),
        _JOB_LABELS | {"instance": "b:8000"},
    ),
    "PerfcastRestarts": Case(
        40, ({UPTIME: "0+60x12 0+60x6 0+60x6 0+60x600"},), ({UPTIME: "0+60x12 0+60x600"},), _REPLICA_LABELS, "3"
    ),
    "PerfcastUnhealthy": Case(
        10,
        ({of("perfcast_health", 'status="unhealthy"'): "1x600"},),
        (
            {of("perfcast_health", 'status="degraded"'): "1x600"},
            {of("perfcast_health", 'status="unhealthy"'): "0x8 1x600"},
        ),
        _REPLICA_LABELS | {"status": "unhealthy"},
    ),
    "PerfcastDegraded": Case(
        30,
        ({of("perfcast_health", 'status="degraded"'): "1x600"},),
        ({of("perfcast_health", 'status="degraded"'): "0x20 1x600"},),
        _REPLICA_LABELS | {"status": "degraded"},
    ),
    "PerfcastDependencyDown": Case(
        10,
        ({of("perfcast_dependency_up", 'dependency="redis"'): "0x600"},),
        ({of("perfcast_dependency_up", 'dependency="redis"'): "1x600"},),
        _REPLICA_LABELS | {"dependency": "redis"},
    ),
    "PerfcastErrorBudgetBurnsFast": Case(
        90,
        ({FAILED: "0+20x600"},),
        (
            {FAILED: "0+5x600"},
            {FAILED: "0+20x80 1600x600"},
            {REQUESTS: "0+1x600", FAILED: "0+0.1x600"},
            {of("http_requests_total", 'route="/readyz",method="GET",status="503"'): "0+20x600"},  # an answer
        ),
        value="3.226%",
    ),
    "PerfcastErrorBudgetBurnsSlowly": Case(420, ({FAILED: "0+6x600"},), ({FAILED: "0+2x600"},), value="0.9901%"),
    "PerfcastModelFails": Case(
        30,
        (
            {
                of(_ERRORS, f'{M},kind="internal"'): "0+60x600",
                of("ml_predictions_total", f'{M},status="error"'): "0+60x600",
            },
        ),
        (
            {
                of(_ERRORS, f'{M},kind="invalid"'): "0+600x600",
                of("ml_predictions_total", f'{M},status="error"'): "0+600x600",
            },
            {of(_ERRORS, f'{M},kind="internal"'): "0+6x600"},
            {  # two of two, in a quiet night
                of(_ERRORS, f'{M},kind="internal"'): "0x21 1x4 2x600",
                of("ml_predictions_total", f'{M},status="error"'): "0x21 1x4 2x600",
                of("ml_predictions_total", f'{M},status="success"'): "0x600",
            },
        ),
        _MODEL_LABELS,
        "9.091%",
    ),
    "PerfcastSlow": Case(
        30,
        (late({"0.01": 100, "0.1": 500, "0.25": 540, "0.5": 600, "+Inf": 600}),),
        (late({"0.01": 100, "0.1": 500, "0.25": 599, "0.5": 600, "+Inf": 600}),),
        _JOB_LABELS | {"route": "/predict"},
        "475ms",
    ),
    "PerfcastOverloaded": Case(
        30,
        ({of("http_refused_total", 'reason="overload"'): "0+30x600"},),
        (
            {of("http_refused_total", 'reason="overload"'): "0+3x600"},
            {of("http_refused_total", 'reason="rate"'): "0+300x600"},
        ),
        value="5%",
    ),
    "PerfcastModelNotLoaded": Case(
        25,
        ({of("ml_model_load_failures_total"): "0x20 1x600"},),
        ({of("ml_model_load_failures_total"): "1x600"},),
        _REPLICA_LABELS,
    ),
    "PerfcastCoverageLost": _state("coverage", "inputs"),
    "PerfcastErrorUp": _state("error", "inputs"),
    "PerfcastBadData": _state("quality", "inputs"),
    "PerfcastUnexplainedCost": _state("unexplained", "inputs"),
    "PerfcastInputsMoved": _state("inputs", "quality"),
    "PerfcastCoverageLow": Case(
        120,
        (
            {of("ml_live_coverage_percent", DAY): "71x600"},
            {of("ml_live_coverage_percent", DAY): "71x600", _BEFORE: "90x600"},
        ),
        (
            {of("ml_live_coverage_percent", DAY): "82x600"},
            {of("ml_live_coverage_percent", DAY.replace('"1"', '"0"')): "71x600"},  # a champion of before
            {of("ml_live_coverage_percent", DAY): "71x600", of("ml_live_actuals_total", ARM): "0+0.5x600"},
            {of("ml_live_coverage_percent", DAY): None, _BEFORE: "71x600"},
        ),
        _MODEL_LABELS,
        "71",
    ),
    "PerfcastExtrapolates": Case(
        180,
        ({of("ml_extrapolated_predictions_total", M): "0+300x600"},),
        ({of("ml_extrapolated_predictions_total", M): "0+60x600"},),
        _MODEL_LABELS,
        "50%",
    ),
    "PerfcastIntervalsWide": Case(
        90,
        ({of("ml_live_interval_width", HOUR): "30x600"},),
        ({of("ml_live_interval_width", HOUR): "15x600"},),
        _MODEL_LABELS,
        "3",
    ),
    "PerfcastRecordsLost": Case(
        90,
        ({of("prediction_records_dropped_total"): "0x60 50+50x600"},),
        ({of("prediction_records_dropped_total"): "46059x600"},),
        _REPLICA_LABELS,
        "500",
    ),
    "PerfcastRecordsWait": Case(
        10,
        ({of("prediction_records_waiting"): "170000x600"},),
        ({of("prediction_records_waiting"): "150000x600"},),
        _REPLICA_LABELS,
        "170k",
    ),
    "PerfcastActualsWait": Case(
        60,
        (
            {of("ml_actuals_waiting"): "0+100x600", of("ml_live_actuals_total", ARM): "5000x600"},
            {of("ml_actuals_waiting"): "0+100x600", of("ml_live_actuals_total", ARM): None},
        ),
        (
            {of("ml_actuals_waiting"): "6000x600"},  # of predictions that nobody made, say; others are joined
            {of("ml_live_actuals_total", ARM): "0x600", of("ml_actuals_waiting"): "0x600"},
            {of("ml_live_actuals_total", ARM): "0x600", FEEDBACK: "0+0.2x600"},
            {  # a new version's first ones
                of("ml_live_actuals_total", ARM): "5000x600",
                of("ml_live_actuals_total", f'{M},arm="champion",version="2"'): "_x50 100x600",
            },
            {of("ml_live_actuals_total", ARM): "_x50 100x600"},
        ),
        value="6k",
    ),
    "PerfcastFeedbackRefused": Case(30, ({REFUSED: "0+25x600"},), ({REFUSED: "0+1x600"},), value="20%"),
    "PerfcastShadowRowsLost": Case(
        60,
        ({of("ml_shadow_rows_dropped_total"): "0+60x600"}, {of("ml_shadow_rows_failed_total"): "0+60x600"}),
        ({of("ml_shadow_rows_dropped_total"): "0+1x600"},),
        _REPLICA_LABELS,
        "1",
    ),
    "PerfcastNoWorker": Case(
        60,
        ({QUEUED: "1x600", of("perfcast_job_oldest_queued_seconds"): "0+60x600"},),
        (
            {QUEUED: "1x600", of("perfcast_job_oldest_queued_seconds"): "0+60x600", RUNNING: "1x600"},
            {QUEUED: "1x600", of("perfcast_job_oldest_queued_seconds"): "30x600"},
        ),
        value="1h 0m 0s",
    ),
    "PerfcastJobsFail": Case(
        100,
        ({_FAILURES: "_x90 1x600"}, {_FAILURES: "1x90 2x600"}),
        ({_FAILURES: "2x600"}, {_FAILURES: "_x90 0x600"}),
        _MODEL_LABELS,
    ),
    "PerfcastJobStuck": Case(
        150,
        ({_PROGRESS: "0.4x600"},),
        ({_PROGRESS: "0+0.005x600"}, {_PROGRESS: "_x120 0.4x600"}, {_PROGRESS: "0.4x105 _x600"}),
        _MODEL_LABELS,
    ),
    "PerfcastRetrainsOften": Case(
        480, ({_FIRED: "0+0.025x600"},), ({_FIRED: "0+0.005x600"}, {_BY_CLOCK: "0+0.025x600"}), _MODEL_LABELS, "12"
    ),
    "PerfcastDiskFull": Case(
        10,
        ({of("system_disk_used_percent"): "97x600"},),
        ({of("system_disk_used_percent"): "93x600"},),
        _REPLICA_LABELS,
        "97",
    ),
    "PerfcastDiskFills": Case(
        420,
        ({of("system_disk_free_bytes"): "100000000000-200000000x600", of("system_disk_used_percent"): "80x600"},),
        ({of("system_disk_free_bytes"): "100000000000-200000000x600"}, {of("system_disk_used_percent"): "80x600"}),
        _REPLICA_LABELS,
    ),
    "PerfcastMemoryShort": Case(
        30,
        ({of("system_memory_percent"): "97x600"},),
        ({of("system_memory_percent"): "90x600"},),
        _REPLICA_LABELS,
        "97",
    ),
    "PerfcastProcessorBusy": Case(
        60, ({of("system_cpu_percent"): "95x600"},), ({of("system_cpu_percent"): "80x600"},), _REPLICA_LABELS, "95"
    ),
    "PerfcastFilesShort": Case(
        30, ({of("process_open_fds"): "900x600"},), ({of("process_open_fds"): "700x600"},), _REPLICA_LABELS, "90%"
    ),
    "PerfcastKeysRefused": Case(
        30,
        ({of("http_refused_total", 'reason="key"'): "0+120x600"},),
        (
            {of("http_refused_total", 'reason="key"'): "0+30x600"},
            {of("http_refused_total", 'reason="scope"'): "0+300x600"},
            {of("http_refused_total", 'reason="rate"'): "0+300x600"},
        ),
        value="2",
    ),
    "PerfcastScopesRefused": Case(
        30,
        ({of("http_refused_total", 'reason="scope"'): "0+12x600"},),
        (
            {of("http_refused_total", 'reason="scope"'): "0+3x600"},
            {of("http_refused_total", 'reason="key"'): "0+300x600"},
        ),
        value="200m",
    ),
    "PerfcastRateLimited": Case(
        30,
        ({of("http_refused_total", 'reason="rate"'): "0+300x600"},),
        (
            {of("http_refused_total", 'reason="rate"'): "0+60x600"},
            {of("http_refused_total", 'reason="rate"'): "0+6x600", REQUESTS: "0+12x600"},
            {of("http_refused_total", 'reason="key"'): "0+300x600"},
        ),
        value="50%",
    ),
    "PerfcastRefusalsSpike": Case(
        95,
        (
            {of("http_refused_total", 'reason="scope"'): "0+6x90 540+600x600"},
            {of("http_refused_total", 'reason="scope"'): "_x90 0+600x600"},  # for the first time
        ),
        (
            {of("http_refused_total", 'reason="scope"'): "0+600x600"},  # as ever
            {of("http_refused_total", 'reason="scope"'): "0+0x90 0+30x600"},  # few
            {of("http_refused_total", 'reason="overload"'): "0+6x90 540+600x600"},
            {of("http_refused_total", 'reason="scope"'): "_x90 0+600x600", UPTIME: "_x90 0+60x600"},
        ),
        _JOB_LABELS | {"reason": "scope"},
    ),
    "PerfcastManyNewCallers": Case(
        90,
        ({of("http_new_callers_total"): "0+20x600"},),
        (
            {of("http_new_callers_total"): "0+5x600"},
            {of("http_new_callers_total"): "0+20x600", UPTIME: "0+60x60 0+60x600"},
        ),
        value="200",
    ),
    "PerfcastBurst": Case(
        97,
        ({REQUESTS: "0+600x90 90000+36000x600"},),
        ({REQUESTS: "0+600x90 54600+1200x600"}, {REQUESTS: "_x90 0+1200x600", UPTIME: "_x90 0+60x600"}),
        value="600",
    ),
    "PerfcastMetricMissing": Case(
        30, ({of("system_disk_used_percent"): None},), (), _JOB_LABELS | {"metric": "system_disk_used_percent"}
    ),
}
"""By alert."""
