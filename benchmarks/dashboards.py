"""Every query of every dashboard and rule, asked of a real Prometheus that scraped a real Perfcast under load.

    .venv/bin/python benchmarks/dashboards.py --minutes 20 --results FILE --pictures docs/pictures
    .venv/bin/python benchmarks/dashboards.py --folder FOLDER --only-look …   # again, from a run that FOLDER has kept

Starts `perfcast up` (server and worker) in a new DATA_DIR and Prometheus beside it with the shipped rules, makes the
traffic of `watching/` (single predictions, batches, bad requests, refused keys, overload, feedback, trainings, an A/B
split, a shadow, drift), then asks every query over the whole run and lists what came. With `--pictures` it draws the
contact sheet. Both servers are on loopback and end with the run; 1 where a query had no data.
"""

import argparse
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from deploy.dashboards.sheet import Prometheus, Span, draw
from tests.services import free_port
from watching import KEYS, Traffic, listing

ROOT = Path(__file__).parents[1]
SCRAPE_SECONDS = 3
_PATIENCE_SECONDS = 400
_BOARDS = ROOT / "deploy/grafana/dashboards"
_SETTINGS = {
    "API_KEY": KEYS.setting,
    "RATE_LIMIT": "1200/minute",
    "MAX_HEAVY_CONCURRENCY": "1",
    "LOG_LEVEL": "WARNING",
    "PREDICTION_LOG_SECONDS": "1",
}


def main() -> int:
    """Run, look, tell."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=20, help="of load (20)")
    parser.add_argument("--folder", type=Path, help="where the run is kept; a temporary one by default")
    parser.add_argument("--only-look", action="store_true", help="no load: look at what FOLDER has kept")
    parser.add_argument("--results", type=Path, help="file for the list; standard output by default")
    parser.add_argument("--pictures", type=Path, help="folder for the contact sheet; none by default")
    asked = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that what was started is ended
    with tempfile.TemporaryDirectory(prefix="perfcast-dashboards-") as temporary:
        folder = (asked.folder or Path(temporary)).absolute()
        folder.mkdir(parents=True, exist_ok=True)
        if not asked.only_look:
            _run(folder, asked.minutes)
        return _look(folder, asked.results, asked.pictures)


def _run(folder: Path, minutes: float) -> None:
    """Load a server for so many minutes, and note when that was."""
    port = free_port()
    with ExitStack() as stack:
        stack.enter_context(
            _started("perfcast", _perfcast(), folder, f"http://127.0.0.1:{port}/readyz", _environment(folder, port))
        )
        _say("the starter models are there")
        stack.enter_context(_prometheus(folder, f"127.0.0.1:{port}"))
        _few_rows(folder, _environment(folder, port))
        begun = time.time()
        Traffic(f"http://127.0.0.1:{port}", 60 * minutes, _say).run()
        (folder / "span.json").write_text(json.dumps({"start": begun, "end": begun + 60 * minutes - 5}))


def _few_rows(folder: Path, environment: dict[str, str]) -> None:
    """A dataset that nobody can learn from, for a job that fails."""
    head = "request_rate,active_users,db_connections,timestamp,cpu_utilization"
    rows = [f"{20 * n},{8 * n},{n},2026-03-02T14:{n:02d}:00Z,{3 * n}" for n in range(1, 9)]
    (folder / "few.csv").write_text("\n".join([head, *rows]))
    command = [*_perfcast()[:-1], "data", "import", "few.csv", "--workload", "cpu-utilization", "--name", "too-few"]
    subprocess.run(command, check=True, env=environment, cwd=folder, stdout=subprocess.DEVNULL)


def _look(folder: Path, results: Path | None, pictures: Path | None) -> int:
    """Ask every query over the kept run; draw."""
    kept = json.loads((folder / "span.json").read_text())
    minutes = (kept["end"] - kept["start"]) / 60
    span = Span.of(kept["end"], minutes, SCRAPE_SECONDS)
    with _prometheus(folder, "127.0.0.1:1", rules=False) as url:
        prometheus = Prometheus(url)
        text, silent = listing(prometheus, span)
        if pictures is not None:
            for path in sorted(_BOARDS.glob("*.json")):
                draw(json.loads(path.read_text()), prometheus, span, pictures / f"dashboards-{path.stem}.png")
                _say(f"drew {path.stem}")
    (results.write_text if results is not None else print)(text)
    return int(bool(silent))


def _perfcast() -> list[str]:
    return [sys.executable, "-c", "from perfcast.cli import main; main()", "up", "--no-ui"]


def _environment(folder: Path, port: int) -> dict[str, str]:
    path = os.pathsep.join([str(ROOT / "src"), os.environ.get("PYTHONPATH", "")])
    return os.environ | _SETTINGS | {"DATA_DIR": str(folder / "var"), "API_PORT": str(port), "PYTHONPATH": path}


@contextmanager
def _prometheus(folder: Path, target: str, *, rules: bool = True) -> Iterator[str]:
    """Prometheus with the shipped rules, quicker than usual; gives its address."""
    port = free_port()
    (folder / "targets.yml").write_text(json.dumps([{"targets": [target]}]))
    scraped = [{"job_name": "perfcast", "file_sd_configs": [{"files": [str(folder / "targets.yml")]}]}]
    config = {
        "global": {"scrape_interval": f"{SCRAPE_SECONDS}s", "evaluation_interval": f"{SCRAPE_SECONDS}s"},
        "rule_files": [str(ROOT / "deploy/prometheus/rules/*.yml")] if rules else [],
        "scrape_configs": scraped if rules else [],
    }
    (folder / "prometheus.yml").write_text(json.dumps(config))
    options = [f"--config.file={folder / 'prometheus.yml'}", f"--storage.tsdb.path={folder / 'tsdb'}"]
    command = ["prometheus", *options, f"--web.listen-address=127.0.0.1:{port}", "--log.level=warn"]
    with _started("prometheus", command, folder, f"http://127.0.0.1:{port}/-/ready", dict(os.environ)):
        yield f"http://127.0.0.1:{port}"


@contextmanager
def _started(name: str, command: list[str], folder: Path, ready: str, environment: dict[str, str]) -> Iterator[None]:
    """A server of ours, ended at the end."""
    with (folder / f"{name}.log").open("ab") as log:
        server = subprocess.Popen(command, env=environment, stdout=log, stderr=log, cwd=folder)
        try:
            _await(server, ready, folder / f"{name}.log")
            yield
        finally:
            server.send_signal(signal.SIGTERM)
            try:
                server.wait(60)
            except subprocess.TimeoutExpired:
                server.kill()


def _await(server: subprocess.Popen[bytes], url: str, log: Path) -> None:
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while True:
        try:
            urllib.request.urlopen(url, timeout=5).close()
        except (OSError, urllib.error.HTTPError):
            if server.poll() is not None or time.monotonic() > deadline:
                raise SystemExit(f"{url} did not come up:\n{log.read_text()[-2000:]}") from None
            time.sleep(0.5)
        else:
            return


def _say(what: str) -> None:
    print(f"{time.strftime('%H:%M:%S')} {what}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
