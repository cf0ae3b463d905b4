"""What callers see of a server that is asked too much, and of one whose processes are killed.

    .venv/bin/python benchmarks/overload.py load|kill|nginx [--seconds 3] [--folder FOLDER]

`load`: one process, asked at 16, 256 and 2,000 connections: by wrk with plain predictions, which are answered while
their bytes are parsed; by wrk with a `timestamp` among the features; and by callers who send the second half of a body
200 ms after the first, so that requests are held and MAX_CONCURRENCY matters. Meanwhile `GET /health` is timed.
`kill`: API_PROCESSES=2 and wrk at 16 connections; every 4 s the older process gets SIGKILL. `nginx`: the same behind
the shipped nginx configuration. 2,000 connections take `ulimit -n` 5000.
"""

import argparse
import asyncio
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from itertools import pairwise
from pathlib import Path
from statistics import median, quantiles
from typing import IO

import serving_model
from serving import FLAT, HERE, VALUES, Server, latency, perfcast, started, write_script

MANY = (16, 256, 2000)
BODY = FLAT % VALUES
STAMPED = b'{"request_rate": 120, "active_users": 60, "db_connections": 25, "timestamp": "2026-01-05T10:30:00Z"}'
COUNT = 'ml_predictions_total{model_name="cpu-utilization",status="success"} '
PAUSE_SECONDS = 0.2
KILL_EVERY_SECONDS = 4.0


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["load", "kill", "nginx"])
    parser.add_argument("--seconds", type=int, default=3, help="of load at each number of connections")
    parser.add_argument("--kills", type=int, default=4)
    parser.add_argument("--folder", type=Path, help="of serving_model.py, where it has been made before")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="perfcast-overload-") as temporary:
        folder = Path(temporary)
        model = options.folder or folder
        if options.folder is None:
            serving_model.make(model)
        state = {"DATA_DIR": str(model / "var"), "LOG_LEVEL": "INFO"}
        with (folder / "log").open("wb") as log:
            if options.what == "load":
                lines = under_load(Server(perfcast, state, BODY, {}), folder, log, options.seconds)
            else:
                server = Server(perfcast, state | {"API_PROCESSES": "2"}, BODY, {})
                lines = killing(server, folder, log, options.kills, nginx=options.what == "nginx")
            print("\n".join(lines))


def under_load(server: Server, folder: Path, log: IO[bytes], seconds: int) -> Iterator[str]:
    """The table of `load`."""
    yield "| asked | connections | answers/s | p50 ms | p99 ms | 200 | 503 | other | /health ms median, worst | MB |"
    yield "|---|---|---|---|---|---|---|---|---|---|"
    with started(server, log) as (url, pid):
        yield f"| (before) | – | – | – | – | – | – | – | – | {resident(pid):.0f} |"
        for name, body in (("plain", BODY), ("with `timestamp`", STAMPED)):
            script = write_script(Server(perfcast, {}, body, {}), folder)
            for connections in MANY:
                with beside(lambda: ask(f"{url}/health")) as took:
                    text = load(url, script, connections, seconds).communicate()[0]
                asked, failed = numbers(text)
                times = f"{latency(text, 50) / 1000:.1f} | {latency(text, 99) / 1000:.1f}"
                counts = f"{asked - failed['status']:,} | {failed['status']} | {failed['socket']}"
                yield _row(name, connections, asked / seconds, times, counts, took, pid)
        for connections in MANY:
            with beside(lambda: ask(f"{url}/health")) as took:
                statuses, waits = asyncio.run(in_pieces(url, connections, seconds))
            cuts = quantiles(waits, n=100)
            counts = f"{statuses[200]:,} | {statuses[503]:,} | {statuses.total() - statuses[200] - statuses[503]}"
            times = f"{cuts[49] * 1000:.1f} | {cuts[98] * 1000:.1f}"
            yield _row("body in two pieces", connections, statuses.total() / seconds, times, counts, took, pid)


def _row(name: str, connections: int, rate: float, times: str, counts: str, took: list[float], pid: int) -> str:
    health = f"{median(took) * 1000:.1f}, {max(took) * 1000:.0f}"
    return f"| {name} | {connections:,} | {rate:,.0f} | {times} | {counts} | {health} | {resident(pid):.0f} |"


def killing(server: Server, folder: Path, log: IO[bytes], kills: int, *, nginx: bool) -> Iterator[str]:
    """The table of `kill` and of `nginx`."""
    with started(server, log) as (own, pid), front(own, folder, nginx=nginx) as url:
        wait(lambda: events(folder, "ready") == 2)
        script = write_script(server, folder)
        wrk = load(url, script, 16, int((kills + 1) * KILL_EVERY_SECONDS))
        took = []
        with watched(own) as counts:
            for number in range(kills):
                time.sleep(KILL_EVERY_SECONDS)
                os.kill(children(pid)[0], signal.SIGKILL)
                begun = time.monotonic()
                wait(lambda ready=number + 3: events(folder, "ready") == ready)
                took.append(time.monotonic() - begun)
            text = wrk.communicate()[0]
        asked, failed = numbers(text)
        fell = sum(later < earlier for earlier, later in pairwise(counts))
        yield "| what | figure |"
        yield "|---|---|"
        yield f"| processes killed | {kills} |"
        yield f"| requests answered | {asked:,} |"
        yield f"| … not 2xx | {failed['status']} |"
        yield f"| socket errors | {failed['socket']} |"
        yield f"| p50, p99 ms | {latency(text, 50) / 1000:.2f}, {latency(text, 99) / 1000:.2f} |"
        yield f"| seconds until two serve again, median and worst | {median(took):.2f}, {max(took):.2f} |"
        yield f"| times that the count of predictions fell, of {len(counts)} looks | {fell} |"
        yield f"| last count of predictions seen | {counts[-1]:,.0f} |"


