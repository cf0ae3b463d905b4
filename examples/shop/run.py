"""Runs the shop: service, visitors and the Prometheus that watches them; ends all of them at the end or at Ctrl-C.

    python examples/shop/run.py --minutes 80 --day-minutes 20 --out recording

What is left in the folder: `prometheus/` (its data), `raw.json.gz` (every sample of the shop), `run.json` (where
everything listened, and when what happened), `shop.yaml` (for `perfcast collect`) and the logs. Everything is on
loopback, on free ports.
"""

import argparse
import gzip
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from urllib.parse import urlencode
from urllib.request import Request, urlopen

HERE = Path(__file__).parent
PATIENCE_SECONDS = 60


@dataclass
class Shop:
    """A running shop.

    Attributes:
        url: Of the service.
        prometheus: Address of the Prometheus that scrapes it.
        opened: When its first day began, Unix time.
        cores: Processor time allotted to the service.
        day_minutes: How long its day takes.
        scrape_seconds: How often Prometheus looks.
        minutes: How long it is to run.
        deploys: When what demand was brought in.
        load: Load averages of the machine, with their times.
    """

    url: str
    prometheus: str
    opened: float
    cores: float
    day_minutes: float
    scrape_seconds: float
    minutes: float = 0.0
    deploys: list[tuple[float, float]] = field(default_factory=list)
    load: list[tuple[float, float]] = field(default_factory=list)

    def deploy(self, demand: float) -> None:
        """Bring in a version that multiplies each request's work."""
        request = Request(
            f"{self.url}/deploy", json.dumps({"demand": demand}).encode(), {"Content-Type": "application/json"}
        )
        with urlopen(request, timeout=10):
            self.deploys.append((time.time(), demand))


def main() -> None:
    """Run the shop for so many minutes."""
    told = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    told.add_argument("--minutes", type=float, default=80)
    told.add_argument("--day-minutes", type=float, default=20, help="how long the shop's day takes")
    told.add_argument("--scrape-seconds", type=float, default=5, help="how often Prometheus looks")
    told.add_argument("--cores", type=float, default=0.3, help="processor time allotted to the service")
    told.add_argument("--demand", type=float, default=1.5, help="what the deploy multiplies each request's work by")
    told.add_argument("--deploy-at", type=float, default=0.6, help="when, as a share of the time; 1 for never")
    told.add_argument("--seed", type=int, default=1)
    told.add_argument("--out", type=Path, required=True, help="folder for what is recorded")
    chosen = told.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    options = {name: getattr(chosen, name) for name in ("cores", "day_minutes", "scrape_seconds", "seed")}
    with shop(chosen.out, **options) as running:
        print(f"shop {running.url}   Prometheus {running.prometheus}   {chosen.minutes:g} minutes", flush=True)
        running.minutes = chosen.minutes
        try:
            _watch(running, chosen.out, chosen.deploy_at, chosen.demand)
        finally:
            keep_raw(running.prometheus, chosen.out / "raw.json.gz")


@contextmanager
def shop(folder: Path, *, cores: float, day_minutes: float, scrape_seconds: float, seed: int) -> Iterator[Shop]:
    """A shop with visitors and Prometheus, until the context is left.

    Args:
        folder: For data and logs.
        cores: Processor time allotted to the service.
        day_minutes: How long its day takes.
        scrape_seconds: How often Prometheus looks.
        seed: Of the visitors.
    """
    folder = folder.resolve()
    folder.mkdir(parents=True, exist_ok=True)
    port, opened = free_port(), time.time()
    url = f"http://127.0.0.1:{port}"
    environment = {
        "SHOP_DATABASE_URL": os.environ.get("SHOP_DATABASE_URL", f"sqlite:///{folder / 'shop.db'}"),
        "SHOP_CORES": str(cores),
        "SHOP_DAY_MINUTES": str(day_minutes),
        "SHOP_OPENED": str(opened),
    }
    serve = ["-m", "uvicorn", "--factory", "service:create_app", "--port", str(port), "--no-access-log"]
    visit = ["visitors.py", url, "--day-minutes", str(day_minutes), "--opened", str(opened), "--seed", str(seed)]
    with ExitStack() as running:
        served = running.enter_context(process([sys.executable, *serve], folder / "service.log", environment))
        wait_for(f"{url}/metrics", served)
        (folder / "targets.json").write_text(json.dumps([{"targets": [f"127.0.0.1:{port}"]}]))
        scraping = (HERE / "prometheus.yml").read_text().replace("5s", f"{1000 * scrape_seconds:.0f}ms")
        (folder / "prometheus.yml").write_text(scraping)
        prometheus = running.enter_context(prometheus_on(folder))
        collection = (HERE / "shop.yaml").read_text().replace("http://127.0.0.1:9090", prometheus)
        (folder / "shop.yaml").write_text(collection)
        running.enter_context(process([sys.executable, *visit], folder / "visitors.log"))
        yield Shop(url, prometheus, opened, cores, day_minutes, scrape_seconds)


