"""`perfcast collect`: rows from Prometheus into a line of datasets, and to a server's `POST /feedback`."""

import signal
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from perfcast.cli._moments import moment
from perfcast.cli._options import KEY
from perfcast.cli._output import say, show_json, show_table

if TYPE_CHECKING:
    from perfcast.cli._workbench import Workbench
    from perfcast.collect import Collection, Collector, Feedback, Finding, Journal, Report

_FILE = typer.Argument(..., help="YAML file that says what is collected; `perfcast collect init` writes one.")
_URL = typer.Option("", "--url", help="A Perfcast server that is told of each row; nobody if not given.")


def init(file: Path = typer.Argument(Path("collect.yaml"), help="Where to write it.")) -> None:
    """Write a file to begin with, with every field explained; its dataset and model are named as the file is.

    Examples:
        perfcast collect init shop.yaml
    """
    from perfcast.cli._data import as_name
    from perfcast.collect import example
    from perfcast.errors import Conflict

    text = example(as_name(file))
    try:
        with file.open("x", encoding="utf-8") as new:
            new.write(text)
    except FileExistsError:
        raise Conflict(f"{file} is there already: give another name, or delete it first") from None
    say(f"wrote {file}; put your queries in, then: perfcast collect check {file}")


def check(
    file: Path = _FILE,
    hours: float = typer.Option(24, min=0.2, max=700, help="How far to look back."),
    as_json: bool = typer.Option(False, "--json", help="All there is to know, as JSON."),
) -> None:
    """Ask every query, and say of each what it gives and what to change. Exit status 1 where nothing can be collected.

    A row is wanted for each step, so each query must give one series. The correlations tell whether load and cost
    are of the same time: they should be best at lag 0.

    Examples:
        perfcast collect check shop.yaml
        perfcast collect check shop.yaml --hours 168
    """
    from perfcast.cli._workbench import workbench
    from perfcast.collect import Prometheus
    from perfcast.collect import check as look

    with workbench() as bench:
        collection = _read(bench, file)
        server = Prometheus(collection.document.server)
        report = look(collection, server, hours=hours, zone=bench.settings.service_timezone)
    if as_json:
        from dataclasses import asdict

        show_json({**asdict(report), "good": report.good})
    else:
        _show(report, collection)
    if not report.good:
        raise typer.Exit(1)


def backfill(
    file: Path = _FILE,
    since: str = typer.Option("7d", help="A time such as 2026-03-01T00:00:00Z, or how long ago: 12h, 30d."),
    until: str = typer.Option("", help="The same; as new as the lag allows if not given."),
    again: bool = typer.Option(False, "--again", help="Also ask for instants that gave no row before."),
) -> None:
    """Take in the past: asks only for what it doesn't have yet, so that the same command goes on where it stopped.

    Nobody is told of these rows: models may have learnt from them.

    Examples:
        perfcast collect backfill shop.yaml --since 30d
        perfcast collect backfill shop.yaml --since 2026-03-01 --until 2026-03-08
        perfcast collect backfill shop.yaml --since 2h --again
    """
    from perfcast.cli._progress import row_progress
    from perfcast.collect import Retries, Span

    with _collector(file, retries=Retries(on_wait=_say_waiting)) as (collector, collection, journal, bench):
        zone = bench.settings.service_timezone
        begins = moment("--since", since, zone).timestamp()
        ends = moment("--until", until, zone).timestamp() if until else time.time()
        if begins >= ends:
            raise typer.BadParameter(f"{since} is not before {until or 'now'}", param_hint="--since")
        with row_progress() as show:
            progress = collector.backfill(
                begins, ends, again=again, on_progress=lambda done: show(done.done, done.total)
            )
        span = Span.within(begins, ends, collection.step)
        say(f"{progress.rows:,} new rows of {progress.total:,} instants; {journal.path}")
        for reason, count in journal.gaps(span).most_common(8):
            say(f"  left out: {count:,} where {reason}")
        _say_line(bench, collection)


