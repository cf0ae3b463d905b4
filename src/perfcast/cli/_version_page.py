"""One version as tables: what it is, how good, and how it was found."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from perfcast.cli._output import show_facts, show_table, with_unit

if TYPE_CHECKING:
    from perfcast.monitoring import Correction
    from perfcast.registry import Version

_SHOWN_TRIALS = 30
_SHOWN_SETTINGS = 6
_METRICS = {
    "mae": "mean error (MAE)",
    "rmse": "RMSE",
    "r2": "R²",
    "mape": "mean error (MAPE)",
    "median_ape": "median error",
    "within_5": "rows within 5 %",
    "within_10": "rows within 10 %",
    "within_20": "rows within 20 %",
}


def version_json(version: "Version") -> dict[str, Any]:
    import msgspec

    document = {"model": version.model, "version": version.number, "label": version.label, "note": version.note}
    return document | dict(msgspec.to_builtins(version.manifest))


def show_version(version: "Version", correction: "Correction | None" = None) -> None:
    manifest, graph = version.manifest, version.manifest.graph
    facts: dict[str, object] = {
        "version": version.reference + (f" ({version.label})" if version.label else ""),
        "type": manifest.type,
        "made": manifest.created_at,
        "note": version.note or None,
    }
    if manifest.data is not None:
        facts["data"] = f"{manifest.data.name}@{manifest.data.digest[:8]}, {manifest.data.rows:,} rows"
    facts |= {
        "graph": with_unit(graph.bytes / 1000, "kB"),
        "one row takes": with_unit(graph.row_us, "µs"),
        "fitted in": with_unit(manifest.seconds, "s"),
    }
    if correction is not None and manifest.calibration is not None:
        facts["90 % interval"] = _corrected(correction.document(relative=manifest.calibration.relative))
    show_facts(facts | {f"remark {number}": note for number, note in enumerate(manifest.notes, start=1)})
    if manifest.metrics is not None:
        print("\non held-out rows")
        unit = str(manifest.workload.get("cost", {}).get("unit", ""))
        units = {"mae": unit, "rmse": unit, "r2": ""}
        held_out = {
            shown: with_unit(getattr(manifest.metrics, name), units.get(name, "%")) for name, shown in _METRICS.items()
        }
        inside = {
            "rows in 90 % interval": with_unit(manifest.metrics.coverage.get("0.9"), "%"),
            "in the worst fifth of cost": with_unit(manifest.metrics.worst_fifth.get("0.9"), "%"),
        }
        show_facts(held_out | inside)
    if manifest.importance:
        shares = [(name, 100 * share) for name, share in manifest.importance.items()]
        show_table(("feature", "importance %"), shares, title="\nwhat matters")
    settings = [(name, _plain(value)) for name, value in manifest.settings.items() if name != "fit"]
    show_table(("setting", "value"), settings, title="\nsettings")
    _show_search(manifest.search)


def _corrected(correction: Mapping[str, Any]) -> str | None:
    """Where its actuals have moved the bounds to."""
    moved = correction["bounds"].get("0.9")
    if moved is None:
        return None
    sign = "×" if correction["kind"] == "factor" else ""
    lower, upper = (f"{sign}{moved[side]:.3g}" if sign else f"{moved[side]:+.3g}" for side in ("lower", "upper"))
    return f"corrected by {correction['actuals']:,} actuals: lower {lower}, upper {upper}"


def _show_search(search: Mapping[str, Any]) -> None:
    if not search:
        return
    states = {"complete": "complete", "pruned": "given up early", "failed": "failed"}
    counts = ", ".join(f"{search[name]} {shown}" for name, shown in states.items() if search.get(name))
    print("\nsearch")
    show_facts({
        "trials": f"{search.get('trials', 0)} ({counts})",
        "took": with_unit(search.get("seconds"), "s"),
        "best score": with_unit(search.get("score"), f"({search.get('metric', '')})"),
        "side by side": search.get("slots"),
        "started from known": search.get("warm_starts"),
        "seed": search.get("seed"),
    })  # fmt: skip
    history = search.get("history", ())
    if history:
        best = min((row["score"] for row in history if row["score"] is not None), default=None)
        rows = [_trial(row, best) for row in history[-_SHOWN_TRIALS:]]
        title = f"\ntrials (the last {len(rows)} of {len(history)} kept)" if len(rows) < len(history) else "\ntrials"
        show_table(("trial", "family", "state", "score", "seconds", "settings"), rows, title=title)
    shares = search.get("importance", {})
    if shares:
        rows_of = [(family, name, 100 * share) for family, own in shares.items() for name, share in own.items()]
        show_table(("family", "setting", "importance %"), rows_of, title="\nwhich settings mattered")


def _trial(row: Mapping[str, Any], best: float | None) -> tuple[object, ...]:
    mark = " *" if best is not None and row["score"] == best else ""
    shown = list(row.get("settings", {}).items())
    settings = ", ".join(f"{name}={_plain(value)}" for name, value in shown[:_SHOWN_SETTINGS])
    more = " …" if len(shown) > _SHOWN_SETTINGS else ""
    return (row["trial"], row["family"], row["state"] + mark, row["score"], row["seconds"], settings + more)


def _plain(value: object) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)
