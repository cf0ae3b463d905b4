"""An installation that has what the web UI shows: rows, two models trained on them, a CNN model."""

from pathlib import Path

from tests.drafts import draft, weighted
from tests.workers import small_dataset

from perfcast.datasets import Datasets
from perfcast.jobs import Effort, run_training
from perfcast.registry import Registry
from perfcast.storage import Blobs, Database
from perfcast.workloads import builtin_workloads

CPU, OTHER_CPU, CNN = "cpu-utilization", "cpu-straight", "cnn-execution-time"


def stock(folder: Path, database_url: str = "") -> None:
    """Fill a `DATA_DIR`: `CPU` is trained on the dataset `simulated`, `OTHER_CPU` and `CNN` are drawn up by hand."""
    database = Database(database_url or f"sqlite:///{folder / 'perfcast.db'}")
    database.migrate()
    blobs = Blobs(str(folder / "artifacts"))
    registry, rows = Registry(database, blobs), small_dataset()
    Datasets(database, blobs).add(rows)
    run_training(registry, rows, CPU, Effort(n_trials=1, families=("polynomial",)))
    workloads = builtin_workloads()
    cpu, cnn = workloads[CPU], workloads[CNN]
    registry.add(OTHER_CPU, draft(cpu, weighted(cpu, request_rate=0.2)))
    registry.add(CNN, draft(cnn, weighted(cnn, batch_size=0.5, output_channels=0.1)))
    for model in (OTHER_CPU, CNN):
        registry.point(model, "champion", 1)
    database.close()
