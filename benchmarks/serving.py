"""Requests a second and latency of Perfcast's `/predict` against plain services that serve the same graph.

    .venv/bin/python benchmarks/serving.py [--rounds 5] [--seconds 5] [--only perfcast --only raw_asgi]

Every server is one process and serves the same ONNX graph (`serving_model.py`); Perfcast validates, counts, routes,
gives intervals and records each prediction in SQLite. wrk (Debian's package) asks with one thread, at 1 and at 16
connections. The servers take turns in each round; figures are medians over the rounds, ratios within this run. LitServe
is installed into benchmarks/.peers.
"""

import argparse
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import IO

from peers import peer_python

HERE = Path(__file__).parent
BASELINES = HERE / "baselines"
CONNECTIONS = (1, 16)
ROWS = b'{"rows": [[%s]]}'
FLAT = (
    b'{"request_rate": %s, "active_users": %s, "db_connections": %s, "hour_sin": %s, "hour_cos": %s, '
    b'"minute_sin": %s, "minute_cos": %s, "is_business_hour": %s}'
)
VALUES = (b"120", b"60", b"25", b"0.5", b"0.866", b"0.2588", b"0.9659", b"1")
SERVE = "from perfcast.api import serve; from perfcast.settings import load_settings; serve(load_settings())"
KEY = "a-key-for-the-benchmark"
_MICROSECONDS = {"us": 1.0, "ms": 1e3, "s": 1e6}


@dataclass(frozen=True)
class Server:
    """What to measure.

    Attributes:
        command: Gives the command that serves on a port.
        environment: Further variables.
        body: What is asked.
        headers: What comes with it.
    """

    command: Callable[[int], list[str]]
    environment: Mapping[str, str]
    body: bytes
    headers: Mapping[str, str]


@dataclass(frozen=True)
class Finding:
    """What wrk found: requests a second, latencies in µs, answers other than 200."""

    rate: float
    p50: float
    p99: float
    failed: int


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=5, help="of load at each number of connections")
    parser.add_argument("--only", action="append", default=[])
    parser.add_argument("--before", type=Path, help="src of another commit's checkout, to take turns with this one")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="perfcast-serving-") as temporary:
        folder = Path(temporary)
        subprocess.run([sys.executable, HERE / "serving_model.py", folder], check=True)
        servers = _servers(folder, options.before)
        chosen = {name: servers[name] for name in options.only or servers}
        found: dict[str, dict[int, list[Finding]]] = {name: {n: [] for n in CONNECTIONS} for name in chosen}
        for _ in range(options.rounds):
            for name, server in chosen.items():
                _measure(name, server, folder, options.seconds, found[name])
    print("\n".join(_table(found)))


def _servers(folder: Path, before: Path | None) -> dict[str, Server]:
    graph = {"MODEL": str(folder / "model.onnx"), "PYTHONPATH": str(BASELINES)}
    state = {"DATA_DIR": str(folder / "var"), "LOG_LEVEL": "WARNING"}
    flat, rows = FLAT % VALUES, ROWS % b",".join(VALUES)
    earlier = state | {"PYTHONPATH": str(before)}
    return {
        "perfcast": Server(perfcast, state, flat, {}),
        **({"perfcast, before": Server(perfcast, earlier, flat, {})} if before else {}),
        "perfcast, keys and limits": Server(
            perfcast, state | {"API_KEY": KEY, "RATE_LIMIT": "100000000/minute"}, flat, {"X-API-Key": KEY}
        ),
        "plain FastAPI": Server(_uvicorn("plain_fastapi:app"), graph, rows, {}),
        "raw ASGI": Server(_uvicorn("raw_asgi:app"), graph, rows, {}),
        "LitServe": Server(_litserve, graph, rows, {}),
    }


def perfcast(port: int) -> list[str]:
    """The command that serves Perfcast."""
    return [sys.executable, "-c", f"import os; os.environ['API_PORT'] = '{port}'; {SERVE}"]


def _uvicorn(app: str) -> Callable[[int], list[str]]:
    uvicorn = [sys.executable, "-m", "uvicorn", app, "--no-access-log", "--log-level", "warning", "--port"]
    return lambda port: [*uvicorn, str(port)]


