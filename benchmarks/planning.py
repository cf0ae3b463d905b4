"""What saturates first past one machine, what to add and what it costs: the tables and the picture of docs/planning.md.

.venv/bin/python benchmarks/planning.py
.venv/bin/python benchmarks/planning.py --rate 50000 --models 300
.venv/bin/python benchmarks/planning.py --rate 50000 --models 300 --set nginx_requests=80000
.venv/bin/python benchmarks/planning.py --page docs/planning.md --picture docs/pictures/planning.png
.venv/bin/python benchmarks/planning.py --measure
"""

import argparse
import json
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

from planned import Figures, Plan, described, mean_wait, plan, simulate

from perfcast.palette import PALETTES

RATES = (1_000, 10_000, 100_000, 1_000_000)
MODELS = (10, 100, 1_000, 10_000)
BEGIN, END = "<!-- written by benchmarks/planning.py -->", "<!-- end -->"
_LEAST_SHOWN, _APART = 0.01, 1.45
"""Of the picture: the least share that is drawn, and how many times one name's height is the next one's, at least."""


def table(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """A table in Markdown."""
    lines = [columns, ["---"] * len(columns), *rows]
    return "\n".join("| " + " | ".join(_cell(value) for value in line) + " |" for line in lines)


def _cell(value: object) -> str:
    if isinstance(value, float):
        return f"{value:,.0f}" if value >= 100 or value == int(value) else f"{value:.3g}"
    return f"{value:,}" if isinstance(value, int) else str(value)


def sizes(plans: Sequence[Plan]) -> str:
    """What each size needs."""
    columns = (
        "requests/s", "models", "processes", "machines", "memory, GB", "records, MB/s", "GB a day", "5 GB last, hours",
        "connections",        "series a scrape", "MB a scrape", "workers", "fullest", "a month",
    )  # fmt: skip
    return table(
        columns,
        [
            (p.rate, p.models, p.processes, p.machines, p.memory_gigabytes, p.written_megabytes, p.day_gigabytes,
             p.kept_hours, p.connections, p.scrape_series, p.scrape_megabytes, p.workers,
             f"{p.first.name}, {p.first.share:,.0%}", round(p.month, -2))
            for p in plans
        ],
    )  # fmt: skip


def saturations(plans: Sequence[Plan]) -> str:
    """What is over its bound at each size, the fullest first."""
    rows = [
        (
            p.rate,
            p.models,
            ", ".join(f"{load.name} {load.share:,.1f}" for load in p.loads if load.share > 1) or "nothing",
        )
        for p in plans
    ]
    return table(("requests/s", "models", "over what one bears, times"), rows)


def remedies(one: Plan) -> str:
    """What to add for each thing that can get full."""
    rows = [(load.name, f"{_cell(float(load.bound))} {load.unit}", load.add) for load in one.loads]
    return table(("of which there is one", "bears, at the guarded use", "what to add"), rows)


def waits() -> str:
    """How long callers wait by utilisation."""
    rows = []
    for percent in (10, 30, 50, 60, 70, 80, 90, 95):
        mean, median, high = simulate(percent / 100)
        rows.append(
            (f"{percent} %", f"{mean:.2f}", f"{mean_wait(percent / 100) + 0.0722:.2f}", f"{median:.2f}", f"{high:.1f}")
        )
    return table(("busy", "mean, ms", "by the formula", "median", "p99"), rows)


def draw(path: Path, figures: Figures) -> None:
    """How full everything is as the rate grows, with few and with many models."""
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot as plt

    rates, ink = [10 ** (3 + step / 20) for step in range(61)], PALETTES["light"]
    figure, axes = plt.subplots(1, 2, figsize=(12, 5), sharey=True, layout="constrained")
    for axis, models in zip(axes, (100, 10_000), strict=True):
        ends: list[float] = []
        plans = [plan(rate, models, figures) for rate in rates]
        for last in sorted(plans[-1].loads, key=lambda load: -load.share):
            if not last.used or last.share < _LEAST_SHOWN:
                continue
            full = last.share > 1
            shares = [next(load.share for load in one.loads if load.name == last.name) for one in plans]
            axis.plot(rates, shares, color=ink.accent if full else ink.measured)
            height = min([last.share, *(end / _APART for end in ends)])  # words stand apart where lines meet
            ends.append(height)
            axis.text(1.15e6, height, last.name, color=ink.ink if full else ink.quiet, fontsize=9, va="center")
        axis.axhline(1, color=ink.danger, linewidth=1, linestyle="--")
        axis.text(1.1e3, 1.1, "full", color=ink.danger, fontsize=9)
        axis.set(xscale="log", yscale="log", xlabel="requests a second", ylim=(_LEAST_SHOWN, 40))
        axis.set_title(f"{models:,} models", loc="left", fontsize=11, color=ink.ink)
        axis.grid(visible=True, color=ink.hairline, linewidth=0.8)
        axis.spines[["top", "right"]].set_visible(False)
    axes[0].set_ylabel("asked of one ÷ what one bears")
    figure.savefig(path, dpi=110)


def report(plans: Sequence[Plan], figures: Figures) -> str:
    """All tables."""
    parts = [
        ("Sizes", sizes(plans)), ("What saturates", saturations(plans)), ("What to add", remedies(plans[0])),
        ("How busy a process may be", waits()),
        ("Figures", table(("figure", "value", "unit", "from"), described(figures))),
    ]  # fmt: skip
    return "\n\n".join(f"### {title}\n\n{text}" for title, text in parts)


def into(page: Path, text: str) -> None:
    """Put the tables between the marks of a page."""
    before, _, rest = page.read_text().partition(BEGIN)
    page.write_text(f"{before}{BEGIN}\n\n{text}\n\n{END}{rest.partition(END)[2]}")


def _setting(text: str) -> tuple[str, float]:
    name, _, value = text.partition("=")
    known = [each[0] for each in described(Figures())]
    if name not in known:
        raise argparse.ArgumentTypeError(f"no figure is called {name!r}; they are {', '.join(known)}")
    try:
        return name, float(value)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{name}: expected a number, got {value!r}") from None


def main() -> None:
    """Print or write what was asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rate", type=float, help="predictions a second at the busiest time; else several")
    parser.add_argument("--models", type=int, help="how many answer; else several")
    parser.add_argument(
        "--set", type=_setting, action="append", default=[], metavar="FIGURE=VALUE", help="another figure"
    )
    parser.add_argument("--no-records", action="store_true", help="with PREDICTION_LOG=false")
    parser.add_argument("--shared-limits", action="store_true", help="rate limits are counted in Redis")
    parser.add_argument("--page", type=Path, help="write the tables into this page, between its marks")
    parser.add_argument("--picture", type=Path, help="draw how full everything gets")
    parser.add_argument("--measure", action="store_true", help="measure the bytes of records and the series anew")
    options = parser.parse_args()
    if options.measure:
        from planned._measure import measure

        print(json.dumps(measure(), indent=2))
        return
    figures = replace(Figures(), **dict(options.set))
    rates = RATES if options.rate is None else (options.rate,)
    models = MODELS if options.models is None else (options.models,)
    plans = [
        plan(rate, count, figures, recorded=not options.no_records, shared_limits=options.shared_limits)
        for rate in rates
        for count in models
    ]
    text = report(plans, figures)
    into(options.page, text) if options.page else print(text)
    if options.picture:
        draw(options.picture, figures)


if __name__ == "__main__":
    main()
