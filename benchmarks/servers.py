"""Perfcast's whole application under different servers, and with one process against two.

    .venv/bin/python benchmarks/servers.py [--rounds 3] [--seconds 2] [--folder FOLDER] > FILE

Every server has the same application, model, body and `/predict`; wrk asks with one thread at 1 and at 16 connections.
All are started first and take turns in each round; figures are medians, ratios are taken within each round. Beside the
requests a second stands the processor time that the server's processes took for each, which a busy machine changes
less. granian is installed into benchmarks/.peers/granian, and only its process sees that folder.
"""

import argparse
import os
import re
import subprocess
import sys
import tempfile
import urllib.request
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from pathlib import Path
from statistics import median

import serving_model
from serving import BASELINES, CONNECTIONS, FLAT, HERE, VALUES, Finding, Server, perfcast, started, write_script, wrk

_GRANIAN = HERE / ".peers" / "granian"
_PLAIN = (
    "import perfcast.api.server._process as process; "
    "from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol; "
    "process.direct_protocol = lambda at_once: HttpToolsProtocol; "
)
OURS = "uvicorn, DirectProtocol (shipped)"


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=int, default=2, help="of load at each number of connections")
    parser.add_argument("--folder", type=Path, help="of serving_model.py, where it has been made before")
    options = parser.parse_args()
    _install_granian()
    with tempfile.TemporaryDirectory(prefix="perfcast-servers-") as temporary, ExitStack() as stack:
        folder = options.folder or Path(temporary)
        if options.folder is None:
            serving_model.make(folder)
        servers = _servers(folder)
        running = {name: stack.enter_context(started(server)) for name, server in servers.items()}
        found = {n: {name: list[tuple[Finding, float]]() for name in servers} for n in CONNECTIONS}
        script = write_script(servers[OURS], Path(temporary))
        for url, _ in running.values():
            wrk(url, script, 16, 1)
        for _ in range(options.rounds):
            for name, (url, pid) in running.items():
                for connections in CONNECTIONS:
                    before = processor_seconds(pid)
                    finding = wrk(url, script, connections, options.seconds)
                    spent = processor_seconds(pid) - before
                    found[connections][name].append((finding, spent * 1e6 / (finding.rate * options.seconds)))
                    print(f"{name}, {connections}: {found[connections][name][-1]}", file=sys.stderr, flush=True)
        for url, _ in running.values():
            with urllib.request.urlopen(f"{url}/metrics") as answer:
                if not re.search(rb"\nprediction_records_dropped(_total)? 0\.0", answer.read()):
                    raise SystemExit("prediction records were dropped")
    print("\n".join(_table(found)))


def _install_granian() -> None:
    """Put the version that `requirements.txt` names where only granian's process looks."""
    (wanted,) = (line for line in (HERE / "requirements.txt").read_text().split() if line.startswith("granian=="))
    if not list(_GRANIAN.glob(f"{wanted.replace('==', '-')}.dist-info")):
        uv = Path(sys.executable).parent / "uv"
        command = [uv, "pip", "install", "-q", "--python", sys.executable, "--target", _GRANIAN, wanted]
        subprocess.run(command, check=True)


def _servers(folder: Path) -> dict[str, Server]:
    state = {"DATA_DIR": str(folder / "var"), "LOG_LEVEL": "WARNING"}
    body = FLAT % VALUES
    path = {"PYTHONPATH": os.pathsep.join([str(_GRANIAN), str(BASELINES)])}
    return {
        OURS: Server(perfcast, state, body, {}),
        "uvicorn, its httptools protocol": Server(_plain, state, body, {}),
        "granian, one runtime thread": Server(_granian("st"), state | path, body, {}),
        "granian, runtime of several threads": Server(_granian("mt"), state | path, body, {}),
        "uvicorn, DirectProtocol, API_PROCESSES=2": Server(perfcast, state | {"API_PROCESSES": "2"}, body, {}),
    }


def _plain(port: int) -> list[str]:
    *python, code = perfcast(port)
    return [*python, _PLAIN + code]


def _granian(mode: str) -> Callable[[int], list[str]]:
    command = [sys.executable, "-m", "granian", "perfcast_asgi:app", "--interface", "asgi", "--workers", "1"]
    command += ["--loop", "uvloop", "--runtime-mode", mode, "--http", "1", "--no-ws", "--backlog", "2048"]
    return lambda port: [*command, "--no-access-log", "--log-level", "warning", "--port", str(port)]


def tree(pid: int) -> list[int]:
    """A process and all that it began."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [pid, *(each for child in children for each in tree(int(child)))]


def processor_seconds(pid: int) -> float:
    """Processor time that a process and all it began have taken."""
    fields = [Path(f"/proc/{each}/stat").read_text().rpartition(") ")[2].split() for each in tree(pid)]
    return sum(int(each[11]) + int(each[12]) for each in fields) / os.sysconf("SC_CLK_TCK")


def _table(found: Mapping[int, Mapping[str, list[tuple[Finding, float]]]]) -> list[str]:
    lines = ["| server | connections | requests/s | of the shipped | p50 ms | p99 ms | CPU µs a request | failed |"]
    lines.append("|---|---|---|---|---|---|---|---|")
    for connections, by_server in found.items():
        for name, findings in by_server.items():
            rate, cpu = median(each.rate for each, _ in findings), median(spent for _, spent in findings)
            pairs = zip(findings, by_server[OURS], strict=True)
            ratio = median(each.rate / ours.rate for (each, _), (ours, _) in pairs)
            p50, p99 = (median(getattr(each, at) for each, _ in findings) / 1000 for at in ("p50", "p99"))
            failed = sum(each.failed for each, _ in findings)
            lines.append(
                f"| {name} | {connections} | {rate:,.0f} | {ratio:.2f} | {p50:.2f} | {p99:.2f} | {cpu:.0f} | {failed} |"
            )
    return lines


if __name__ == "__main__":
    main()