def _litserve(port: int) -> list[str]:
    return [str(peer_python()), str(BASELINES / "lit_service.py"), str(port)]


def _measure(name: str, server: Server, folder: Path, seconds: int, found: dict[int, list[Finding]]) -> None:
    with running(server) as url:
        script = write_script(server, folder)
        wrk(url, script, 16, 1)
        for connections in CONNECTIONS:
            finding = wrk(url, script, connections, seconds)
            found[connections].append(finding)
            print(f"{name}, {connections}: {finding}", file=sys.stderr, flush=True)
        if name.startswith("perfcast"):
            with urllib.request.urlopen(f"{url}/metrics") as answer:
                if not re.search(rb"\nprediction_records_dropped(_total)? 0\.0", answer.read()):
                    raise SystemExit("prediction records were dropped")


@contextmanager
def running(server: Server) -> Iterator[str]:
    """The server's address while it runs."""
    with started(server) as (url, _):
        yield url


@contextmanager
def started(server: Server, log: int | IO[bytes] = subprocess.DEVNULL) -> Iterator[tuple[str, int]]:
    """The server's address and process while it runs; what it says goes to the log."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    url = f"http://127.0.0.1:{port}"
    process = subprocess.Popen(
        server.command(port),
        env=os.environ | server.environment,
        stdout=subprocess.DEVNULL,
        stderr=log,  # LitServe prints a traceback for each request that its end cuts off
        start_new_session=True,
        cwd=tempfile.gettempdir(),
    )
    try:
        deadline = time.monotonic() + 60
        while not _answers(url, server):
            if process.poll() is not None or time.monotonic() > deadline:
                raise SystemExit(f"{server.command(port)} does not answer")
            time.sleep(0.05)
        yield url, process.pid
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)


def write_script(server: Server, folder: Path) -> Path:
    """What wrk asks."""
    script = folder / "ask.lua"
    headers = {"Content-Type": "application/json", **server.headers}
    lines = [f'wrk.method = "POST"\nwrk.body = [==[{server.body.decode()}]==]']
    lines += [f'wrk.headers["{key}"] = "{value}"' for key, value in headers.items()]
    script.write_text("\n".join(lines) + "\n")
    return script


def _answers(url: str, server: Server) -> bool:
    headers = {"Content-Type": "application/json", **server.headers}
    request = urllib.request.Request(f"{url}/predict", data=server.body, headers=headers)
    try:
        with urllib.request.urlopen(request, timeout=5) as answer:
            return answer.status == 200
    except OSError:
        return False


def wrk(url: str, script: Path, connections: int, seconds: int) -> Finding:
    """Load for some seconds."""
    command = ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--latency", "-s", str(script), f"{url}/predict"]
    text = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    rate = re.search(r"Requests/sec:\s+([\d.]+)", text)
    failed = re.search(r"Non-2xx or 3xx responses: (\d+)", text)
    assert rate is not None, text
    return Finding(float(rate[1]), latency(text, 50), latency(text, 99), int(failed[1]) if failed else 0)


def latency(text: str, percentile: int) -> float:
    """A percentile of wrk's, µs."""
    found = re.search(rf"\s{percentile}%\s+([\d.]+)(us|ms|s)", text)
    assert found is not None, text
    return float(found[1]) * _MICROSECONDS[found[2]]


def _table(found: Mapping[str, Mapping[int, list[Finding]]]) -> Iterator[str]:
    yield "| server | connections | requests/s | of raw ASGI | p50 ms | p99 ms | failed |"
    yield "|---|---|---|---|---|---|---|"
    for connections in CONNECTIONS:
        for name, by_connections in found.items():
            findings = by_connections[connections]
            rate = median(item.rate for item in findings)
            base = found.get("raw ASGI", {}).get(connections)
            ratio = f"{median(a.rate / b.rate for a, b in zip(findings, base, strict=True)):.2f}" if base else "–"
            p50, p99 = (median(getattr(item, at) for item in findings) / 1000 for at in ("p50", "p99"))
            failed = sum(item.failed for item in findings)
            yield f"| {name} | {connections} | {rate:,.0f} | {ratio} | {p50:.2f} | {p99:.2f} | {failed} |"


if __name__ == "__main__":
    main()
