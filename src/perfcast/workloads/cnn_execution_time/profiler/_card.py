"""The data card: what a measured data set holds, how it was made and how noisy it is, as Markdown."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ._fingerprint import Fingerprint


@dataclass(frozen=True, slots=True)
class CardFacts:
    """All that a data card states.

    Attributes:
        name: Name of the data set.
        file: Name of its Parquet file.
        bytes: Size of that file.
        fingerprint: The device.
        settings: The run's options as plain data.
        times_ms: Execution time of each row, in ms.
        spreads: Half spread of every configuration with both halves, accepted or not.
        row_spreads: Half spread of each row.
        sentinel_ratios: Sentinel ratio of each row's best round.
        row_rounds: Rounds that measured each row.
        configurations: Configurations sampled.
        failures: Index to reason, for those that can't be measured.
        first: When the first block ended.
        last: When the last block ended.
    """

    name: str
    file: str
    bytes: int
    fingerprint: Fingerprint
    settings: Mapping[str, Any]
    times_ms: Sequence[float]
    spreads: Sequence[float]
    row_spreads: Sequence[float]
    sentinel_ratios: Sequence[float]
    row_rounds: Sequence[int]
    configurations: int
    failures: Mapping[int, str]
    first: str
    last: str


_CALLS = {
    ("torch", "forward"): "`torch.conv2d` in inference mode",
    ("torch", "training"): "`torch.conv2d` forward, then the gradients of input and weights",
    ("onnxruntime", "forward"): (
        "an ONNX model of one Conv node with constant weights, input and output bound in advance"
    ),
}


def data_card(facts: CardFacts) -> str:
    """Render the data card as Markdown."""
    parts = (_heading(facts), _method(facts), _device(facts), _times(facts), _noise(facts), _making(facts))
    return "\n\n".join(parts) + "\n"


def _heading(facts: CardFacts) -> str:
    """Say what the data set is."""
    return (
        f"# Data card: {facts.name}\n\n"
        f"{len(facts.times_ms):,} distinct two-dimensional float32 convolutions (no bias) with their "
        f"measured execution time, for the workload `cnn-execution-time`. File `{facts.file}`, "
        f"{facts.bytes / 1e3:,.0f} kB, licence MIT. Measured from {facts.first} to {facts.last}."
    )


def _method(facts: CardFacts) -> str:
    """Say how it was measured."""
    settings = facts.settings
    what = _CALLS[settings["runtime"], settings["measured_pass"]]
    core = "not pinned" if settings["core"] is None else "pinned to one core"
    repeated = (
        f"Each row is the time of {what}: {settings['device']}, one thread, {core}, denormals flushed. "
        "In each round every configuration, in a new random order, is warmed up and then called in batches "
        f"of at least 1 ms for {settings['budget_ms']:g} ms and at least three batches; the least time per "
        "call counts. Between blocks of at most 25 configurations a sentinel convolution shows whether the "
        "machine is slower than at its best; if it is by more than 8 % the profiler waits briefly, then "
        "records the ratio with the rows."
    )
    return f"## How it was measured\n\n{repeated}\n\n{_acceptance(settings)}"


def _acceptance(settings: Mapping[str, Any]) -> str:
    """Say when a row is accepted, and what was sampled."""
    bound = settings["bound"]
    return (
        f"`execution_time_ms` is the least over all rounds ({settings['rounds']} for every configuration, "
        f"up to {settings['max_rounds']} for those not yet accepted). A configuration is accepted when the "
        "least of its odd rounds and the least of its even rounds differ by at most "
        f"{settings['tolerance']:.0%}; the others are left out. Part of the configurations are layers of "
        "well-known networks at several batch sizes, the others have log-uniform sizes; nearly all stay "
        f"within {bound['flops'] / 1e9:g} GFLOP and {bound['tensor_bytes'] / 1e6:g} MB a call."
    )


def _device(facts: CardFacts) -> str:
    """Say where it was measured and with which versions."""
    mark = facts.fingerprint
    versions = ", ".join(f"{name} {version}" for name, version in sorted(mark.versions.items()))
    rows = (
        ("processor", f"{mark.device} ({mark.processor})"),
        ("GPU", mark.gpu or "none used"),
        ("cores used", str(mark.cores)),
        ("cache", mark.cache),
        ("memory", f"{mark.memory_gb} GB"),
        ("system", mark.system),
        ("versions", versions),
    )
    return "## Device\n\n" + _table(("what", "value"), rows)


def _times(facts: CardFacts) -> str:
    """Show the distribution of the times."""
    shares = (0, 1, 10, 25, 50, 75, 90, 99, 100)
    cells = _percentiles(facts.times_ms, shares)
    rows = [("execution_time_ms", *(f"{cell:.4g}" for cell in cells))]
    return "## Distribution of the times\n\n" + _table(("percentile", *map(str, shares)), rows)


def _noise(facts: CardFacts) -> str:
    """Publish the noise floor."""
    shares = (50, 90, 99)
    rows = [
        ("half spread of the rows", *_percent(_percentiles(facts.row_spreads, shares))),
        ("half spread of all that were measured", *_percent(_percentiles(facts.spreads, shares))),
        ("sentinel above its best, at the rows' best rounds",
         *_percent(cell - 1 for cell in _percentiles(facts.sentinel_ratios, shares))),
    ]  # fmt: skip
    left_out = facts.configurations - len(facts.times_ms)
    share = left_out / max(1, facts.configurations)
    extra = sum(rounds > facts.settings["rounds"] for rounds in facts.row_rounds)
    return (
        "## Noise floor\n\n"
        + _table(("percentile", *map(str, shares)), rows)
        + "\n\nThe half spread is the relative difference between the best of the odd and of the even "
        "rounds: what even a perfect model can't predict. Further rounds end once the halves agree, so the "
        f"rows that needed them ({extra:,}) are a little better than chance would have it.\n\n"
        f"Left out: {left_out:,} of {facts.configurations:,} configurations ({share:.1%}), "
        f"{len(facts.failures)} of them because they can't be measured{_reasons(facts.failures)}."
    )


def _reasons(failures: Mapping[int, str]) -> str:
    """List the reasons of failure, the most frequent first."""
    counts = Counter(reason.split(":")[0] for reason in failures.values())
    listed = ", ".join(f"{reason} {count}" for reason, count in counts.most_common(5))
    return f" ({listed})" if listed else ""


def _making(facts: CardFacts) -> str:
    """Give the command that made it."""
    return f"## Made by\n\n```\n{facts.settings['command']}\n```"


def _percentiles(values: Sequence[float], shares: Sequence[float]) -> list[float]:
    """Return percentiles, or NaN where there are no values."""
    return [float(cell) for cell in np.percentile(values, shares)] if len(values) else [np.nan] * len(shares)


def _percent(cells: Any) -> list[str]:
    """Format shares as percent."""
    return [f"{cell:.2%}" for cell in cells]


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Render a Markdown table."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)
