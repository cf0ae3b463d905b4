"""`perfcast data …` and `perfcast profile`: generate, measure, import, list and show rows."""

import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from perfcast.cli._output import say, show_facts, show_list, show_table
from perfcast.cli._progress import profile_progress, row_progress
from perfcast.cli._workbench import workbench
from perfcast.errors import InvalidSetting

if TYPE_CHECKING:
    from perfcast.datasets import ImportReport
    from perfcast.workloads import Workload
    from perfcast.workloads.cnn_execution_time.profiler import Guide, Kind, WorkBound

_SHOWN_REFUSALS = 20
_SHOWN_ROWS = 5


def generate(
    days: float = typer.Option(30, min=0.2, help="How long the service is watched."),
    seed: int = typer.Option(0, help="The same seed gives the same rows."),
    output: Path = typer.Option(Path("data"), help="Folder for the CSV and Parquet files."),
    name: str = typer.Option("simulated", help="Name of the dataset."),
    keep: bool = typer.Option(True, help="Also keep it as a dataset, ready for `perfcast train`."),
) -> None:
    """Simulate a service under load: rows of `cpu-utilization` whose truth is known.

    Examples:
        perfcast data generate
        perfcast data generate --days 90 --seed 7 --name simulated-7
    """
    from perfcast.cli._starters import simulated_dataset
    from perfcast.workloads.cpu_utilization.simulator import Scenario, simulate, write_csvs, write_parquet

    simulation = simulate(Scenario(days=days, seed=seed))
    written = [*write_csvs(simulation, output), write_parquet(simulation, output / "cpu_features.parquet")]
    for path in written:
        say(f"wrote {path}")
    if keep:
        with workbench() as bench:
            record = bench.datasets.add(simulated_dataset(simulation, name=name))
        say(f"kept as dataset '{record.name}' ({record.rows:,} rows, {record.digest[:12]})")


def profile(
    what: str = typer.Option("convolutions", help="What is measured: convolutions, or the other operators of CNNs."),
    runtime: str = typer.Option("torch", help="What runs them: torch or onnxruntime."),
    device: str = typer.Option("cpu", help="cpu, or cuda where PyTorch sees a GPU."),
    measured_pass: str = typer.Option("forward", "--pass", help="forward, or training (forward and backward)."),
    configurations: int = typer.Option(2000, min=50, help="How many distinct ones."),
    rounds: int = typer.Option(4, min=2, help="How often each is measured, spread over the whole run."),
    budget_ms: float = typer.Option(15.0, min=1, help="Time for one of them in one round, milliseconds."),
    core: int | None = typer.Option(None, min=0, help="CPU core to stay on; the last one if not given."),
    seed: int = typer.Option(0, help="Of the configurations and their order."),
    output: Path = typer.Option(Path("profiles"), help="Folder for the journal, the Parquet file and its data card."),
    uneven: float = typer.Option(
        0.15,
        min=0,
        max=1,
        help="Share of convolutions whose kernel, stride or padding isn't the same in both directions, such as 1 × 7, "
        "or none above and one row below (ONNX Runtime); 1 measures only such ones.",
    ),
    megabytes: str = typer.Option(
        "",
        metavar="LEAST:MOST",
        help="Only calls whose tensors are together so large, with more arithmetic for larger ones: 96:300. As usual "
        "(up to 96, of operators 64) if not given.",
    ),
    improve: str = typer.Option(
        "", metavar="MODEL", help="Measure what this model's members disagree on most, beyond what is measured already."
    ),
    keep: bool = typer.Option(True, help="Also keep the result as a dataset, ready for `perfcast train`."),
) -> None:
    """Measure how long convolutions, or other operators, take on this machine, honestly.

    Every one is measured in several rounds spread in time, and taken only when the best of the odd rounds and
    the best of the even rounds agree. Ctrl-C loses nothing: the same command goes on where it was.

    Examples:
        perfcast profile --configurations 500
        perfcast profile --runtime onnxruntime --rounds 6 --core 1
        perfcast profile --device cuda --pass training
        perfcast profile --what operators --runtime onnxruntime
        perfcast profile --configurations 1500 --uneven 1 --output profiles/uneven
        perfcast profile --configurations 100 --megabytes 96:300 --output profiles/large
        perfcast profile --configurations 3000 --improve cnn-execution-time-cpu-torch
    """
    from perfcast.workloads.cnn_execution_time.profiler import ProfileOptions
    from perfcast.workloads.cnn_execution_time.profiler import profile as measure

    kind = _kind(what)
    options = ProfileOptions(
        output=output,
        what=what,  # type: ignore[arg-type]  # as runtime
        runtime=runtime,  # type: ignore[arg-type]  # checked by ProfileOptions, which names what is allowed
        device=device,  # type: ignore[arg-type]
        measured_pass=measured_pass,  # type: ignore[arg-type]
        configurations=configurations,
        rounds=rounds,
        max_rounds=max(10, rounds),
        budget_ms=budget_ms,
        core=core,
        seed=seed,
        bound=_bound(megabytes, kind),
        uneven=uneven,
        command=" ".join(["perfcast", *sys.argv[1:]]),
    )
    guide = _guide(improve, kind) if improve else None
    with profile_progress() as show:
        result = measure(options, guide, kind=kind, on_progress=show)
    say(f"{result.rows} {kind.name} in {result.dataset}, {result.left_out} left out; what they are: {result.card}")
    if keep:
        from perfcast.datasets import import_file

        with workbench() as bench:
            workload = bench.workloads[kind.workload]
            dataset, _ = import_file(result.dataset, workload, name=options.name)
            bench.datasets.add(dataset)
        say(f"kept as dataset '{options.name}'; learn from it with: perfcast train --dataset {options.name}")


