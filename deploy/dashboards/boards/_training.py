"""Training: jobs, the queue, schedules, and what came of them."""

from deploy.dashboards._board import Board
from deploy.dashboards._panels import RED, YELLOW, figure, lines, ranking
from deploy.dashboards._queries import Query, descending, increase, now, rate
from deploy.dashboards.boards._shared import champions, versions

_AGE = Query(f"time() - {now('ml_model_activated_timestamp_seconds', 'model_name')}", "{{model_name}}")


def _jobs(status: str) -> Query:
    return now("perfcast_jobs", where=f'status="{status}"').called(status)


_JOBS = [
    figure("Running", "Jobs that a worker has.", _jobs("running")),
    figure("Queued", "Jobs that wait for a worker.", _jobs("queued"), steps=((5, YELLOW),)),
    figure("Failed", "Jobs that failed, of all that are kept.", _jobs("failed"), steps=((1, YELLOW),)),
    lines("Jobs finished", "By outcome, as they ended.", increase("perfcast_job_outcomes_total", "status"), bars=True),
]
_OUTCOMES = [
    lines(
        "Jobs finished by model",
        "By model and outcome, as they ended.",
        increase("perfcast_job_outcomes_total", "model_name", "status"),
        bars=True,
    ),
    lines(
        "Duration of the last job",
        "How long each model's last finished job ran.",
        now("perfcast_job_last_seconds", "model_name"),
        unit="s",
    ),
    lines(
        "Retrains by schedule",
        "Jobs that schedules began: by the clock, for new rows, for drift.",
        increase("perfcast_schedule_fired_total", "model_name", "trigger"),
        bars=True,
    ),
]
_QUEUE = [
    lines(
        "Queue",
        "Jobs by state. Queued ones with none running mean that no worker is there.",
        now("perfcast_jobs", "status", where='status=~"queued|running"'),
        stacked=True,
    ),
    lines(
        "Oldest queued job",
        "How long it has waited. A job also waits while an earlier one of its model runs.",
        now("perfcast_job_oldest_queued_seconds").called("waited"),
        unit="s",
        steps=((900, RED),),
    ),
    lines(
        "Progress",
        "Of the jobs that run, 0 to 1.",
        now("perfcast_job_progress", "model_name"),
        unit="percentunit",
        top=1,
    ),
    lines(
        "Processor of the machines",
        "Training uses what serving leaves; a machine at 100 % makes both slower.",
        now("system_cpu_percent", "instance"),
        unit="percent",
        top=100,
    ),
]
_CHAMPIONS = [
    versions("Versions"),
    ranking("Age of the champions", "How long ago each model's version began to answer.", descending(_AGE), unit="s"),
]
_TRUTH = [
    lines(
        "Error of the champions, one hour",
        "Mean absolute error in the cost's unit: it should fall where a retrain is marked.",
        champions("ml_live_mae", "1h"),
    ),
    lines(
        "Champion against challenger, one day",
        "Mean absolute error by arm, in the cost's unit.",
        now("ml_live_mae", "model_name", "arm", "version", where='window="24h"').called(
            "{{model_name}} {{version}} {{arm}}"
        ),
    ),
    lines(
        "Versions loaded and refused",
        "Graphs a second that servers loaded, and those that they could not.",
        rate("ml_model_loads_total").called("loaded"),
        rate("ml_model_load_failures_total").called("failed"),
        unit="ops",
    ),
]

TRAINING = Board(
    name="training",
    title="Training",
    about="Training jobs and their outcomes, the queue, schedules, and whether new versions are better.",
    hours=24,
    red=[_JOBS, _OUTCOMES],
    use=[_QUEUE],
    model=[_CHAMPIONS, _TRUTH],
)
