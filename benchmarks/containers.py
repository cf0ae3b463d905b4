"""What callers notice of the containers: with more replicas, and while they are killed one after another.

    tests/stack/run benchmarks/containers.py replicas      # wrk through nginx with 1, 2 and 3 replicas, taking turns
    tests/stack/run benchmarks/containers.py kills         # one kill of each: api, worker, redis, postgres, nginx
    tests/stack/run benchmarks/containers.py kills --minutes 60 --every 300    # the soak

`tests/stack/run` builds the images, starts the stack on ports of its own, and takes it down afterwards.
In `kills` a few callers ask for predictions all the time, tell the actuals of some, and submit a training job before
each kill. The first process of a container gets SIGKILL from outside, so its restart policy is what brings it back. At
the end: failed requests, seconds until all is healthy again, how jobs ended, predictions answered and recorded, memory.
"""

import argparse
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from statistics import median

import httpx2
import psutil
from tests.stack.engine import (
    API,
    BODY,
    COMPOSE,
    ROOT,
    containers,
    first_process,
    ready_inside,
    remove,
    wait_for_replicas,
)

VICTIMS = ("ml-api", "worker", "redis", "postgres", "nginx")
MEASURED = ("ml-api", "worker", "ui", "redis", "postgres", "nginx", "prometheus")
CALLERS, PAUSE_SECONDS = 4, 0.04
"""About 90 requests a second: what two processors bear beside training and restarts."""
PATIENCE = 300.0


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["replicas", "kills"])
    parser.add_argument("--rounds", type=int, default=3, help="of `replicas`")
    parser.add_argument("--seconds", type=int, default=10, help="of load at each number of replicas")
    parser.add_argument("--minutes", type=float, help="of `kills`; not given: one kill of each")
    parser.add_argument("--every", type=float, default=60, help="seconds between two kills")
    options = parser.parse_args()
    if options.what == "replicas":
        lines = with_more_replicas(options.rounds, options.seconds)
    else:
        count = len(VICTIMS) if options.minutes is None else int(options.minutes * 60 / options.every)
        lines = while_killed(count, options.every)
    for line in lines:
        print(line, flush=True)


def wait(condition: Callable[[], object]) -> float:
    """Seconds until it holds."""
    begun = time.monotonic()
    while not condition():
        if time.monotonic() - begun > PATIENCE:
            raise SystemExit(f"waited {PATIENCE:.0f} s in vain")
        time.sleep(0.1)
    return time.monotonic() - begun


def ask(path: str) -> dict[str, object]:
    """The answer to a GET; empty where there is none."""
    try:
        found = httpx2.get(f"{API}{path}", timeout=10)
        told: dict[str, object] = found.json() if found.status_code == 200 else {}
    except (httpx2.HTTPError, ValueError):
        return {}
    return told


# replicas


def with_more_replicas(rounds: int, seconds: int) -> Iterator[str]:
    """The table of `replicas`."""
    found = defaultdict[int, list[tuple[float, float, int]]](list)
    for _ in range(rounds):
        for count in (1, 2, 3):
            scale_to(count)
            found[count].append(asked_by_wrk(seconds))
    yield "| replicas | requests/s | of one replica | p99 ms | failed |"
    yield "|---|---|---|---|---|"
    for count, turns in found.items():
        ratio = median(turn[0] / one[0] for turn, one in zip(turns, found[1], strict=True))
        rate, slow = (median(turn[which] for turn in turns) for which in (0, 1))
        yield f"| {count} | {rate:,.0f} | {ratio:.2f} | {slow:.1f} | {sum(turn[2] for turn in turns)} |"


def scale_to(count: int) -> None:
    """So many replicas, all of which nginx asks."""
    running = containers("ml-api")
    for container in running[count:]:
        remove(container, 40)
    if len(running) < count:
        services = ["--no-recreate", "--scale", f"ml-api={count}", "ml-api"]
        subprocess.run([*COMPOSE, "up", "-d", "--no-build", *services], cwd=ROOT, check=True, capture_output=True)
    wait_for_replicas(count, PATIENCE)


