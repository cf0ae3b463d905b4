"""Draws a story: the shop's CPU, what was predicted with its interval, and what happened.

python examples/shop/picture.py story shop.png
"""

import argparse
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import matplotlib as mpl
import polars as pl

mpl.use("Agg")

from matplotlib import dates
from matplotlib import pyplot as plt
from matplotlib.axes import Axes

COLOURS = {"alarm": "#d97706", "promoted": "#15803d", "deploy": "#b91c1c"}


def main() -> None:
    """Write the picture."""
    told = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    told.add_argument("story", type=Path, help="folder that story.py wrote")
    told.add_argument("output", type=Path)
    chosen = told.parse_args()
    story = json.loads((chosen.story / "story.json").read_text())
    rows = pl.read_parquet(chosen.story / "rows.parquet")
    figure, (cpu, coverage, width) = plt.subplots(
        3, 1, figsize=(13, 8), sharex=True, height_ratios=(3, 1.1, 0.9), constrained_layout=True
    )
    _cpu(cpu, rows)
    _coverage(coverage, rows)
    _width(width, rows)
    for axes in (cpu, coverage, width):
        _marks(axes, story, named=axes is cpu)
        axes.grid(alpha=0.25)
        axes.margins(x=0.01)
    width.xaxis.set_major_formatter(dates.DateFormatter("%a %H:%M"))
    width.set_xlabel(f"the shop's clock: {story['factor']:.0f} times as fast as the real one")
    figure.savefig(chosen.output, dpi=110)


def _cpu(axes: Axes, rows: pl.DataFrame) -> None:
    at = rows["measured_at"]
    axes.fill_between(at, rows["lower"], rows["upper"], color="#93c5fd", alpha=0.6, lw=0, label="90 % interval")
    axes.plot(at, rows["predicted"], color="#1d4ed8", lw=1, label="predicted")
    axes.plot(at, rows["value"], ".", color="#111827", ms=2.2, label="measured")
    axes.set_ylabel("CPU, % of 0.3 core")
    axes.set_title("A deploy makes each request cost more: what Perfcast predicts, sees and learns", loc="left")
    axes.set_ylim(0, 1.15 * max(rows["value"].max(), rows["upper"].max()))
    axes.legend(loc="lower right", bbox_to_anchor=(1, 1), ncols=3, frameon=False)


def _coverage(axes: Axes, rows: pl.DataFrame) -> None:
    for prefix, colour, name in (("", "#1d4ed8", "as answered"), ("plain_", "#9ca3af", "without correction")):
        inside = rows["value"].is_between(rows[f"{prefix}lower"], rows[f"{prefix}upper"]).cast(pl.Float64)
        held = 100 * inside.rolling_mean_by(rows["measured_at"], "24h")
        settled = rows["measured_at"] >= rows["measured_at"][0] + timedelta(hours=12)
        axes.plot(rows["measured_at"].filter(settled), held.filter(settled), color=colour, lw=1.4, label=name)
    axes.axhline(90, color="#111827", lw=0.8, ls=":")
    axes.set_ylim(0, 103)
    axes.set_ylabel("held, % of 24 h")
    axes.legend(loc="lower right", ncols=2, frameon=False)


def _width(axes: Axes, rows: pl.DataFrame) -> None:
    for prefix, colour in (("", "#1d4ed8"), ("plain_", "#9ca3af")):
        wide = (rows[f"{prefix}upper"] - rows[f"{prefix}lower"]).rolling_mean_by(rows["measured_at"], "3h")
        axes.plot(rows["measured_at"], wide, color=colour, lw=1.4)
    axes.set_ylim(bottom=0)
    axes.set_ylabel("width, points")


def _marks(axes: Axes, story: dict[str, Any], *, named: bool) -> None:
    deploy = story["deploys"][0][0]
    alarms = [event["at"] for event in story["events"] if event["what"] == "alarm" and event["at"] > deploy]
    promoted = [event["at"] for event in story["events"] if event["what"] == "promoted"]
    marks = [("deploy", deploy, "deploy"), *(("alarm", at, "seen") for at in alarms[:1])]
    marks += [("promoted", at, "learnt anew") for at in promoted]
    top = axes.get_ylim()[1]
    for what, at, words in marks:
        moment = datetime.fromtimestamp(at, UTC)
        axes.axvline(moment, color=COLOURS[what], lw=1.2, ls="-" if what == "deploy" else "--")
        if named:
            axes.text(moment, 0.98 * top, f" {words}", color=COLOURS[what], va="top", fontsize=9)


if __name__ == "__main__":
    main()
