"""Rows per second of `POST /predict/batch` in each form, beside a bare ONNX Runtime call on the same array.

    DATA_DIR=var .venv/bin/python benchmarks/batch.py --model cpu-utilization --rows 1000000 --rounds 1

The model is one that `DATA_DIR` has (`make run` makes the starter models); its rows are drawn from its trained range.
Each form gets a fresh server process, whose peak memory is told. A round is one bare call (a session with one thread,
as the server's, in this process) and one request. `--during` also asks `/predict` every few milliseconds meanwhile.
"""

import argparse
import http.client
import io
import json
import os
import statistics
import subprocess
import sys
import time
from datetime import UTC
from pathlib import Path
from threading import Event, Thread
from urllib.parse import urlsplit

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq

from perfcast.registry import Registry
from perfcast.serving import Predictor
from perfcast.settings import load_settings
from perfcast.storage import Blobs, Database

SERVE = "from perfcast.api import serve; from perfcast.settings import load_settings; serve(load_settings(api_port=0))"
TYPES = {
    "list": "application/json",
    "columns": "application/json",
    "arrow": "application/vnd.apache.arrow.stream",
    "csv": "text/csv",
    "parquet": "application/vnd.apache.parquet",
}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", default="cpu-utilization")
    parser.add_argument("--rows", type=int, default=10_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--forms", default=",".join(TYPES))
    parser.add_argument("--during", action="store_true", help="also tell the latencies of /predict during the batches")
    asked = parser.parse_args()
    predictor = _predictor(asked.model)
    rows = _rows(predictor, asked.rows)
    print(f"{asked.model} ({predictor.type}), {len(rows):,} rows, medians of {asked.rounds} rounds\n")
    print(
        "| form | rows/s | of a bare call | body MB | answer MB | server's peak MB |"
        + " /predict p50, p99 ms |" * asked.during
    )
    print("|---|---|---|---|---|---|" + "---|" * asked.during)
    for form in asked.forms.split(","):
        _measure(form, predictor, rows, asked.rounds, during=asked.during)


def _predictor(name: str) -> Predictor:
    settings = load_settings()
    registry = Registry(Database(settings.database_address), Blobs(settings.artifacts_address))
    version = registry.resolve(name)
    return Predictor(version, registry.graph(version), zone=UTC)


def _rows(predictor: Predictor, count: int) -> np.ndarray:
    """Rows of the trained range that keep the workload's rules, float32 [count, features]."""
    workload, draw = predictor.workload, np.random.default_rng(0)
    columns = []
    for feature in workload.features:
        low, high = predictor.version.manifest.ranges[feature.name]
        drawn = low + (high - low) * draw.random(count)
        columns.append(np.rint(drawn) if feature.whole else drawn)
    rows = np.stack(columns, axis=1).astype(np.float32)
    names = workload.feature_names
    if "kernel_size" in names:  # a convolution's kernel must fit and its groups divide
        rows[:, names.index("groups")] = rows[:, names.index("dilation")] = 1
        for kernel, size in (("kernel_size", "input_height"), ("kernel_width", "input_width")):
            rows[:, names.index(kernel)] = np.minimum(rows[:, names.index(kernel)], rows[:, names.index(size)])
    return rows


def _body(form: str, predictor: Predictor, rows: np.ndarray) -> bytes:
    names, model = predictor.workload.feature_names, predictor.model
    whole = [feature.whole for feature in predictor.workload.features]
    if form in ("list", "columns"):
        columns = [
            rows[:, at].astype(int).tolist() if whole[at] else np.round(rows[:, at].astype(float), 4).tolist()
            for at in range(len(names))
        ]
        if form == "columns":
            return json.dumps({"model_name": model, "columns": dict(zip(names, columns, strict=True))}).encode()
        items = (dict(zip(names, row, strict=True)) for row in zip(*columns, strict=True))
        return json.dumps(list(items), separators=(",", ":")).encode()  # the default model of the workload answers
    table = pa.table({name: np.ascontiguousarray(rows[:, at]) for at, name in enumerate(names)})
    sink = io.BytesIO()
    if form == "csv":
        pa.csv.write_csv(table, sink)
    elif form == "parquet":
        pq.write_table(table, sink)
    else:
        with pa.ipc.new_stream(sink, table.schema) as writer:
            writer.write_table(table, max_chunksize=65_536)
    return sink.getvalue()


def _measure(form: str, predictor: Predictor, rows: np.ndarray, rounds: int, *, during: bool) -> None:
    body = _body(form, predictor, rows)
    process, host = _start()
    bare, asked, answered, latencies = [], [], 0, []
    try:
        _post(host, f"/predict/batch?model_name={predictor.model}", _body(form, predictor, rows[:10]), TYPES[form])
        for _ in range(rounds):
            begin = time.perf_counter()
            predictor.run(rows)
            bare.append(time.perf_counter() - begin)
            stop = Event()
            probe = Thread(target=_probe, args=(host, predictor, rows, stop, latencies))
            if during:
                probe.start()
            begin = time.perf_counter()
            answered = _post(host, f"/predict/batch?model_name={predictor.model}", body, TYPES[form])
            asked.append(time.perf_counter() - begin)
            stop.set()
            if during:
                probe.join()
        status = Path(f"/proc/{process.pid}/status").read_text()
    finally:
        process.terminate()
        process.wait(30)
    peak = next(int(line.split()[1]) / 1000 for line in status.splitlines() if line.startswith("VmHWM"))
    seconds = statistics.median(asked)
    ratio = statistics.median(one / other for one, other in zip(bare, asked, strict=True))
    probed = f" {np.percentile(latencies, 50):.2f}, {np.percentile(latencies, 99):.2f} |" if during else ""
    print(
        f"| {form} | {len(rows) / seconds:,.0f} | {ratio:.2f} | {len(body) / 1e6:.1f} | {answered / 1e6:.1f} | "
        f"{peak:.0f} |{probed}",
        flush=True,
    )


def _probe(host: str, predictor: Predictor, rows: np.ndarray, stop: Event, latencies: list[float]) -> None:
    names = predictor.workload.feature_names
    values = [int(value) if value == int(value) else float(value) for value in rows[0]]
    body = json.dumps({"model_name": predictor.model, "features": dict(zip(names, values, strict=True))}).encode()
    connection = http.client.HTTPConnection(host)
    while not stop.is_set():
        begin = time.perf_counter()
        connection.request("POST", "/predict", body)
        answer = connection.getresponse()
        answer.read()
        assert answer.status == 200, answer.status
        latencies.append((time.perf_counter() - begin) * 1000)
        stop.wait(0.005)


def _start() -> tuple[subprocess.Popen[str], str]:
    environment = os.environ | {"LOG_FORMAT": "json"}
    process = subprocess.Popen([sys.executable, "-c", SERVE], env=environment, stderr=subprocess.PIPE, text=True)
    address = ""
    for line in process.stderr or ():
        event = json.loads(line)
        address = event.get("address", address)
        if event["event"] == "ready":
            return process, _listening(urlsplit(address).netloc)
    raise SystemExit(f"the server ended with {process.wait()}")


def _listening(host: str) -> str:
    while True:
        try:
            http.client.HTTPConnection(host).connect()
        except ConnectionRefusedError:
            time.sleep(0.01)
        else:
            return host


def _post(host: str, path: str, body: bytes, content_type: str) -> int:
    """Bytes of the answer."""
    connection = http.client.HTTPConnection(host, timeout=600)
    connection.request("POST", path, body, {"Content-Type": content_type})
    answer = connection.getresponse()
    content = answer.read()
    if answer.status != 200:
        raise SystemExit(content[:1000].decode())
    return len(content)


if __name__ == "__main__":
    main()