def asked_by_wrk(seconds: int) -> tuple[float, float, int]:
    """Requests/s, 99th percentile in ms, and requests that failed."""
    with tempfile.NamedTemporaryFile("w", suffix=".lua") as script:
        script.write(f"wrk.method, wrk.body = 'POST', '{json.dumps(BODY)}'\n")
        script.write("wrk.headers['Content-Type'] = 'application/json'\n")
        script.flush()
        command = ["wrk", "-t1", "-c16", f"-d{seconds}s", "--latency", "--timeout", "10s", "-s", script.name]
        told = subprocess.run([*command, f"{API}/predict"], capture_output=True, text=True, check=True).stdout
    rate, slow = re.search(r"Requests/sec:\s+([\d.]+)", told), re.search(r"99%\s+([\d.]+)(us|ms|s)", told)
    assert rate is not None, told
    assert slow is not None, told
    failed = sum(map(int, re.findall(r"(?:responses:|connect|read|write|timeout) (\d+)", told)))
    return float(rate[1]), float(slow[1]) * {"us": 0.001, "ms": 1.0, "s": 1000.0}[slow[2]], failed


# kills


@dataclass
class Callers:
    """Those who ask all the time, and what they got.

    Attributes:
        answered: Moments and seconds of answers.
        failed: Moments and what was got instead.
        told: Actuals that were taken.
    """

    answered: list[tuple[float, float]] = field(default_factory=list)
    failed: list[tuple[float, str]] = field(default_factory=list)
    told: int = 0
    _over: threading.Event = field(default_factory=threading.Event)
    _threads: list[threading.Thread] = field(default_factory=list)

    def begin(self) -> None:
        """Ask from now on."""
        self._threads = [threading.Thread(target=self._ask) for _ in range(CALLERS)]
        for thread in self._threads:
            thread.start()

    def end(self) -> None:
        """Ask no more."""
        self._over.set()
        for thread in self._threads:
            thread.join()

    def _ask(self) -> None:
        with httpx2.Client(base_url=API, timeout=60) as client:
            while not self._over.wait(PAUSE_SECONDS):
                body = BODY | {"request_rate": 60 + len(self.answered) % 100}
                answer = self._call(client, "/predict", body)
                if answer is not None and len(self.answered) % 50 == 0:
                    actual = {"prediction_id": answer["prediction_id"], "actual": answer["cpu_utilization"]}
                    self.told += self._call(client, "/feedback", actual) is not None

    def _call(self, client: httpx2.Client, path: str, body: object) -> dict[str, object] | None:
        begun = time.monotonic()
        try:
            answer = client.post(path, json=body)
        except httpx2.HTTPError as error:
            self.failed.append((begun, f"{path} {type(error).__name__}"))
            return None
        if answer.status_code not in {200, 202}:
            self.failed.append((begun, f"{path} {answer.status_code}"))
            return None
        self.answered.append((begun, time.monotonic() - begun))
        found: dict[str, object] = answer.json()
        return found


@dataclass
class Kill:
    """One of them.

    Attributes:
        victim: The service.
        at: When.
        restarted: Seconds until a container of it ran again.
        healthy: Seconds until `/health` said so and every replica was ready.
        requests: In that time and five seconds more, answered and failed.
        slowest: Seconds of the slowest answer of them.
    """

    victim: str
    at: float
    restarted: float
    healthy: float
    requests: Counter[str] = field(default_factory=Counter)
    slowest: float = 0.0


def while_killed(count: int, every: float) -> Iterator[str]:
    """The tables of `kills`, with three replicas."""
    scale_to(3)
    before = recorded()
    callers, memory, jobs, kills = Callers(), Memory(), list[str](), list[Kill]()
    memory.look()
    callers.begin()
    begun = time.monotonic()
    try:
        for number in range(count):
            while time.monotonic() < begun + (number + 0.5) * every:
                time.sleep(min(5.0, every / 10))
                memory.look()
            if job := submit():
                jobs.append(job)
                time.sleep(3)  # so that it has begun
            kills.append(kill(VICTIMS[number % len(VICTIMS)]))
            print(f"{time.monotonic() - begun:6.0f} s  {kills[-1].victim}: {kills[-1].healthy:.1f} s", file=sys.stderr)
        while time.monotonic() < begun + count * every:
            time.sleep(5)
            memory.look()
    finally:
        callers.end()
    took = time.monotonic() - begun
    statuses = {job: ended(job) for job in jobs}
    predicted = len(callers.answered) - callers.told
    time.sleep(10)  # what is written behind the answers is
    yield from _of_kills(kills, callers)
    yield ""
    total = len(callers.answered) + len(callers.failed)
    yield "| what | figure |"
    yield "|---|---|"
    yield f"| minutes, requests | {took / 60:.1f}, {total:,} |"
    yield f"| failed | {len(callers.failed)}: {dict(Counter(what for _, what in callers.failed))} |"
    yield f"| availability | {100 * len(callers.answered) / total:.4f} % |"
    yield f"| jobs submitted, by how they ended | {len(jobs)}, {dict(Counter(statuses.values()))} |"
    yield f"| predictions answered, recorded | {predicted:,}, {recorded() - before:,} |"
    yield f"| actuals taken | {callers.told:,} |"
    yield ""
    yield from memory.table()