@contextmanager
def prometheus_on(folder: Path) -> Iterator[str]:
    """A Prometheus on a folder with its configuration and data (or with data that was recorded); gives its address."""
    program = shutil.which("prometheus")
    if program is None:
        raise SystemExit("the shop needs Prometheus: apt-get install prometheus")
    configuration = folder / "prometheus.yml"
    port = free_port()
    options = [
        f"--config.file={configuration}",
        f"--storage.tsdb.path={folder / 'prometheus'}",
        "--storage.tsdb.retention.time=10y",
        f"--web.listen-address=127.0.0.1:{port}",
    ]
    with process([program, *options], folder / "prometheus.log") as started:
        wait_for(f"http://127.0.0.1:{port}/-/ready", started)
        yield f"http://127.0.0.1:{port}"


@contextmanager
def process(
    command: Sequence[str], log: Path, environment: dict[str, str] | None = None
) -> Iterator[subprocess.Popen[bytes]]:
    """A process of the shop, a little nicer than others; ended with the context."""
    with log.open("ab") as file:
        started = subprocess.Popen(
            ["nice", "-n", "5", *command], cwd=HERE, env=os.environ | (environment or {}), stdout=file, stderr=file
        )
    try:
        yield started
    finally:
        started.terminate()
        try:
            started.wait(PATIENCE_SECONDS)
        except subprocess.TimeoutExpired:
            started.kill()
            started.wait()


def wait_for(url: str, process: subprocess.Popen[bytes]) -> None:
    """Return once the process answers."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not is_there(url):
        if process.poll() is not None or time.monotonic() > deadline:
            raise SystemExit(f"{url} does not answer; see the logs")
        time.sleep(0.1)


def is_there(url: str) -> bool:
    """Whether somebody answers."""
    try:
        with urlopen(url, timeout=5):
            return True
    except OSError:
        return False


def keep_raw(prometheus: str, path: Path) -> None:
    """Write every sample of the shop's series."""
    body = urlencode({"query": '{job="shop"}[1y]'}).encode()
    with urlopen(f"{prometheus}/api/v1/query", body, timeout=60) as answer, gzip.open(path, "wt") as file:
        json.dump(json.load(answer)["data"]["result"], file)


def free_port() -> int:
    """A port on loopback that nobody listens on just now."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


def _watch(running: Shop, folder: Path, deploy_at: float, demand: float) -> None:
    """Note the machine's load each minute, bring in the deploy when it is time."""
    begun, seconds = time.time(), 60 * running.minutes
    end, deploy = begun + seconds, begun + seconds * deploy_at
    while (now := time.time()) < end:
        running.load.append((now, os.getloadavg()[0]))
        if now >= deploy and not running.deploys:
            running.deploy(demand)
            print(f"deployed: demand {demand:g}", flush=True)
        (folder / "run.json.new").write_text(json.dumps(asdict(running), indent=1))
        (folder / "run.json.new").replace(folder / "run.json")
        coming = min(end, now + 15) if running.deploys else min(end, now + 15, deploy)
        time.sleep(max(0.05, coming - time.time()))


if __name__ == "__main__":
    main()
