"""Training: jobs, the queue, schedules, and what came of them."""

from deploy.dashboards._board import Board
from deploy.dashboards._panels import RED, YELLOW, Ask, figure, lines, ranking, rows
from deploy.dashboards._queries import increase, now, pick, rate
from deploy.dashboards.boards._shared import champions

_QUEUED, _RUNNING, _FAILED = (f'status="{status}"' for status in ("queued", "running", "failed"))
_SINCE = f"time() - {now('ml_model_activated_timestamp_seconds', 'model_name')}"

TRAINING = Board(
    name="training",
    title="Training",
    about="Training jobs and their outcomes, the queue, schedules, and whether new versions are better.",
    hours=24,
    red=[
        figure(
            "Running",
            "Jobs that a worker has.",
            "short",
            Ask(now("perfcast_jobs", where=_RUNNING), "running"),
            height=8,
        ),
        figure(
            "Queued",
            "Jobs that wait for a worker.",
            "short",
            Ask(now("perfcast_jobs", where=_QUEUED), "queued"),
            steps=((5, YELLOW),),
            height=8,
        ),
        figure(
            "Failed",
            "Jobs that failed, of all that are kept.",
            "short",
            Ask(now("perfcast_jobs", where=_FAILED), "failed"),
            steps=((1, YELLOW),),
            height=8,
        ),
        lines(
            "Jobs finished",
            "By outcome, as they ended.",
            "short",
            Ask(increase("perfcast_job_outcomes_total", "status"), "{{status}}"),
            bars=True,
            width=12,
        ),
        lines(
            "Jobs finished by model",
            "By model and outcome, as they ended.",
            "short",
            Ask(increase("perfcast_job_outcomes_total", "model_name", "status"), "{{model_name}} {{status}}"),
            bars=True,
        ),
        lines(
            "Duration of the last job",
            "How long each model's last finished job ran.",
            "s",
            Ask(now("perfcast_job_last_seconds", "model_name"), "{{model_name}}"),
        ),
        lines(
            "Retrains by schedule",
            "Jobs that schedules began: by the clock, for new rows, for drift.",
            "short",
            Ask(increase("perfcast_schedule_fired_total", "model_name", "trigger"), "{{model_name}} {{trigger}}"),
            bars=True,
        ),
    ],
    use=[
        lines(
            "Queue",
            "Jobs by state. Queued ones with none running mean that no worker is there.",
            "short",
            Ask(now("perfcast_jobs", "status", where='status=~"queued|running"'), "{{status}}"),
            stacked=True,
            width=6,
        ),
        lines(
            "Oldest queued job",
            "How long it has waited. A job also waits while an earlier one of its model runs.",
            "s",
            Ask(now("perfcast_job_oldest_queued_seconds"), "waited"),
            steps=((900, RED),),
            width=6,
        ),
        lines(
            "Progress",
            "Of the jobs that run, 0 to 1.",
            "percentunit",
            Ask(now("perfcast_job_progress", "model_name"), "{{model_name}}"),
            top=1,
            width=6,
        ),
        lines(
            "Processor of the machines",
            "Training uses what serving leaves; a machine at 100 % makes both slower.",
            "percent",
            Ask(now("system_cpu_percent", "instance"), "{{instance}}"),
            top=100,
            width=6,
        ),
    ],
    model=[
        rows(
            "Versions",
            "Each alias and the version that it points to.",
            "short",
            f"max by (model_name, alias, version, type, workload) ({pick('ml_model_info')})",
            {"model_name": "Model", "alias": "Alias", "version": "Version", "type": "Family", "workload": "Workload"},
        ),
        ranking(
            "Age of the champions",
            "How long ago each model's version began to answer.",
            "s",
            Ask(f"sort_desc({_SINCE})", "{{model_name}}"),
            width=12,
        ),
        lines(
            "Error of the champions, one hour",
            "Mean absolute error in the cost's unit: it should fall where a retrain is marked.",
            "short",
            Ask(champions("ml_live_mae", "1h"), "{{model_name}}"),
        ),
        lines(
            "Champion against challenger, one day",
            "Mean absolute error by arm, in the cost's unit.",
            "short",
            Ask(
                now("ml_live_mae", "model_name", "arm", "version", where='window="24h"'),
                "{{model_name}} {{version}} {{arm}}",
            ),
        ),
        lines(
            "Versions loaded and refused",
            "Graphs a second that servers loaded, and those that they could not.",
            "ops",
            Ask(rate("ml_model_loads_total"), "loaded"),
            Ask(rate("ml_model_load_failures_total"), "failed"),
        ),
    ],
)
