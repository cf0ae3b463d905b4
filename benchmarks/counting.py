"""What metrics cost: microseconds to count one `/predict`, milliseconds to show everything and to share the counts.

.venv/bin/python benchmarks/counting.py
"""

import json
import tempfile
import timeit
from collections.abc import Callable
from pathlib import Path

from perfcast.api.metrics import Callers, Tally
from perfcast.api.metrics._shared import Share, SharedTally
from perfcast.monitoring import networks_of

LABELS = ("cpu-utilization", "champion", 3)
LAYER = [8.0, 64.0, 56.0, 56.0, 64.0, 3.0, 1.0, 1.0, 1.0, 1.0]


def microseconds(call: Callable[[], object], calls: int = 2000) -> float:
    """The least of many rounds' mean times of a call."""
    return min(timeit.repeat(call, number=calls, repeat=200)) / calls * 1e6


def main() -> None:
    """Measure, and print a table as JSON."""
    tally, callers = Tally(), Callers()

    def count() -> None:
        callers.seen("192.0.2.7")
        tally.request("/predict", "POST", 200, 4.1e-5)
        tally.predicted(LABELS, 4.0e-5)

    for model in range(100):
        for arm in ("champion", "challenger", "shadow"):
            tally.predicted((f"model-{model}", arm, 1), 1e-4)
    many = Callers()
    for number in range(20_000):
        many.seen(str(number))
    with tempfile.TemporaryDirectory() as folder:
        shared = [SharedTally(folder, slot, lambda: Share(tally, {}, {}, {})) for slot in range(4)]
        for one in shared:
            one.write()
        figures = {
            "count one /predict, us": microseconds(count),
            "of it the caller, us": microseconds(lambda: callers.seen("192.0.2.7")),
            "a popular network of a record, behind the callers, us": microseconds(lambda: networks_of(LAYER)),
            "write the counts of 100 models, once a second, ms": microseconds(shared[0].write, 5) / 1e3,
            "add those of 4 processes, ms": microseconds(shared[0].total, 1) / 1e3,
        }
        many.share(folder)
        for number in range(20_000):
            many.seen(str(number))
        figures["share 20,000 callers, ms"] = timeit.timeit(many.look, number=1) * 1e3
        figures["their file, kB"] = Path(folder, "callers").stat().st_size / 1e3
    print(json.dumps({name: round(value, 3) for name, value in figures.items()}, indent=2))


if __name__ == "__main__":
    main()