@contextmanager
def front(url: str, folder: Path, *, nginx: bool) -> Iterator[str]:
    """The address to ask: nginx's with both its servers being this one, or the server's own."""
    if not nginx:
        yield url
        return
    sys.path.insert(0, str(HERE.parent))
    from tests.services import NginxServer

    port = int(url.rpartition(":")[2])
    (folder / "nginx").mkdir()
    server = NginxServer(folder / "nginx", (port, port))
    server.start()
    try:
        yield server.url
    finally:
        server.stop()


def load(url: str, script: Path, connections: int, seconds: int) -> subprocess.Popen[str]:
    """Begin to ask."""
    command = ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--latency", "--timeout", "10s", "-s", str(script)]
    return subprocess.Popen([*command, f"{url}/predict"], stdout=subprocess.PIPE, text=True)


def numbers(text: str) -> tuple[int, Counter[str]]:
    """Answers that wrk got; and those that were not 2xx, and its socket errors."""
    asked = re.search(r"(\d+) requests in", text)
    assert asked is not None, text
    failed = Counter[str]()
    if found := re.search(r"Non-2xx or 3xx responses: (\d+)", text):
        failed["status"] = int(found[1])
    if found := re.search(r"Socket errors: connect (\d+), read (\d+), write (\d+), timeout (\d+)", text):
        failed["socket"] = sum(map(int, found.groups()))
    return int(asked[1]), failed


async def in_pieces(url: str, connections: int, seconds: float) -> tuple[Counter[int], list[float]]:
    """Statuses (0: the connection broke) and waits, from the last byte sent, of callers whose bodies come in halves."""
    statuses, waits = Counter[int](), list[float]()
    until = time.monotonic() + seconds
    port = int(url.rpartition(":")[2])
    head = b"POST /predict HTTP/1.1\r\nHost: perfcast\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"
    first, second = head % len(BODY) + BODY[:100], BODY[100:]

    async def caller() -> None:
        writer = None
        while time.monotonic() < until:
            try:
                if writer is None:
                    reader, writer = await asyncio.open_connection("127.0.0.1", port)
                writer.write(first)
                await asyncio.sleep(PAUSE_SECONDS)
                writer.write(second)
                sent = time.monotonic()
                answer = (await reader.readuntil(b"\r\n\r\n")).lower()
                length = re.search(rb"content-length: (\d+)", answer)
                assert length is not None, answer
                await reader.readexactly(int(length[1]))
                statuses[int(answer.split()[1])] += 1
                waits.append(time.monotonic() - sent)
                if b"connection: close" in answer:
                    writer.close()
                    writer = None
            except (OSError, EOFError):
                statuses[0] += 1
                if writer is not None:
                    writer.close()
                writer = None
        if writer is not None:
            writer.close()

    await asyncio.gather(*(caller() for _ in range(connections)))
    return statuses, waits


@contextmanager
def beside(call: Callable[[], object]) -> Iterator[list[float]]:
    """Make a call about ten times a second meanwhile; gives the seconds each took."""
    took, ended = list[float](), threading.Event()

    def repeat() -> None:
        while not ended.wait(0.1):
            begun = time.monotonic()
            with suppress(OSError):  # of a process that is killed just now
                call()
                took.append(time.monotonic() - begun)

    thread = threading.Thread(target=repeat)
    thread.start()
    try:
        yield took
    finally:
        ended.set()
        thread.join()


@contextmanager
def watched(url: str) -> Iterator[list[float]]:
    """The counts of predictions as `/metrics` shows them meanwhile."""
    counts = list[float]()
    with beside(lambda: counts.append(predictions(url))):
        yield counts


def predictions(url: str) -> float:
    """What one of the processes, whichever answers, says that all have predicted."""
    lines = ask(f"{url}/metrics").decode().splitlines()
    return next((float(line.removeprefix(COUNT)) for line in lines if line.startswith(COUNT)), 0.0)


def ask(url: str) -> bytes:
    """The answer to a GET on a connection of its own."""
    with urllib.request.urlopen(url, timeout=10) as answer:
        found: bytes = answer.read()
    return found


def children(pid: int) -> list[int]:
    """The processes that a process began, the oldest first."""
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def events(folder: Path, name: str) -> int:
    """How often the server's log tells something."""
    whole = [line for line in (folder / "log").read_text().splitlines(keepends=True) if line.endswith("\n")]
    return sum(json.loads(line)["event"] == name for line in whole)


def wait(condition: Callable[[], object]) -> None:
    """Return once it holds."""
    deadline = time.monotonic() + 30
    while not condition():
        if time.monotonic() > deadline:
            raise SystemExit("waited 30 s in vain")
        time.sleep(0.02)


def resident(pid: int) -> float:
    """Memory of a process, MB."""
    found = re.search(r"VmRSS:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text())
    assert found is not None
    return int(found[1]) / 1024


if __name__ == "__main__":
    main()
