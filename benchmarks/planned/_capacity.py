"""The arithmetic: how much of everything a size needs, and how full that makes what there is one of."""

import math
from dataclasses import dataclass

from ._figures import Figures

_WEEK, _DAY, _MONTH = 604_800, 86_400, 30 * 86_400
_USABLE = 0.8
"""Of a machine's memory."""
_LEAST = 2
"""Processes of a group, and machines: one may fail."""


@dataclass(frozen=True)
class Load:
    """How full one thing gets.

    Attributes:
        name: What.
        used: How much is asked of it, in `unit`.
        bound: What one of it bears, in `unit`.
        add: What to do when it is full.
    """

    name: str
    used: float
    bound: float
    unit: str
    add: str

    @property
    def share(self) -> float:
        """Of what one bears; 1 is full."""
        return self.used / self.bound


@dataclass(frozen=True)
class Plan:
    """What a size needs.

    Attributes:
        rate: Predictions a second.
        models: All asked equally often, which is the hardest case.
        groups: Sets of processes, each with its part of the models, where one process can't hold all.
        processes: API processes, one core each.
        machines: For those processes.
        memory_gigabytes: Of all processes.
        written_megabytes: Records a second.
        day_gigabytes: Records a day.
        kept_hours: Until `log_gigabytes` are full and the oldest leave.
        connections: Most that processes and workers hold.
        scrape_series: Of one server's `/metrics`.
        scrape_megabytes: Of the same, as text.
        series: Of all.
        workers: To train each model once a week.
        loads: What there is one of, the fullest first.
        month: What it costs, in the currency of the prices.
    """

    rate: float
    models: int
    groups: int
    processes: int
    machines: int
    memory_gigabytes: float
    written_megabytes: float
    day_gigabytes: float
    kept_hours: float
    connections: int
    scrape_series: int
    scrape_megabytes: float
    series: int
    workers: int
    loads: tuple[Load, ...]
    month: float

    @property
    def first(self) -> Load:
        """What is fullest, and so saturates first as the rate grows."""
        return self.loads[0]


def plan(rate: float, models: int, figures: Figures, *, recorded: bool = True, shared_limits: bool = False) -> Plan:
    """What a size needs.

    Args:
        rate: Predictions a second at the busiest time.
        models: How many answer, each 300 trees of depth 6, asked equally often.
        figures: What one of everything does.
        recorded: Whether predictions are recorded (`PREDICTION_LOG`).
        shared_limits: Whether rate limits are counted in Redis: one command a request.
    """
    f = figures
    groups, processes = _processes(rate, models, f)
    held = math.ceil(models / groups)
    memory = processes * (f.base_megabytes + held * f.model_megabytes) / 1000
    gigabits = rate * (f.request_bytes + f.answer_bytes) * 8 / 1e9
    machines = max(
        _LEAST,
        math.ceil(processes / f.machine_cores),
        math.ceil(memory / (f.machine_gigabytes * _USABLE)),
        math.ceil(gigabits / (f.machine_gigabits * f.utilisation)),
    )
    blocks = _blocks(rate, held, processes, f) if recorded else 0.0
    written = (blocks * f.block_bytes + rate * f.record_bytes) / 1e6 if recorded else 0.0
    commits = processes / f.block_seconds if recorded else 0.0
    workers = max(1, math.ceil(models * f.job_seconds / (_WEEK * f.utilisation)))
    connections = math.ceil((processes + workers) * f.pool)
    shown = min(models, held * math.ceil(processes / machines))
    scrape = math.ceil(f.target_series + shown * f.model_series)
    loads = (
        Load("database connections", connections, f.database_connections, "connections",
             "max_connections of 500, then PgBouncer; DATABASE_POOL_SIZE=2"),
        Load("database writes", written, f.database_megabytes * f.utilisation, "MB/s",
             "a second installation with its part of the models; or PREDICTION_LOG=false where nobody tells actuals"),
        Load("database commits", commits, f.database_commits * f.utilisation, "commits/s",
             "PREDICTION_LOG_SECONDS=1"),
        Load("the observer", rate if recorded else 0, f.observer_rows * f.utilisation, "predictions/s",
             "a second installation: each database has one observer"),
        Load("samples a scrape", scrape, f.sample_limit, "series",
             "a higher sample_limit; drop buckets by metric_relabel_configs"),
        Load("one Prometheus", machines * scrape, f.prometheus_series * f.utilisation, "series",
             "a Prometheus for each group of machines, or fewer buckets"),
        Load("one nginx: requests", rate, f.nginx_requests * f.utilisation, "requests/s",
             "a second one; DNS or a network load balancer before them"),
        Load("one nginx: network", gigabits, f.machine_gigabits * f.utilisation, "Gbit/s",
             "a second one; batches instead of single predictions"),
        Load("one Redis", rate if shared_limits else 0, f.redis_commands * f.utilisation, "commands/s",
             "limits in nginx or in each process's memory (no REDIS_URL), or a Redis for each group"),
    )  # fmt: skip
    full = {load.name: math.ceil(load.share) for load in loads}
    databases = max(1, full["database writes"], full["database commits"], full["the observer"])
    fronts = max(full["one nginx: requests"], full["one nginx: network"], 1)
    others = fronts + max(1, full["one Prometheus"]) + max(1, full["one Redis"])
    kept_hours = f.log_gigabytes / written / 3.6 if written else math.inf
    kept = min(f.log_gigabytes * databases, written * _MONTH / 1000)
    trainers = math.ceil(workers * f.worker_cores / f.machine_cores)
    month = (
        (machines + others + trainers) * f.price_machine
        + databases * f.price_database
        + kept * f.price_gigabyte
        + rate * f.answer_bytes * _MONTH / 1e9 * f.price_traffic
    )
    return Plan(
        rate, models, groups, processes, machines, memory, written, written * _DAY / 1000,
        kept_hours, connections, scrape, scrape * f.series_bytes / 1e6,
        machines * scrape, workers,
        tuple(sorted(loads, key=lambda load: -load.share)), month,
    )  # fmt: skip


def _processes(rate: float, models: int, f: Figures) -> tuple[int, int]:
    """Groups of processes, and processes in all."""
    room = f.machine_gigabytes * _USABLE / f.machine_cores * 1000 - f.base_megabytes
    groups = math.ceil(models * f.model_megabytes / room)
    bears = f.requests_per_process * f.keyed_share * f.utilisation
    return groups, groups * max(_LEAST, math.ceil(rate / groups / bears))


def _blocks(rate: float, held: int, processes: int, f: Figures) -> float:
    """Blocks written a second: one for each model that was asked in an interval, in each process.

    Of n requests to m models equally often, m(1 - exp(-n/m)) are asked: Poisson, one minus the share of none.
    """
    asked = rate / processes * f.block_seconds
    return processes / f.block_seconds * held * -math.expm1(-asked / held)