def follow(file: Path = _FILE, url: str = _URL, key: str = KEY) -> None:
    """Take in each new row as soon as it is old enough, until stopped; after an outage it fills what is missing.

    With --url each row is posted to a Perfcast server's /feedback: its model predicts it, and live accuracy, intervals
    and drift follow without anybody else's feedback. What can't be sent waits in the journal.

    Examples:
        perfcast collect follow shop.yaml
        perfcast collect follow shop.yaml --url http://localhost:8000
    """
    from perfcast.collect import Retries
    from perfcast.logs import configure_logs

    asked = []
    for name in (signal.SIGTERM, signal.SIGINT):
        signal.signal(name, lambda *_: asked.append(True))

    def wait(seconds: float) -> bool:
        deadline = time.monotonic() + seconds
        while not asked and (left := deadline - time.monotonic()) > 0:
            time.sleep(min(0.2, left))
        return bool(asked)

    with _collector(file, retries=Retries(attempts=2), url=url, key=key) as (collector, collection, journal, bench):
        configure_logs(bench.settings)  # a service's, not a command's
        told = f", told to {url}" if url and collection.document.model else ""
        say(
            f"following '{collection.name}' each {collection.step} s, {collection.lag:g} s behind{told}; {journal.path}"
        )
        collector.follow(wait)
        _say_line(bench, collection)


@contextmanager
def _collector(
    file: Path, *, retries: Any, url: str = "", key: str = ""
) -> "Iterator[tuple[Collector, Collection, Journal, Workbench]]":
    from perfcast.cli._workbench import workbench
    from perfcast.collect import Collector, Journal, Line, Prometheus

    with workbench() as bench:
        collection = _read(bench, file)
        path = bench.settings.data_dir / "collect" / f"{collection.name}.db"
        with closing(Journal(path, len(collection.workload.features))) as journal:
            line = Line(bench.datasets, collection, journal)
            collector = Collector(
                collection,
                Prometheus(collection.document.server),
                journal,
                line,
                feedback=_feedback(collection, journal, url, key),
                zone=bench.settings.service_timezone,
                retries=retries,
            )
            recalled, anew = collector.prepare()
            if anew:
                say("the queries have changed: the line begins anew; perfcast collect backfill fetches the past again")
            elif recalled:
                say(f"going on from {recalled:,} rows of dataset '{collection.name}'")
            yield collector, collection, journal, bench


def _read(bench: "Workbench", file: Path) -> "Collection":
    from perfcast.collect import read_collection

    return read_collection(file, bench.workloads)


def _feedback(collection: "Collection", journal: "Journal", url: str, key: str) -> "Feedback | None":
    from perfcast.cli._remote import Server
    from perfcast.collect import Feedback
    from perfcast.errors import InvalidSetting

    if not url:
        return None
    if not collection.document.model:
        raise InvalidSetting("--url: say in the file which model predicts the rows (model: NAME)")
    return Feedback(collection, journal, Server(url, key).feedback)


def _say_waiting(reason: str, seconds: float) -> None:
    say(f"{reason}; asking again in {seconds:.0f} s")


def _say_line(bench: "Workbench", collection: "Collection") -> None:
    found = bench.datasets.list(collection.name)
    if not found:
        say(f"no row yet, so no dataset '{collection.name}'; see perfcast collect check")
        return
    say(f"dataset '{collection.name}' has {found[0].rows:,} rows ({found[0].digest[:12]})")
    say(f"learn from it with: perfcast train --dataset {collection.name}")


def _show(report: "Report", collection: "Collection") -> None:
    columns = ("query", "series", "values", "gaps", "since (UTC)", "least", "median", "most", "r", "best r", "at lag")
    show_table(columns, [_row(finding) for finding in report.findings])
    for finding in report.findings:
        for text in finding.wrong:
            say(f"change  {finding.name}: {text}")
        for text in finding.hints:
            say(f"hint    {finding.name}: {text}")
    for text in report.hints:
        say(f"hint    {text}")
    say(f"{report.rows:,} rows of {report.instants:,} instants, {collection.step} s apart")
    for reason, count in sorted(report.left_out.items(), key=lambda item: -item[1])[:8]:
        say(f"  left out: {count:,} where {reason}")
    say("good: rows can be collected" if report.good else "not good yet: see the lines that say change")


def _row(finding: "Finding") -> tuple[object, ...]:
    since = None if finding.since is None else time.strftime("%Y-%m-%d %H:%M", time.gmtime(finding.since))
    best = finding.best_lag
    found = (None, None, None) if best is None else (finding.correlation.get(0), finding.correlation[best], best)
    shown = [f"{value:.3f}" if isinstance(value, float) else value for value in found]
    return (
        finding.name, finding.series, finding.points, finding.gaps, since,
        finding.least, finding.median, finding.most, *shown,
    )  # fmt: skip
