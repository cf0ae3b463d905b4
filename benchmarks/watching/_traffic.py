"""A day of a prediction service in minutes: callers of all kinds, trainings, an A/B split, a change for the worse."""

import json
import math
import random
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx2
import numpy as np

from perfcast.workloads.cpu_utilization.simulator import Scenario, simulate

_CPU, _CNN = "cpu-utilization", "cnn-execution-time-cpu-torch"
_DAY_SECONDS = 300
"""A shape of load comes again after so long."""
_WORSE_FROM, _WORSE_FACTOR = 0.6, 1.3
"""From which part of the run on a request costs so much more."""
_HISTORY_DAYS = 9
_LAYERS = [  # of popular networks, and one of none
    {
        "input_channels": 3,
        "input_height": 224,
        "input_width": 224,
        "output_channels": 64,
        "kernel_size": 7,
        "stride": 2,
    },
    {"input_channels": 64, "input_height": 56, "input_width": 56, "output_channels": 64, "kernel_size": 3, "stride": 1},
    {
        "input_channels": 256,
        "input_height": 14,
        "input_width": 14,
        "output_channels": 256,
        "kernel_size": 3,
        "stride": 1,
    },
    {"input_channels": 40, "input_height": 33, "input_width": 33, "output_channels": 48, "kernel_size": 5, "stride": 1},
]


@dataclass(frozen=True)
class Keys:
    """The callers' keys: everything, predictions only, and of one who asks too much."""

    admin: str = "admin-of-the-run"
    callers: tuple[str, ...] = ("shop-of-the-run", "billing-of-the-run", "scaler-of-the-run", "search-of-the-run")
    greedy: str = "greedy-of-the-run"

    @property
    def setting(self) -> str:
        """As `API_KEY` takes them."""
        return ",".join([self.admin, *(f"{key}:read+predict" for key in (*self.callers, self.greedy))])


KEYS = Keys()