def _bound(megabytes: str, kind: "Kind") -> "WorkBound":
    """The most and the least work of a call.

    Raises:
        InvalidSetting: The text is no two sizes.
    """
    if not megabytes:
        return kind.bound
    try:
        least, most = map(float, megabytes.split(":"))
    except ValueError:
        least, most = 1.0, 0.0
    if not 0 <= least < most:
        raise InvalidSetting(f"--megabytes is '{megabytes}', expected two sizes such as 96:300, the lesser one first")
    return kind.bound.between(1e6 * least, 1e6 * most)


def _kind(what: str) -> "Kind":
    """What is to be measured; an unknown word is refused by `ProfileOptions`, which names those that are known."""
    from perfcast.workloads.cnn_execution_time.profiler import CONVOLUTIONS
    from perfcast.workloads.operator_execution_time.profiler import OPERATORS

    return OPERATORS if what == OPERATORS.name else CONVOLUTIONS


def _guide(reference: str, kind: "Kind") -> "Guide":
    """A version of the registry that chooses configurations by its members' spread."""
    import numpy as np

    from perfcast.errors import InvalidSetting
    from perfcast.sessions import open_session, run_with_spread
    from perfcast.workloads import RowReader, workload_from_document
    from perfcast.workloads.cnn_execution_time.profiler import Guide

    with workbench() as bench:
        version = bench.registry.resolve(reference)
        session = open_session(bench.registry.graph(version), version.reference)
    if workload_from_document(version.manifest.workload).feature_names != kind.features:
        raise InvalidSetting(f"--improve {reference}: {version.reference} doesn't read the features of {kind.workload}")
    if len(session.get_outputs()) < 2:
        raise InvalidSetting(
            f"--improve {reference}: {version.reference} ({version.type}) has one member, which can't disagree with "
            "others; choose a neural_network or an ensemble"
        )

    reader = RowReader(workload_from_document(version.manifest.workload))

    def doubt(configurations: "Sequence[Any]") -> list[float]:
        rows = np.array([reader.read(asdict(configuration)) for configuration in configurations], dtype=np.float32)
        _, spread = run_with_spread(session, rows)
        return [] if spread is None else spread.tolist()

    return Guide(version.reference, doubt)


def import_(
    file: Path = typer.Argument(..., help="A text of columns (CSV, TSV; also .gz), Parquet or Arrow."),
    workload: str = typer.Option(
        "", help="A workload's name, or a YAML file that declares yours; recognised by the columns if not given."
    ),
    name: str = typer.Option(
        "", help="Name of the source, such as the service or device; the file's name if not given."
    ),
    map_: list[str] = typer.Option(
        [],
        "--map",
        help="FEATURE=COLUMN, or FEATURE=arithmetic over columns; may be repeated.",
        metavar="FEATURE=COLUMN",
    ),
    dry_run: bool = typer.Option(False, "--dry-run", help="Check, report, keep nothing."),
) -> None:
    """Take in your own measured rows: every row is checked, and refused ones are named with the reason.

    Examples:
        perfcast data import minutes.csv --workload cpu-utilization --name shop
        perfcast data import load.csv.gz --workload shop.yaml --map "request_rate=requests / 60"
        perfcast data import convolutions.parquet --workload cnn-execution-time --dry-run
    """
    from perfcast.datasets import check_name, import_file

    source = check_name(name) if name else as_name(file)
    with workbench() as bench:
        declared = _workload(workload, file, bench.workloads)
        with row_progress() as on_rows:
            dataset, report = import_file(
                file, declared, name=source, told=told(map_), zone=bench.settings.service_timezone, on_rows=on_rows
            )
        _show_report(report, declared)
        for remark in (*dataset.remarks, *_declared_anew(bench.datasets.changes(dataset))):
            say(remark)
        if dry_run:
            say("dry run: nothing kept")
            return
        record = bench.datasets.add(dataset)
    say(f"kept as dataset '{record.name}' of {record.workload} ({record.rows:,} rows, {record.digest[:12]})")
    say(f"learn from it with: perfcast train --dataset {record.name}")


