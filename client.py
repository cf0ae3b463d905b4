"""Shows what a Perfcast server does, through its client: `python client.py [URL] [--train]`."""

import argparse
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from perfcast_client import Client, NotFound, NotReady, PerfcastClientError
from perfcast_client.answers import Prediction

LOAD = {"request_rate": 120, "active_users": 60, "db_connections": 25, "timestamp": "2026-03-02T14:05:00Z"}
CONVOLUTION = {
    "batch_size": 32,
    "input_channels": 3,
    "input_height": 224,
    "input_width": 224,
    "output_channels": 64,
    "kernel_size": 3,
    "stride": 1,
}
RATES = [40, 80, 120, 160, 200, 240]
EXAMPLES = """Examples:
  python client.py                              the server at PERFCAST_URL, else http://localhost:8000
  python client.py http://10.0.0.7:8000         another one
  PERFCAST_API_KEY=secret python client.py      one that asks for a key
  python client.py --train                      trains a small model too, without asking before
"""


def main() -> int:
    """Show it all; 1 where nobody answers or the server refuses."""
    chosen = options()
    try:
        with Client(chosen.url) as client:
            service(client)
            models(client)
            predictions(client)
            batch(client)
            if chosen.train or wanted():
                training(client)
    except (PerfcastClientError, ValueError) as error:
        print(f"client.py: {error}", file=sys.stderr)
        return 1
    return 0


def options() -> argparse.Namespace:
    """What the command line says."""
    parser = argparse.ArgumentParser(
        description=__doc__, epilog=EXAMPLES, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("url", nargs="?", help="the server's address")
    parser.add_argument(
        "--train", action="store_true", help="train a small model; asked for on a terminal if not given"
    )
    return parser.parse_args()


@contextmanager
def section(title: str) -> Iterator[None]:
    """A part of the show; where no model answers, that is told and the next part goes on."""
    print(f"\n{title}")
    try:
        yield
    except (NotFound, NotReady) as error:
        print(f"  not here: {error.detail}")


def service(client: Client) -> None:
    """How it is."""
    with section("The service"):
        about, health = client.about(), client.health()
        print(f"  {about.service} {about.version} at {client.url}: {health.status}, up {health.uptime_seconds:,.0f} s")
        for name, dependency in health.dependencies.items():
            took = "" if dependency.latency_ms is None else f" ({dependency.latency_ms:.1f} ms)"
            print(f"  {name}: {dependency.status}{took}")


def models(client: Client) -> None:
    """What it has."""
    with section("Its models"):
        for name, model in client.models.list().models.items():
            error = f", mean error {model.metrics.mae:.3g}" if model.metrics else ""
            print(f"  {name}: version {model.champion or '-'} of {len(model.versions)}, {model.type}{error}")


def predictions(client: Client) -> None:
    """One of each built-in workload."""
    with section("The CPU utilisation of a service with 120 requests/s, 60 users and 25 connections"):
        show(client.predict(LOAD), "%")
    with section("The execution time of a convolution: 32 images, 3 → 64 channels, 3 × 3"):
        show(client.predict(CONVOLUTION), "ms")


def show(found: Prediction, unit: str) -> None:
    """A prediction in two lines."""
    interval = ""
    if found.lower is not None and found.upper is not None:
        interval = f", in {found.coverage:.0%} of such cases from {found.lower:.1f} to {found.upper:.1f} {unit}"
    print(f"  {found.cost:.1f} {unit}{interval}")
    beyond = f"; beyond what it was trained on: {', '.join(found.extrapolated)}" if found.extrapolated else ""
    print(f"  by {found.model_name}:{found.model_version} ({found.model_type}){beyond}")


def batch(client: Client) -> None:
    """A column varied, the others as they are."""
    with section("The same service at other request rates, in one call"):
        rows = client.predict_batch([{**LOAD, "request_rate": rate} for rate in RATES])
        for rate, cost in zip(RATES, rows.cost, strict=True):
            print(f"  {rate:>4} requests/s {cost:6.1f} % {'█' * round(cost / 2)}")


def wanted() -> bool:
    """Whether somebody is there who wants a model to be trained."""
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        print("\nTo train a small model too: python client.py --train")
        return False
    return input("\nTrain a small model, which no caller is given? It takes about ten seconds. [y/N] ").lower() == "y"


def training(client: Client) -> None:
    """A small job, watched; its version becomes no champion."""
    with section("A training job"):
        job = client.train(n_trials=4, families=["polynomial"], promote="never", timeout_seconds=60)
        print(f"  {job.id} is {job.state.status}; it needs a worker, which `perfcast up` has")
        for state in job.watch(timeout=300):
            best = "" if state.best_score is None else f", best error so far {state.best_score:.3g}"
            stage = f" ({state.stage})" if state.stage else ""
            print(f"  {state.status}{stage}: trial {state.trial}/{state.n_trials}{best}")
        made = (
            f"version {job.state.model_version} of {job.state.model_name}" if job.state.succeeded else job.state.error
        )
        print(f"  {job.state.status}: {made}")


if __name__ == "__main__":
    sys.exit(main())
