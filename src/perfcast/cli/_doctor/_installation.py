"""Whether Perfcast works here."""

import importlib.util
import socket
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

from perfcast.cli._doctor._finding import Finding
from perfcast.cli._workbench import workbench
from perfcast.errors import PerfcastError

if TYPE_CHECKING:
    from perfcast.settings import Settings

EXTRAS = {
    "serve": ("fastapi", "uvicorn", "onnxruntime", "prometheus_client", "psutil"),
    "cluster": ("dask", "distributed", "cryptography"),
    "otel": ("opentelemetry.sdk", "opentelemetry.exporter.otlp.proto.http"),
    "report": ("matplotlib",),
    "s3": ("s3fs",),
    "train": ("onnx", "spox", "xgboost", "sklearn", "torch", "optuna", "pyarrow"),
    "ui": ("streamlit", "plotly", "perfcast_client"),
}
"""The modules that each extra brings."""


def _python(_: "Settings") -> Iterator[Finding]:
    yield Finding("python", "ok", sys.version.split()[0])
    if sys.dont_write_bytecode and not Path(importlib.util.cache_from_source(__file__)).exists():
        text = "PYTHONDONTWRITEBYTECODE is set and nothing is compiled: starts take three times as long"
        yield Finding("bytecode", "warning", text, "python -m compileall")


def _packages(_: "Settings") -> Iterator[Finding]:
    for extra, modules in EXTRAS.items():
        missing = ", ".join(module for module in modules if not _is_there(module))
        if missing:
            yield Finding(
                f"extra '{extra}'", "warning", f"not installed: {missing}", f"pip install 'perfcast[{extra}]'"
            )
        else:
            yield Finding(f"extra '{extra}'", "ok", "installed")


def _is_there(module: str) -> bool:
    try:
        return importlib.util.find_spec(module) is not None
    except ModuleNotFoundError:  # what it is a part of isn't there
        return False


def _database(settings: "Settings") -> Iterator[Finding]:
    from perfcast.storage import Database

    with closing(Database(settings.database_address)) as database:
        database.ping()
        if database.is_current():
            yield Finding("database", "ok", database.address)
        else:
            text = f"{database.address}; its schema is old or empty"
            yield Finding("database", "warning", text, "perfcast up brings it up to date")


def _artifacts(settings: "Settings") -> Iterator[Finding]:
    from perfcast.storage import Blobs

    blobs = Blobs(settings.artifacts_address)
    blobs.get(blobs.put(b"perfcast doctor"))
    yield Finding("artifacts", "ok", "can be written and read")


def _models(settings: "Settings") -> Iterator[Finding]:
    with workbench(settings) as bench:
        models = bench.registry.models()
        if not models:
            yield Finding("models", "warning", "none yet", "perfcast up makes the starter models")
        for model in models:
            what, number = f"model {model.name}", model.aliases.get("champion")
            if number is None:
                yield Finding(what, "warning", "has no champion", f"perfcast models activate {model.name}:VERSION")
                continue
            try:
                bench.predictor(bench.registry.version(model.name, number))
                yield Finding(what, "ok", f"version {number} answers")
            except PerfcastError as error:
                yield Finding(what, "wrong", str(error))


def _access(settings: "Settings") -> Iterator[Finding]:
    if importlib.util.find_spec("fastapi") is None:
        return
    from perfcast.api.access import make_gate
    from perfcast.settings import is_loopback

    gate = make_gate(settings)
    if gate is not None and gate.keyed:
        yield Finding("access", "ok", gate.summary)
        return
    closed = is_loopback(settings.api_host)
    text = "no API_KEY: whoever reaches the port may do everything" + (f"; {gate.summary}" if gate is not None else "")
    yield Finding("access", "ok" if closed else "warning", text, "" if closed else "set API_KEY")


def _cluster(settings: "Settings") -> Iterator[Finding]:
    if not settings.dask_scheduler_address:
        return
    from perfcast.cluster import Cluster, is_encrypted, scheduler_of

    with Cluster(scheduler_of(settings)) as cluster:
        encrypted = "encrypted" if is_encrypted(settings.dask_scheduler_address) else "not encrypted"
        text = (
            f"{settings.dask_scheduler_address}: {cluster.threads} threads of workers with these versions, {encrypted}"
        )
        yield Finding("Dask cluster", "ok", text)


def _port(settings: "Settings") -> Iterator[Finding]:
    with socket.socket() as probe:
        probe.settimeout(0.5)
        host = "127.0.0.1" if settings.api_host == "0.0.0.0" else settings.api_host  # noqa: S104
        taken = probe.connect_ex((host, settings.api_port)) == 0
    where = f"{settings.api_host}:{settings.api_port}"
    yield Finding("port", "warning" if taken else "ok", f"{where} is {'in use' if taken else 'free'}")


def _gpu(_: "Settings") -> Iterator[Finding]:
    if importlib.util.find_spec("torch") is None:
        return
    import torch

    found = torch.cuda.is_available()
    yield Finding("GPU for training", "ok", torch.cuda.get_device_name() if found else "none; training uses the CPU")


def how_to_install(module: str) -> str | None:
    """What to tell of a missing module (`ModuleNotFoundError.name`); None where no extra brings it: it is broken."""
    package = module.split(".", maxsplit=1)[0]
    for extra, modules in EXTRAS.items():
        if package in modules:
            return f"this needs '{package}', which is not installed: pip install 'perfcast[{extra}]'"
    return None


CHECKS = (_python, _packages, _database, _artifacts, _models, _access, _cluster, _port, _gpu)
