"""What training jobs survive: each kill, freeze, outage and cancellation repeated, each time at another moment.

    python benchmarks/jobs.py --times 20
    python benchmarks/jobs.py --times 5 --only worker_killed --only cancel_in_a_boosting_run
    python benchmarks/jobs.py --times 20 --results run.jsonl      # go on with a run that was broken off

Everything is real: workers, servers, Redis and PostgreSQL, which are started here and ended at the end; they are those
of the tests (`tests/services.py`). The scenarios are in `survival/`. A repetition is good when its job has the outcome
it should; no trial that had finished is missing or was run again, by the record of its study; its versions were
registered once, and the champion was moved once; and no process of the training is left. Each result is printed and
written as it comes, one JSON object a line; the worker's log of a bad one is kept beside it.

That nothing is left of a job 5 s after its cancellation is held by the scenarios called `cancel_…`: they time from the
call until the row is final and no process of the training is left. The table's "promised s" says which have a bound.
"""

import argparse
import json
import signal
import statistics
import sys
import tempfile
import traceback
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

from survival import SCENARIOS, Bench, Finding, installation

COLUMNS = (
    "what happens",
    "state",
    "times",
    "good",
    "median s",
    "worst s",
    "promised s",
    "s after the claim",
    "fits",
    "seen",
)
HEAD = f"| {' | '.join(COLUMNS)} |\n|{'---|' * len(COLUMNS)}"


def main() -> int:
    """Run what was asked for, then print the table; 1 where anything was wrong."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--times", type=int, default=20, help="repetitions of each, with those that are there already")
    parser.add_argument("--only", action="append", choices=SCENARIOS, default=[])
    parser.add_argument("--results", type=Path, help="file that results are added to; a new temporary one by default")
    chosen = parser.parse_args()
    results = chosen.results or Path(tempfile.mkdtemp(prefix="perfcast-jobs-results-")) / "results.jsonl"
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that what was started is ended
    print(f"results: {results}", file=sys.stderr, flush=True)
    names, broken = chosen.only or list(SCENARIOS), []
    for name in names:
        done = len(_read(results).get(name, ()))
        try:
            if done < chosen.times:
                _repeat(name, range(done + 1, chosen.times + 1), results)
        except Exception:  # noqa: BLE001 - a server that doesn't start must not end the whole run
            broken.append(name)
            traceback.print_exc()
    kept = {name: found for name, found in _read(results).items() if name in names}
    print("\n".join([HEAD, *(_line(name, found) for name, found in kept.items())]), flush=True)
    for name in broken:
        print(f"{name} was broken off: see above; the same --results goes on with it", file=sys.stderr, flush=True)
    return int(bool(broken) or any(found["wrong"] for each in kept.values() for found in each))


def _repeat(name: str, numbers: Sequence[int], results: Path) -> None:
    """Run a scenario on an installation of its own, and keep each result at once."""
    with installation(servers=SCENARIOS[name].servers) as bench:
        for number in numbers:
            begun = bench.log.stat().st_size
            finding = _once(name, bench)
            row = {"scenario": name, "repetition": number, "at": datetime.now(UTC).isoformat(timespec="seconds")}
            line = json.dumps(row | asdict(finding))
            print(line, file=sys.stderr, flush=True)
            with results.open("a") as file:
                file.write(line + "\n")
            if finding.wrong:
                with bench.log.open("rb") as log:
                    log.seek(begun)
                    results.with_suffix(f".{name}.{number}.log").write_bytes(log.read())


def _once(name: str, bench: Bench) -> Finding:
    """Run a scenario once; whatever goes wrong, the next one begins anew."""
    try:
        finding = SCENARIOS[name].run(bench)
    except Exception as error:  # noqa: BLE001 - it is the result
        where = next(frame for frame in traceback.extract_tb(error.__traceback__)[::-1] if "survival" in frame.filename)
        finding = Finding(None, [f"{Path(where.filename).name}:{where.lineno}: {type(error).__name__}: {error}"])
        finding.wrong += _states(bench)
        finding = finding if bench.hit is None else finding.at(bench.hit)
    within = SCENARIOS[name].within
    if None not in (within, finding.seconds) and finding.seconds > within:
        finding.wrong.append(f"it took more than {within:g} s")
    finding.wrong += bench.clear()
    return finding


def _states(bench: Bench) -> Iterator[str]:
    """What the jobs of a repetition have come to."""
    for job in bench.jobs:
        try:
            now = bench.shop.jobs.find(job.id)
        except Exception as error:  # noqa: BLE001 - it is told
            yield f"{job.id}: {type(error).__name__}: {error}"
        else:
            where = f"{now.progress.stage}, {now.progress.trial} trials, {now.tries} attempts"
            yield f"{job.id}: {now.status} ({where}): {now.error}"


def _read(results: Path) -> Mapping[str, list[dict[str, Any]]]:
    """The results that are kept, by scenario in the order of the table."""
    rows = [json.loads(line) for line in results.read_text().splitlines()] if results.exists() else []
    found = {name: [row for row in rows if row["scenario"] == name] for name in SCENARIOS}
    return {name: each for name, each in found.items() if each}


def _line(name: str, found: Sequence[Mapping[str, Any]]) -> str:
    good = sum(not each["wrong"] for each in found)
    seconds = [each["seconds"] for each in found if each["seconds"] is not None]
    state = "PostgreSQL + Redis" if SCENARIOS[name].servers else "SQLite"
    numbers = f"{statistics.median(seconds):.1f} | {max(seconds):.1f}" if seconds else "– | –"
    moments = [each["moment"] for each in found if each["moment"] is not None]
    between = f"{min(moments):.1f} to {max(moments):.1f}" if moments else ""
    made = [each["fits"] for each in found if each["fits"]]
    fits = f"{sum(one for one, _ in made)} + {sum(short for _, short in made)} cut short" if made else ""
    seen = Counter(each["seen"] for each in found if each["seen"])
    shown = ", ".join(f"{times} × {what}" for what, times in seen.most_common())
    within = SCENARIOS[name].within
    promised = "" if within is None else f"{within:g}"
    columns = (name.replace("_", " "), state, len(found), good, numbers, promised, between, fits, shown)
    return f"| {' | '.join(map(str, columns))} |"


if __name__ == "__main__":
    sys.exit(main())
