"""`perfcast models quantize` and `perfcast models prune`: smaller or quicker forms of a version."""

from collections.abc import Callable
from typing import TYPE_CHECKING

import typer

from perfcast.cli._options import VERSION
from perfcast.cli._output import say, show_table
from perfcast.cli._workbench import workbench
from perfcast.errors import Refused

if TYPE_CHECKING:
    from perfcast.training.variants import Variation
    from perfcast.workloads import Rows

_FORCE = typer.Option(False, "--force", help="Register it even if it is better in nothing.")


def quantize(reference: str = VERSION, force: bool = _FORCE) -> None:
    """Register a version's int8 form: the weights of its networks rounded to eight bits.

    It is judged on the rows that the original was judged by, and gets intervals of its own. Trees have nothing to
    quantise: see `perfcast models prune`.

    Examples:
        perfcast models quantize cnn-execution-time-cpu-torch:4
    """
    from perfcast.training.variants import quantize

    _register(reference, "int8", lambda graph, _: quantize(graph), force=force)


def prune(
    reference: str = VERSION,
    keep: float = typer.Option(0.5, help="Share of leaves and hidden neurons to keep, over 0 and below 1."),
    force: bool = _FORCE,
) -> None:
    """Register a version's pruned form: without its trees' weakest splits or its network's weakest neurons.

    It is judged on the rows that the original was judged by, and gets intervals of its own.

    Examples:
        perfcast models prune cnn-execution-time-cpu-torch
        perfcast models prune cpu-utilization:4 --keep 0.25
    """
    from perfcast.training.variants import prune

    _register(reference, f"pruned to {keep:.4g}", lambda graph, features: prune(graph, keep, features), force=force)


def _register(reference: str, name: str, change: "Callable[[bytes, Rows], bytes]", *, force: bool) -> None:
    from perfcast.training.variants import vary

    with workbench() as bench:
        version = bench.registry.resolve(reference)
        data = version.manifest.data
        if data is None:
            raise Refused(f"{version.reference} doesn't say which rows it was judged by, so a variant can't be either")
        dataset = bench.datasets.load(bench.datasets.find(data.name, data.digest))
        graph = bench.registry.graph(version)
        changed = change(graph, dataset.split().train.features)
        variation = vary((version.number, version.manifest, graph), changed, dataset, name=name)
        _show(variation)
        if not force:
            variation.require_gain()
        added = bench.registry.add(
            version.model, variation.draft, note=f"{name} of version {version.number}: {variation.summary}"
        )
    gains = " and ".join(variation.gains) or "better in nothing"
    say(f"{added.reference} ({name} of version {version.number}) is registered: {gains}")
    say(f"to let it answer: perfcast models activate {added.reference}")


def _show(variation: "Variation") -> None:

    names = {variation.error_name: "error", "graph kB": "bytes", "row µs": "row_us", "row in a batch µs": "batch_us"}
    rows: list[tuple[object, ...]] = []
    for shown, name in names.items():
        before, after = getattr(variation.before, name), getattr(variation.after, name)
        scale = 1000 if name == "bytes" else 1
        rows.append((shown, before / scale, after / scale, 100 * (after / before - 1)))
    show_table(("on held-out rows", "before", "after", "change %"), rows)
    apart = variation.difference
    print(
        f"the answers differ by {apart.median:.2g}{apart.unit} (median), {apart.p99:.2g}{apart.unit} (99 of 100 rows), "
        f"{apart.worst:.2g}{apart.unit} (worst)"
    )
