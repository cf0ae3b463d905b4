"""The data card: what a measured data set holds, how it was made and how noisy it is, as Markdown."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ._fingerprint import Fingerprint
from ._journal import JournalContents
from ._kind import Kind
from ._rounds import MeasuredRow, Measurements, half_spread


def data_card(
    file: Path,
    kind: Kind,
    rows: Sequence[MeasuredRow],
    contents: JournalContents,
    measurements: Measurements,
    settings: Mapping[str, Any],
) -> str:
    """Render the data card of a run, configurations that were left out included, as Markdown."""
    parts = (
        _heading(file, kind, rows, contents),
        _method(kind, settings),
        *_guided(contents),
        _device(contents.fingerprint),
        _times(rows),
        *_labels(kind, rows),
        *_paths(rows),
        _noise(rows, contents, measurements, settings),
        _commands(contents, settings),
    )
    return "\n\n".join(parts) + "\n"


def _heading(file: Path, kind: Kind, rows: Sequence[MeasuredRow], contents: JournalContents) -> str:
    moments = [block.at for block in contents.blocks] or ["-"]
    return (
        f"# Data card: {contents.header['name']}\n\n"
        f"{len(rows):,} distinct {kind.rows} with their measured execution time, for the workload `{kind.workload}`."
        f"{kind.told([row.config for row in rows])} File `{file.name}`, "
        f"{file.stat().st_size / 1e3:,.0f} kB, licence MIT. Measured from {min(moments)} to {max(moments)}."
    )


def _method(kind: Kind, settings: Mapping[str, Any]) -> str:
    what = kind.calls[settings["runtime"], settings["measured_pass"]]
    core = "not pinned" if settings["core"] is None else "pinned to one core"
    repeated = (
        f"Each row is the time of {what}: {settings['device']}, one thread, {core}, denormals flushed. "
        "In each round every configuration, in a new random order, is warmed up and then called in batches "
        f"of at least 1 ms for {settings['budget_ms']:g} ms and at least three batches; the least time per "
        "call counts. Between blocks of at most 25 configurations a sentinel shows whether the "
        "machine is slower than at its best; if it is by more than 8 % the profiler waits briefly, then "
        "records the ratio with the rows."
    )
    remark = kind.remarks.get(settings["runtime"], "")
    return "\n\n".join(filter(None, ("## How it was measured", repeated, remark, _acceptance(kind, settings))))


def _acceptance(kind: Kind, settings: Mapping[str, Any]) -> str:
    bound = settings["bound"]
    return (
        f"`execution_time_ms` is the least over all rounds ({settings['rounds']} for every configuration, "
        f"up to {settings['max_rounds']} for those not yet accepted). A configuration is accepted when the "
        "least of its odd rounds and the least of its even rounds differ by at most "
        f"{settings['tolerance']:.0%}; the others are left out. {kind.choice}; nearly all stay "
        f"within {bound['flops'] / 1e9:g} GFLOP and {bound['tensor_bytes'] / 1e6:g} MB a call"
        + (f", and have {bound['least_bytes'] / 1e6:g} MB or more." if bound["least_bytes"] else ".")
    )


def _guided(contents: JournalContents) -> list[str]:
    """A sentence for each time that a model chose; none where none did."""
    return [
        f"{len(addition.configurations):,} configurations were chosen by {addition.guide}: those on which its members "
        "disagreed most, of several times as many drawn."
        for addition in contents.additions
        if addition.guide
    ]


def _commands(contents: JournalContents, settings: Mapping[str, Any]) -> str:
    """Those that added configurations, in their order, and the last one."""
    made = [addition.command for addition in contents.additions] + [settings["command"]]
    return "\n".join(["## Made by", "", "```", *dict.fromkeys(filter(None, made)), "```"])


def _device(mark: Fingerprint) -> str:
    rows = (
        ("processor", f"{mark.device} ({mark.processor})"),
        ("GPU", mark.gpu or "none used"),
        ("cores used", str(mark.cores)),
        ("cache", mark.cache),
        ("memory", f"{mark.memory_gb} GB"),
        ("system", mark.system),
        ("versions", ", ".join(f"{name} {version}" for name, version in sorted(mark.versions.items()))),
    )
    return "## Device\n\n" + _table(("what", "value"), rows)


def _times(rows: Sequence[MeasuredRow]) -> str:
    shares = (0, 1, 10, 25, 50, 75, 90, 99, 100)
    cells = _percentiles((row.execution_time_ms for row in rows), shares)
    shown = [("execution_time_ms", *(f"{cell:.4g}" for cell in cells))]
    return "## Distribution of the times\n\n" + _table(("percentile", *map(str, shares)), shown)


def _labels(kind: Kind, rows: Sequence[MeasuredRow]) -> list[str]:
    """One part with the rows of each value of the kind's label, or none where it has no label."""
    if not kind.label:
        return []
    found: dict[str, list[MeasuredRow]] = {}
    for row in rows:
        found.setdefault(getattr(row.config, kind.label), []).append(row)
    shown = [
        (
            f"`{label}`",
            f"{len(those):,}",
            f"{_median(those, 'execution_time_ms'):.4g}",
            f"{_median(those, 'half_spread'):.2%}",
        )
        for label, those in sorted(found.items())
    ]
    return [f"## By {kind.label}\n\n{_table((kind.label, 'rows', 'median ms', 'median half spread'), shown)}"]