class Traffic:
    """All of it.

    Args:
        url: Of the server.
        seconds: How long.
        say: Takes what happens.
    """

    def __init__(self, url: str, seconds: float, say: Callable[[str], None]) -> None:
        self._client = httpx2.Client(base_url=url, headers={"X-API-Key": KEYS.admin}, timeout=60, trust_env=False)
        self._seconds, self._say = seconds, say
        self._begun = time.monotonic()
        self._untold: deque[tuple[str, float]] = deque(maxlen=5000)
        self._silent: set[str] = set()

    def run(self) -> None:
        """Until the time is up."""
        self._history()
        loops: list[tuple[Callable[[], None], float]] = [
            (self._minute_of_service, 0.05), (self._convolution, 0.15), (self._feedback, 1.0), (self._batches, 2.5),
            (self._mistakes, 2.0), (self._intruders, 1.0), (self._greedy, 150.0), (self._overload, 60.0),
            (self._reader, 3.0),
        ]  # fmt: skip
        threads = [threading.Thread(target=self._again, args=loop, daemon=True) for loop in loops]
        threads.append(threading.Thread(target=self._operator, daemon=True))
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    @property
    def _share(self) -> float:
        """How much of the time is over, 0 to 1."""
        return (time.monotonic() - self._begun) / self._seconds

    def _again(self, what: Callable[[], None], every: float) -> None:
        while self._share < 1:
            try:
                what()
            except httpx2.HTTPError as error:
                self._say(f"{what.__name__}: {error!r}")
            time.sleep(every * random.uniform(0.6, 1.4))

    def _ask(self, method: str, path: str, body: Any = None, key: str = "", **headers: str) -> httpx2.Response:
        answer = self._client.request(
            method, path, json=body, headers={"X-API-Key": key or random.choice(KEYS.callers), **headers}
        )
        if answer.status_code == 404 and path not in self._silent:
            self._silent.add(path)
            self._say(f"{method} {path}: 404")
        return answer

    def _features(self) -> tuple[dict[str, float], float]:
        """A minute of a service, and the CPU that it took."""
        now = datetime.now(UTC)
        shape = 0.5 + 0.4 * math.sin(2 * math.pi * (time.monotonic() - self._begun) / _DAY_SECONDS)
        worse = self._share > _WORSE_FROM
        rate = max(1.0, 220 * shape * random.uniform(0.9, 1.1) * (1.4 if worse else 1))
        users, pool = rate * random.uniform(0.4, 0.6), 5 + rate / 8
        hour, minute = 2 * math.pi * now.hour / 24, 2 * math.pi * now.minute / 60
        features = {
            "request_rate": rate, "active_users": users, "db_connections": pool, "hour_sin": math.sin(hour),
            "hour_cos": math.cos(hour), "minute_sin": math.sin(minute), "minute_cos": math.cos(minute),
            "is_business_hour": 1,
        }  # fmt: skip
        return features, _WORSE_FACTOR if worse else 1.0

    def _minute_of_service(self) -> None:
        features, factor = self._features()
        caller = f"caller-{random.randrange(60)}"
        answer = self._ask("POST", "/predict", features, **{"X-Request-Key": caller})
        if answer.status_code == 200:
            told = answer.json()
            actual = max(0.0, min(100.0, told["cpu_utilization"] * factor + random.gauss(0, 1.5)))
            self._untold.append((told["prediction_id"], actual))

    def _convolution(self) -> None:
        layer = random.choices(_LAYERS, weights=(5, 4, 2, 1))[0] | {"batch_size": random.choice([1, 8, 32])}
        model = random.choices([_CNN, "cnn-execution-time-cpu-onnxruntime"], weights=(3, 1))[0]
        self._ask("POST", "/predict", {"model_name": model, "cnn_config": layer})

    def _feedback(self) -> None:
        told = [self._untold.popleft() for _ in range(len(self._untold))]
        body = [{"prediction_id": name, "actual": actual} for name, actual in told]
        self._ask("POST", "/feedback", body + body[:1])  # one of them told twice
        if random.random() < 0.2:
            self._ask("POST", "/feedback", {"prediction_id": "nobody-made-this", "actual": 5.0})

    def _batches(self) -> None:
        count = random.choice([3, 20, 200, 2000])
        columns: dict[str, list[float]] = {}
        for _ in range(count):
            for name, value in self._features()[0].items():
                columns.setdefault(name, []).append(value)
        rows = [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]
        form = random.randrange(3)
        if form == 0:
            self._ask("POST", "/predict/batch", {"model_name": _CPU, "columns": columns})
        elif form == 1:
            self._ask("POST", "/predict/batch", rows[:200])
        else:
            lines = [",".join(columns), *(",".join(f"{value:.6f}" for value in row.values()) for row in rows)]
            headers = {"X-API-Key": KEYS.callers[0], "Content-Type": "text/csv"}
            self._client.post(f"/predict/batch?model_name={_CPU}", content="\n".join(lines), headers=headers)

    def _mistakes(self) -> None:
        features, _ = self._features()
        self._ask("POST", "/predict", features | {"request_rate": -5})
        self._ask("POST", "/predict", {"model_name": "nobody-trained-this", "features": features})
        self._ask("POST", "/predict", features | {"request_rate": 5000})  # beyond what was seen
        self._ask("GET", "/nowhere/at/all")

    def _intruders(self) -> None:
        self._ask("GET", "/models", key=f"guess-{random.randrange(10**6)}")
        self._ask("POST", "/train", {"n_trials": 1})  # the caller's key may not

    def _greedy(self) -> None:
        features, _ = self._features()
        for _ in range(1400):
            self._ask("POST", "/predict", features, key=KEYS.greedy)

    def _overload(self) -> None:
        """More batches at once than are taken: the others get 503."""
        features, _ = self._features()
        body = {"model_name": _CPU, "columns": {name: [value] * 60_000 for name, value in features.items()}}
        content = json.dumps(body)
        headers = {"X-API-Key": KEYS.callers[1]}
        post = lambda: self._client.post("/predict/batch", content=content, headers=headers)  # noqa: E731
        threads = [threading.Thread(target=post, daemon=True) for _ in range(5)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    def _reader(self) -> None:
        for path in ("/models", f"/models/{_CPU}", f"/models/{_CPU}/traffic", "/health", "/train/jobs"):
            self._ask("GET", path, key=KEYS.admin)

    def _history(self) -> None:
        """Days of measured minutes, told afterwards with what they came to: what live accuracy and drift begin from."""
        learnt = Scenario(
            step_seconds=300
        )  # by the starter model; what follows is the same service, at the same minutes
        begin = datetime.now(UTC).replace(minute=0, second=0, microsecond=0) - timedelta(days=_HISTORY_DAYS)
        start, days = begin - timedelta(days=learnt.days), learnt.days + _HISTORY_DAYS
        past = simulate(replace(learnt, start=start, days=days))
        moments = past.measured_at.astype("datetime64[s]")
        body = [
            {"model_name": _CPU, "features": self._named(row), "actual": float(cost), "measured_at": f"{at}Z"}
            for row, cost, at in zip(past.features, past.cpu_utilization, moments, strict=True)
            if at >= np.datetime64(begin.replace(tzinfo=None))
        ]
        answers = [self._ask("POST", "/feedback", body[at : at + 1000]).status_code for at in range(0, len(body), 1000)]
        self._say(f"{len(body)} rows of history: {answers}")

    def _named(self, row: Iterable[float]) -> dict[str, float]:
        return dict(zip(self._features()[0], map(float, row), strict=True))

    def _operator(self) -> None:
        """Trains, splits, shadows, leaves a model without a version, and schedules."""
        often = {"cron": "*/2 * * * *", "minimum_interval_seconds": 60, "drift": True}
        quick = {"request": {"n_trials": 2, "families": ["polynomial"]}}
        steps: list[tuple[float, str, str, Any]] = [
            (0.02, "POST", "/train", {"dataset": "too-few", "model_name": "cpu-utilization-too-few"}),
            (0.04, "POST", "/train", {"n_trials": 1, "families": ["polynomial"], "promote": "never"}),
            (0.10, "PUT", f"/schedules/{_CPU}", often | quick),
            (0.12, "POST", "/train", {"n_trials": 1, "workload": "cnn-execution-time", "families": ["polynomial"]}),
            (0.30, "PUT", f"/models/{_CPU}/aliases/challenger", {"version": 2}),
            (0.31, "PUT", f"/models/{_CPU}/traffic", {"champion": 70, "challenger": 30}),
            (0.32, "PUT", f"/models/{_CPU}/aliases/shadow", {"version": 3}),
            (0.40, "POST", "/models/cnn-execution-time-cpu-onnxruntime/deactivate", {}),
            (0.42, "POST", "/models/cnn-execution-time-cpu-onnxruntime:1/activate", {}),
            (0.50, "POST", f"/models/{_CPU}:2/activate", {}),
            (0.70, "POST", "/train", {"n_trials": 8, "families": ["polynomial", "xgboost"]}),
            (0.90, "POST", "/train", {"n_trials": 200, "timeout_seconds": 600}),
        ]  # fmt: skip
        for share, method, path, body in steps:
            while self._share < share:
                time.sleep(0.5)
            answer = self._ask(method, path, body, key=KEYS.admin)
            self._say(f"{method} {path}: {answer.status_code} {answer.text[:160]}")
