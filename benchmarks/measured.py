"""The measured data that accuracy is judged on: shipped with Perfcast, and public sets from a folder of yours."""

from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import polars as pl

from perfcast.cli._starters import simulated_dataset
from perfcast.datasets import Dataset, import_file, shipped_dataset, shipped_files
from perfcast.workloads import builtin_workloads, load_workload
from perfcast.workloads.cpu_utilization.simulator import Scenario, simulate

WORKLOADS = Path(__file__).parent / "workloads"


def shipped() -> Iterator[Dataset]:
    """The shipped measurements and a simulated service."""
    for name in shipped_files():
        yield shipped_dataset(name)
    yield simulated_dataset(simulate(Scenario(step_seconds=300)))


def public(folder: Path) -> Iterator[Dataset]:
    """The public sets that are compared with published figures; see benchmarks/README.md for where they come from."""
    for device in ("v100", "p100"):
        for measured_pass in ("forward", "training"):
            yield convolutions(folder / f"conv_{device}_{measured_pass}.csv.gz")
    yield import_file(
        folder / "conv_t4_forward.csv.gz", builtin_workloads()["cnn-execution-time"], name="conv_t4_forward"
    )[0]
    yield service(folder / "service_load_to_cpu_serveapp.csv.gz")
    for machine in ("1-6", "2-8"):
        yield server(folder / f"server_minutes_{machine}_train.csv.gz")


def convolutions(path: Path) -> Dataset:
    """Convolutions timed with TensorFlow, whose padding is a word: the zeros it means are worked out here."""
    total = (pl.col("output_size") - 1) * pl.col("stride") + pl.col("kernel_size") - pl.col("input_height")
    needed = pl.when(pl.col("padding") == "same").then(((total + 1) // 2).clip(lower_bound=0)).otherwise(0)
    frame = pl.read_csv(path).with_columns(needed.alias("padding"))
    basis = load_workload(WORKLOADS / "tensorflow-convolution.yaml")
    training = load_workload(WORKLOADS / "tensorflow-training.yaml", {basis.name: basis})
    workload = training if "optimizer_code" in frame.columns else basis
    with TemporaryDirectory() as folder:
        prepared = Path(folder) / "prepared.parquet"
        frame.write_parquet(prepared)
        dataset, report = import_file(prepared, workload, name=path.name.split(".")[0])
    for refusal in report.refusals:
        print(f"{path.name}: {len(refusal.rows)} rows refused: {refusal.field} {refusal.message}")
    return dataset


def service(path: Path) -> Dataset:
    """Minutes of a load-tested service."""
    told = {
        "request_rate": "requests / 60",
        "cpu_utilization": "100 * pod_util_cpu_avg / pod_cpu_limit",
        "pods": "num_pods",
        "cpu_limit": "pod_cpu_limit",
        "memory_limit": "pod_mem_limit",
        "node_memory": "node_mem",
    }
    return import_file(path, load_workload(WORKLOADS / "service-cpu.yaml"), name="serveapp", told=told)[0]


def server(path: Path) -> Dataset:
    """Minutes of a production server, as who runs it would have them after some two weeks.

    The file that follows in time is left alone: it holds what happened afterwards, drift and labelled anomalies.
    """
    told = {
        "request_rate": "1000 * passive_opens",
        "active_users": "1000 * curr_estab",
        "db_connections": "1000 * tcp_use",
        "connections_opened": "1000 * active_opens",
        "segments": "1000 * in_segs",
        "cpu_utilization": "100 * cpu_r",
    }
    begin = pl.datetime(2026, 3, 2, time_zone="UTC")
    frame = pl.read_csv(path).with_columns(measured_at=begin + pl.duration(minutes=pl.col("minute")))
    with TemporaryDirectory() as folder:
        prepared = Path(folder) / "prepared.parquet"
        frame.write_parquet(prepared)
        name = path.name.removesuffix("_train.csv.gz")
        return import_file(prepared, load_workload(WORKLOADS / "server-cpu.yaml"), name=name, told=told)[0]