def _median(rows: Sequence[MeasuredRow], name: str) -> float:
    return float(np.median([getattr(row, name) for row in rows]))


def _paths(rows: Sequence[MeasuredRow]) -> list[str]:
    """One part, or none where the runtime doesn't tell."""
    times: dict[str, list[float]] = {}
    for row in rows:
        if row.path is not None:
            times.setdefault(row.path, []).append(row.execution_time_ms)
    if not times:
        return []
    ordered = sorted(times.items(), key=lambda item: len(item[1]), reverse=True)
    shown = [(f"`{path}`", f"{len(found):,}", f"{np.median(found):.4g}") for path, found in ordered]
    told = "The runtime's own word, asked once for each configuration; column `path` of the file. It is no feature."
    return [f"## Which way the runtime takes\n\n{_table(('path', 'rows', 'median ms'), shown)}\n\n{told}"]


def _noise(
    rows: Sequence[MeasuredRow], contents: JournalContents, measurements: Measurements, settings: Mapping[str, Any]
) -> str:
    shares = (50, 90, 99)
    spreads = [half_spread(readings) for readings in measurements.readings.values()]
    figures = {
        "half spread of the rows": [row.half_spread for row in rows],
        "half spread of all that were measured": [spread for spread in spreads if spread is not None],
        "sentinel above its best, at the rows' best rounds": [row.sentinel_ratio - 1 for row in rows],
    }
    table = [(name, *(f"{cell:.2%}" for cell in _percentiles(values, shares))) for name, values in figures.items()]
    configurations, failed = len(contents.configurations), measurements.failed
    left_out = configurations - len(rows)
    extra = sum(row.rounds > settings["rounds"] for row in rows)
    return (
        "## Noise floor\n\n"
        + _table(("percentile", *map(str, shares)), table)
        + "\n\nThe half spread is the relative difference between the best of the odd and of the even "
        "rounds: what even a perfect model can't predict. Further rounds end once the halves agree, so the "
        f"rows that needed them ({extra:,}) are a little better than chance would have it.\n\n"
        f"Left out: {left_out:,} of {configurations:,} configurations ({left_out / max(1, configurations):.1%}), "
        f"{len(failed)} of them because they can't be measured{_reasons(failed)}."
    )


def _reasons(failures: Mapping[int, str]) -> str:
    """The most frequent first."""
    counts = Counter(reason.split(":")[0] for reason in failures.values())
    listed = ", ".join(f"{reason} {count}" for reason, count in counts.most_common(5))
    return f" ({listed})" if listed else ""


def _percentiles(values: Iterable[float], shares: Sequence[float]) -> list[float]:
    """NaN where there are no values."""
    return np.percentile([*values] or [np.nan], shares).tolist()  # type: ignore[no-any-return]


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)
