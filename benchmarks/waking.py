"""How soon a waiting worker claims a submitted job, by what carries word of it: Redis, PostgreSQL, or nothing.

    python benchmarks/waking.py
    python benchmarks/waking.py --times 25

PostgreSQL and Redis are real, started here and ended at the end; the worker's loop (claim, else wait for word) is a
thread of this process with connections of its own. A job is submitted after a pause of 0.3 to 1.3 s, so that the worker
waits. Prints a Markdown table.
"""

import argparse
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from threading import Event, Thread

sys.path.insert(0, str(Path(__file__).parents[1]))

from tests.patience import until
from tests.services import postgres_server, redis_server
from tests.workers import Shop, small_dataset

from perfcast.jobs import Jobs, make_transport
from perfcast.jobs.queue import Transport
from perfcast.settings import Settings, load_settings

POLL_SECONDS = 1.0


def delays(settings: Settings, transport: Transport | None, times: int) -> list[float]:
    """Seconds from each submission to its claim."""
    with closing(Shop(settings)) as shop, at_work(shop, transport) as claimed:
        found = []
        for number in range(times):
            time.sleep(0.3 + random.random())
            begun = time.monotonic()
            job = shop.submit(model_name=f"model-{time.monotonic_ns()}-{number}").id
            found.append(until(lambda job=job: claimed.get(job)) - begun)  # type: ignore[misc]
        return found


@contextmanager
def at_work(shop: Shop, transport: Transport | None) -> Iterator[dict[str, float]]:
    """A worker's loop that does nothing with its jobs; gives when it claimed which."""
    claimed, stopping = dict[str, float](), Event()
    jobs = Jobs(shop.database)

    def work() -> None:
        while not stopping.is_set():
            if job := jobs.claim("worker"):
                claimed[job.id] = time.monotonic()
            elif transport is None:
                stopping.wait(POLL_SECONDS)
            else:
                transport.receive(POLL_SECONDS)

    worker = Thread(target=work)
    worker.start()
    try:
        yield claimed
    finally:
        stopping.set()
        worker.join()


def main() -> None:
    """Measure each and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--times", type=int, default=25)
    times = parser.parse_args().times
    print("| what carries the word | median, ms | slowest, ms |\n|---|---|---|")
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="perfcast-waking-")))
        postgres, redis = stack.enter_context(postgres_server()), stack.enter_context(redis_server())
        alone = load_settings(data_dir=folder, database_url=postgres.url)
        both = load_settings(data_dir=folder, database_url=postgres.url, redis_url=redis.url)
        with closing(Shop(alone)) as shop:
            shop.datasets.add(small_dataset(200))
        for name, settings, heard in (("PostgreSQL", alone, True), ("Redis", both, True), ("nothing", both, False)):
            with closing(make_transport(settings)) as transport:
                found = delays(settings, transport if heard else None, times)
            print(f"| {name} | {statistics.median(found) * 1000:.0f} | {max(found) * 1000:.0f} |", flush=True)


if __name__ == "__main__":
    main()