def _of_kills(kills: list[Kill], callers: Callers) -> Iterator[str]:
    for one in kills:
        over = one.at + one.healthy + 5
        inside = [seconds for moment, seconds in callers.answered if one.at - 1 <= moment <= over]
        one.slowest = max(inside, default=float("nan"))
        one.requests["answered"] = len(inside)
        one.requests["failed"] = sum(one.at - 1 <= moment <= over for moment, _ in callers.failed)
    yield "| killed | times | runs again after s | healthy after s: median, worst | failed of requests | slowest s |"
    yield "|---|---|---|---|---|---|"
    for victim in VICTIMS:
        if these := [one for one in kills if one.victim == victim]:
            asked = sum(one.requests.total() for one in these)
            failed = sum(one.requests["failed"] for one in these)
            healthy = [one.healthy for one in these]
            yield (
                f"| {victim} | {len(these)} | {median(one.restarted for one in these):.1f} "
                f"| {median(healthy):.1f}, {max(healthy):.1f} | {failed} of {asked:,} "
                f"| {max(one.slowest for one in these):.2f} |"
            )


def kill(victim: str) -> Kill:
    """Kill a container's first process, and wait until all is well."""
    replicas = len(containers("ml-api"))
    (chosen, *_) = containers(victim)
    process = first_process(chosen)
    at = time.monotonic()
    os.kill(process, signal.SIGKILL)
    restarted = wait(lambda: chosen in containers(victim) and first_process(chosen) not in {0, process})
    wait(lambda: len(containers("ml-api")) == replicas and all(map(ready_inside, containers("ml-api"))))
    wait(lambda: ask("/health").get("status") == "healthy")
    return Kill(victim, at, restarted, time.monotonic() - at)


def submit() -> str | None:
    """A small training job's id."""
    body = {"model_name": "soaked", "n_trials": 3, "promote": "never"}
    answer = httpx2.post(f"{API}/train", json=body, timeout=60)
    return str(answer.json()["job_id"]) if answer.status_code == 202 else None


def ended(job: str) -> str:
    """How a job ended."""
    over = {"succeeded", "failed", "cancelled"}
    wait(lambda: ask(f"/jobs/{job}").get("status") in over)
    return str(ask(f"/jobs/{job}")["status"])


def recorded() -> int:
    """Predictions of the model that the database has."""
    told = httpx2.get(f"{API}/models/cpu-utilization/traffic", timeout=60).json()
    return sum(int(arm["live"]["all"]["predictions"]) for arm in told["arms"].values())


class Memory:
    """What each service's processes have to themselves and their share of the rest (PSS), in time."""

    def __init__(self) -> None:
        self._seen = defaultdict[str, list[float]](list)

    def look(self) -> None:
        """Once more."""
        for service in MEASURED:
            found = sum(map(_megabytes, containers(service)))
            if found:
                self._seen[service].append(found)

    def table(self) -> Iterator[str]:
        """Of each service, its first, middle and last tenth."""
        yield "| service | MB at first | in the middle | at last | most |"
        yield "|---|---|---|---|---|"
        for service, seen in self._seen.items():
            part = max(1, len(seen) // 10)
            middle = len(seen) // 2
            parts = (seen[:part], seen[middle : middle + part], seen[-part:])
            figures = " | ".join(f"{median(part):,.0f}" for part in parts)
            yield f"| {service} | {figures} | {max(seen):,.0f} |"


def _megabytes(container: str) -> float:
    try:
        first = psutil.Process(first_process(container))
        return sum(one.memory_full_info().pss for one in (first, *first.children(recursive=True))) / 1e6
    except psutil.Error:  # it is being started again
        return 0.0


if __name__ == "__main__":
    main()