def list_() -> None:
    """List the datasets, newest first.

    Examples:
        perfcast data list
    """
    with workbench() as bench:
        records = bench.datasets.list()
    show_list(
        ("dataset", "workload", "rows", "digest", "kept at"),
        records,
        lambda item: (item.name, item.workload, item.rows, item.digest[:12], item.created_at[:19]),
        empty="no datasets yet: perfcast data import FILE, perfcast data generate, or perfcast up for the shipped ones",
    )


def show(
    name: str = typer.Argument(..., help="Name of the dataset."),
    digest: str = typer.Option("", help="Beginning of the digest, for an older one of that name."),
) -> None:
    """Show where a dataset comes from and what its columns hold.

    Examples:
        perfcast data show simulated
    """
    import numpy as np

    with workbench() as bench:
        record = bench.datasets.find(name, digest or None)
        dataset = bench.datasets.load(record)
    facts: dict[str, object] = {
        "dataset": record.name,
        "workload": record.workload,
        "digest": record.digest,
        "rows": f"{record.rows:,}",
        "configurations": f"{dataset.configurations:,}",
    }
    show_facts(facts | {key: str(value)[:100] for key, value in record.provenance.items()})
    columns = [*zip(dataset.workload.feature_names, dataset.features.T, strict=True)]
    columns.append((dataset.workload.cost.name, dataset.cost))
    quantiles = [
        (label, *(float(q) for q in np.quantile(values, (0, 0.25, 0.5, 0.75, 1)))) for label, values in columns
    ]
    show_table(("column", "least", "25 %", "median", "75 %", "most"), quantiles)


def as_name(file: Path) -> str:
    """The file's name as a dataset's: what can't stand in a name becomes a hyphen."""
    import re

    from perfcast.datasets import check_name

    return check_name(re.sub(r"[^A-Za-z0-9._-]+", "-", file.name.split(".")[0]).strip("-._") or "data")


def _workload(given: str, file: Path, known: "Mapping[str, Workload]") -> "Workload":
    from contextlib import closing

    from perfcast.errors import InvalidData
    from perfcast.tables import map_columns, open_table
    from perfcast.workloads import find_workload, load_workload

    if given.endswith((".yaml", ".yml")):
        return load_workload(Path(given), known)
    if given:
        return find_workload(given, known)
    with closing(open_table(file)) as table:
        columns = table.names
    fitting = []
    for workload in known.values():
        try:
            map_columns(workload, columns, {})
        except InvalidData:
            continue
        fitting.append(workload)
    if len(fitting) == 1:
        return fitting[0]
    raise InvalidData(
        f"{file}: its columns ({', '.join(columns[:12])}) fit {len(fitting)} of the known workloads; "
        f"say which with --workload ({', '.join(known)}, or a YAML file of yours)"
    )


def told(pairs: list[str]) -> dict[str, str]:
    """`FEATURE=COLUMN` options as a mapping."""
    found = {}
    for pair in pairs:
        feature, sign, column = pair.partition("=")
        if not sign or not column.strip():
            raise typer.BadParameter(f"'{pair}' is not FEATURE=COLUMN", param_hint="--map")
        found[feature.strip()] = column.strip()
    return found


def _declared_anew(changes: tuple[str, ...]) -> list[str]:
    return [f"the declaration differs from that of the rows kept before: {'; '.join(changes)}"] if changes else []


def _show_report(report: "ImportReport", workload: "Workload") -> None:
    if report.read_as:
        say(f"read as: {report.read_as}")
    show_table(("column of " + workload.name, "taken from"), list(report.columns.how.items()))
    if report.columns.ignored:
        say(f"not used: {', '.join(report.columns.ignored)}")
    say(f"{report.rows:,} rows read, {report.refused:,} refused, {report.repeats:,} repeats, {report.kept:,} kept")
    for refusal in report.refusals[:_SHOWN_REFUSALS]:
        rows = ", ".join(str(row + 1) for row in refusal.rows[:_SHOWN_ROWS])
        more = f" and {len(refusal.rows) - _SHOWN_ROWS} more" if len(refusal.rows) > _SHOWN_ROWS else ""
        say(f"  refused: {refusal.field} {refusal.message} (row {rows}{more}, counted from 1 below the names)")
    for note, count in report.notes.items():
        say(f"  assumed in {count:,} row{'s' * (count != 1)}: {note}")
