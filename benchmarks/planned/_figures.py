"""Every constant of the capacity model, with its unit and where it is from; measured, set by default, or assumed."""

from dataclasses import dataclass, field, fields
from typing import Any

_SERVING = "measured: benchmarks/results/serving.md"
_STARTUP = "measured: benchmarks/results/startup.md"
_BLOCKS = "measured: benchmarks/planning.py --measure"


def _figure(value: float, unit: str, source: str) -> Any:
    return field(default=value, metadata={"unit": unit, "source": source})


@dataclass(frozen=True)
class Figures:
    """What one of everything does and bears. `Figures(nginx_requests=50_000)` is the same with another bound."""

    requests_per_process: float = _figure(11_570, "requests/s", f"{_SERVING}, the least of its runs at 16 connections")
    keyed_share: float = _figure(0.84, "of that", f"{_SERVING}: 12,731 of 15,091 with keys and limits in memory")
    utilisation: float = _figure(
        0.6, "of a process or bound", "chosen: the queue simulation, and one of three may fail"
    )
    base_megabytes: float = _figure(136, "MB a process", f"{_STARTUP}: 145 with one model")
    model_megabytes: float = _figure(8.9, "MB a model and process", f"{_STARTUP}: (1,025 - 145) / 99, 300 trees each")
    record_bytes: float = _figure(78, "bytes a prediction", f"{_BLOCKS}; docs/predictions.md: 39 MB for half a million")
    block_bytes: float = _figure(500, "bytes a block", _BLOCKS)
    block_seconds: float = _figure(0.5, "s", "default: PREDICTION_LOG_SECONDS; a block a model, process and interval")
    log_gigabytes: float = _figure(5, "GB", "default: PREDICTION_LOG_BYTES")
    pool: float = _figure(5, "connections a process", "default: DATABASE_POOL_SIZE")
    observer_rows: float = _figure(
        182_000, "predictions/s", "measured: docs/live-accuracy.md; there is one observer a database"
    )
    target_series: float = _figure(13, "series a server", _BLOCKS)
    model_series: float = _figure(64, "series a model and server", f"{_BLOCKS}, without live accuracy and drift")
    series_bytes: float = _figure(90, "bytes a series and scrape", _BLOCKS)
    request_bytes: float = _figure(400, "bytes", "measured: 219 of head, 112 of body, and 66 of Ethernet, IP and TCP")
    answer_bytes: float = _figure(470, "bytes", "measured: 272 of body, 130 of head, and 66 of Ethernet, IP and TCP")
    job_seconds: float = _figure(16.1, "s a job of 24 trials", "measured: benchmarks/results/scale.md, on 2 cores")
    worker_cores: float = _figure(2, "cores a worker", "measured: benchmarks/results/scale.md")
    machine_cores: float = _figure(16, "cores", "assumed")
    machine_gigabytes: float = _figure(64, "GB", "assumed")
    machine_gigabits: float = _figure(10, "Gbit/s", "assumed")
    database_connections: float = _figure(97, "connections", "default: PostgreSQL's max_connections, less 3 for itself")
    database_megabytes: float = _figure(50, "MB/s written", "assumed: of records; the log of PostgreSQL doubles it")
    database_commits: float = _figure(5_000, "commits/s", "assumed")
    sample_limit: float = _figure(20_000, "series a scrape", "set: deploy/prometheus/prometheus.yml")
    prometheus_series: float = _figure(2_000_000, "series", "assumed: about 8 GB of memory")
    nginx_requests: float = _figure(100_000, "requests/s", "assumed: 16 cores with TLS and kept connections")
    redis_commands: float = _figure(100_000, "commands/s", "assumed: one thread")
    price_machine: float = _figure(400, "a month", "assumed; any currency")
    price_database: float = _figure(800, "a month", "assumed; any currency")
    price_gigabyte: float = _figure(0.1, "a GB of database and month", "assumed; any currency")
    price_traffic: float = _figure(0.01, "a GB of answers", "assumed; any currency")


def described(figures: Figures) -> list[tuple[str, float, str, str]]:
    """Name, value, unit and source of each."""
    return [
        (each.name, getattr(figures, each.name), each.metadata["unit"], each.metadata["source"])
        for each in fields(figures)
    ]
