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
TORCH, ONNXRUNTIME = "gpu-torch", "gpu-onnxruntime"
"""Devices: `TORCH` knows convolutions and operators, `ONNXRUNTIME` convolutions alone."""
OPERATORS = "operator-execution-time"


def stock(folder: Path, database_url: str = "") -> None:
    """Fill a `DATA_DIR`: `CPU` is trained on the dataset `simulated`, all other models are drawn up by hand."""
    database = Database(database_url or f"sqlite:///{folder / 'perfcast.db'}")
    database.migrate()
    blobs = Blobs(str(folder / "artifacts"))
    registry, rows = Registry(database, blobs), small_dataset()
    Datasets(database, blobs).add(rows)
    run_training(registry, rows, CPU, Effort(n_trials=1, families=("polynomial",)))
    workloads = builtin_workloads()
    cpu, cnn, operators = workloads[CPU], workloads[CNN], workloads[OPERATORS]
    registry.add(OTHER_CPU, draft(cpu, weighted(cpu, request_rate=0.2)))
    registry.add(CNN, draft(cnn, weighted(cnn, batch_size=0.5, output_channels=0.1)))
    convolutions = draft(cnn, weighted(cnn, batch_size=0.5, output_channels=0.1), ranges={"input_height": (1, 200)})
    for device in (TORCH, ONNXRUNTIME):
        registry.add(f"{CNN}-{device}", convolutions)
    registry.add(f"{OPERATORS}-{TORCH}", draft(operators, weighted(operators, batch_size=0.25)))
    for model in (OTHER_CPU, CNN, f"{CNN}-{TORCH}", f"{CNN}-{ONNXRUNTIME}", f"{OPERATORS}-{TORCH}"):
        registry.point(model, "champion", 1)
    database.close()
