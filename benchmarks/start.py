"""Seconds from a fresh clone to the first answer, and of a second start.

    .venv/bin/python benchmarks/start.py [--clone URL_OR_PATH]

Clones into a temporary folder, runs `make run` there on a free port, asks once, stops it, and starts it again. Package
downloads count, so run it twice where the package cache is to be warm.
"""

import argparse
import os
import signal
import socket
import subprocess
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path

ASK = (
    b'{"request_rate": 120, "active_users": 60, "db_connections": 25, "hour_sin": 0.5, "hour_cos": 0.866, '
    b'"minute_sin": 0.2588, "minute_cos": 0.9659, "is_business_hour": 1}'
)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--clone", default=str(Path(__file__).parent.parent), help="what to clone")
    source = parser.parse_args().clone
    with tempfile.TemporaryDirectory() as name:
        clone = Path(name) / "perfcast"
        subprocess.run(["git", "clone", "-q", source, clone], check=True)
        print("| start | seconds to the first answer |\n|---|---|")
        print(f"| first, from a fresh clone (`make run`: install, train, serve) | {_start(clone):.1f} |", flush=True)
        print(f"| second (`make run`) | {_start(clone):.1f} |", flush=True)


def _start(clone: Path) -> float:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    environment = os.environ | {"API_PORT": str(port)}
    begun = time.monotonic()
    process = subprocess.Popen(
        ["make", "run"], cwd=clone, env=environment, start_new_session=True, stderr=subprocess.DEVNULL
    )
    try:
        while not _answers(port):
            if process.poll() is not None:
                raise SystemExit(f"make run ended with {process.returncode}")
            time.sleep(0.05)
        return time.monotonic() - begun
    finally:
        os.killpg(process.pid, signal.SIGINT)
        process.wait(30)


def _answers(port: int) -> bool:
    request = urllib.request.Request(f"http://127.0.0.1:{port}/predict", data=ASK, method="POST")
    try:
        with urllib.request.urlopen(request, timeout=2) as answer:
            return answer.status == 200
    except (urllib.error.URLError, OSError):
        return False


if __name__ == "__main__":
    main()
