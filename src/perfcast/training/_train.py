"""The one call that turns a dataset into versions ready to be registered."""

import time
from collections.abc import Collection, Mapping
from contextlib import closing
from dataclasses import dataclass, replace
from typing import Any, Literal, TypeAlias, Unpack

import numpy as np

from perfcast.datasets import Dataset, Split
from perfcast.errors import InvalidData, InvalidSetting, Refused, Stopped
from perfcast.manifest import LARGEST_GRAPH, Draft, Manifest
from perfcast.processors import processors
from perfcast.telemetry import span
from perfcast.training._base import Base, basis_of
from perfcast.training._clock import Budget, drafting
from perfcast.training._draft import Trained, draft, proven
from perfcast.training._ensemble import ENSEMBLE, FittedEnsemble, mix
from perfcast.training._final import final_fits, second_fits
from perfcast.training._from_base import both_ways, start_from, without_needless_base
from perfcast.training.families import Family, Stop, families, never
from perfcast.training.fits import Executor, inner_validation, make_executor, predict_held
from perfcast.training.search import Search, SearchOptions, Start, search
from perfcast.workloads import Rows

FEW_TRIALS = 8
"""So few trials are to be quick: they take turns, since starting processes would cost more than it gains, and what they
find has few members and doesn't learn twice."""
PLAIN = "plain"
Trends: TypeAlias = Literal["prefer", "require", "ignore"]
DEAR = 0.05
"""Share of its tuning score that keeping trends may cost before a note says so."""
OVERTIME = 1.05
"""Share of the time limit by which all must be done: final fits end so much earlier as drafting takes."""


@dataclass(frozen=True)
class Training:
    """What a training run made.

    Attributes:
        drafts: The best version of each family and, where it gains, their mean; best tuning score first, but those
            that keep the trends that the workload declares before those that promise none.
        split: The parts they were made and judged with.
        refused: Families that have no version, with the reason.
        seconds: How long all of it took.
    """

    drafts: tuple[Draft, ...]
    split: Split
    refused: Mapping[str, str]
    seconds: float


def train(
    dataset: Dataset,
    budget: Budget,
    *,
    family_names: Collection[str] = (),
    seed: int = 0,
    threads: int | None = None,
    cluster: str = "",
    base: Base | None = None,
    trends: Trends = "prefer",
    stop: Stop = never,
    **options: Unpack[SearchOptions],
) -> Training:
    """Split, search, fit each family's best for good, and draft.

    Args:
        dataset: Measured rows.
        budget: Trials and seconds.
        family_names: Which families to try, and `ensemble` for their mean; all by default.
        seed: Of everything random but the split.
        threads: Most threads to use on this machine; all that this process may use by default.
        cluster: Address of a Dask scheduler, on whose workers the fits then run; empty for this machine.
        base: An older version, such as another device's, that each family starts from if it gains by it.
        trends: Whether versions that keep the trends that the workload declares come first, are the only ones, or
            nothing is held to them.
        stop: Asked often; once true, `Stopped` is raised soon.
        options: See `SearchOptions`.

    Raises:
        Stopped: It was asked to.
        Refused: No family made a usable version, none keeps the trends that are required, or the base is of another
            workload.
        InvalidSetting: There is no family of that name.
        InvalidData: The basis of the cost is not above 0 in some row.
    """
    begun = time.monotonic()
    chosen, mixing = _chosen(family_names)
    split, workload = dataset.split(), dataset.workload
    if base is not None:
        base.require(workload)
    _check_basis(dataset)
    base = base or basis_of(workload)
    heeded = trends != "ignore"
    inner = inner_validation(split, workload, seed=seed, threads=threads or processors(), base=base, heeded=heeded)
    if base is not None:
        chosen = start_from(base, inner.target, chosen)
        if not base.has_basis:
            options["warm_start"] = [*options.get("warm_start", ()), *both_ways(chosen)]
    deadline = float("inf") if budget.timeout is None else begun + OVERTIME * budget.timeout
    quick = budget.trials <= FEW_TRIALS
    with closing(make_executor(inner, several=not quick, cluster=cluster, stop=stop)) as executor:
        with span("search", attributes={"perfcast.trials": budget.trials, "perfcast.rows": len(inner.lesson.target)}):
            found = search(inner, chosen, budget, executor, stop=stop, **options)
        deadline -= drafting(len(found.best_of_each_family), len(inner.lesson.target))
        with span("final fits"):
            fitted = fit_best(split, chosen, found, executor, mixing=mixing, quick=quick, deadline=deadline, stop=stop)
        models = [without_needless_base(model) for model in fitted]
    models, against = _by_trends(models, trends, declared=any(workload.trends))
    unfitted = sorted(set(found.best_of_each_family) - {model.family for model in models} - set(against))
    late = dict.fromkeys(unfitted, "the time limit left no time for its final fit")
    left_out = found.summary["left_out"] | late | against
    drafts, refused = _drafts(dataset, split, models, {**found.summary, "left_out": left_out}, stop)
    return Training(drafts, split, left_out | refused, round(time.monotonic() - begun, 2))


def fit_best(
    split: Split,
    chosen: Mapping[str, Family],
    found: Search,
    executor: Executor,
    *,
    mixing: bool = True,
    quick: bool = False,
    deadline: float = float("inf"),
    stop: Stop = never,
) -> list[Trained]:
    """Fit each family's best settings on all training rows, see whether they keep trends, add their mean.

    Trends are swept over the split's calibration rows. The mean is made where it is asked for and gains. Where there is
    time all learn again, from the calibration rows too, unless it is to be quick. At the deadline (`time.monotonic()`)
    a fit ends with what it has, which its notes then say.

    Returns:
        Best tuning score first, but a plain model before what is not clearly better; without families that the deadline
        left no time for.

    Raises:
        Stopped: It was asked to.
        Unavailable: Where they run can't be reached any more.
    """
    found, held = _plainest(chosen, found, _held_predictions(chosen, found, stop))
    fitted = final_fits(chosen, found, executor, deadline=deadline, stop=stop, quick=quick)
    rows = split.calibrate.features
    models = {name: proven(model, rows) for name, model in fitted.items()}
    # Where trends are declared only models that keep them are mixed, so that the mean keeps them too.
    members = [name for name, model in models.items() if model.keeps_trends] or list(models)
    several = [name for name, family in chosen.items() if family.members > 1]
    known = {name: held[name] for name in members}
    mixture = mix(found.inner, known, plain=held.get(PLAIN), several=several) if mixing else None
    seconds = {} if quick else second_fits(fitted.values(), chosen, found, executor, deadline=deadline, stop=stop)
    for name, model in seconds.items():
        whole = proven(model, rows)
        if whole.keeps_trends == models[name].keeps_trends:
            fitted[name], models[name] = model, whole
    if mixture is not None:
        mean = replace(_mixed(fitted, *mixture), keeps_trends=models[members[0]].keeps_trends)
        models[ENSEMBLE] = proven(mean, rows)
    order = [ENSEMBLE, *found.best_of_each_family]
    return sorted(models.values(), key=lambda model: (model.keeps_trends is False, order.index(model.family)))


def _by_trends(models: list[Trained], trends: Trends, *, declared: bool) -> tuple[list[Trained], dict[str, str]]:
    """The models that are wanted, with notes on what trends cost; and why others aren't.

    Raises:
        Refused: None keeps the trends that are required.
    """
    if not declared:
        return models, {}
    if trends == "ignore":
        ignored = "the trends that the workload declares were ignored, as was asked"
        return [replace(model, keeps_trends=False, notes=(*model.notes, ignored)) for model in models], {}
    kept = [model for model in models if model.keeps_trends]
    free = [model for model in models if not model.keeps_trends]
    if trends == "require":
        if not kept:
            raise Refused("no version keeps the trends that the workload declares; without `require` others would come")
        return kept, {model.family: "it doesn't keep the trends that are required" for model in free}
    scored = [model for model in free if model.score is not None]
    if kept and scored and kept[0].score is not None:
        best = min(scored, key=lambda model: model.score or 0.0)
        dearer = kept[0].score / best.score - 1 if best.score else 0.0
        if dearer > DEAR:
            note = (
                f"keeping the declared trends costs {100 * dearer:.0f} % of accuracy in tuning: {best.family} without "
                f"them has {best.score:.4g} against {kept[0].score:.4g}; `--trends ignore` would take it"
            )
            kept[0] = replace(kept[0], notes=(*kept[0].notes, note))
    return [*kept, *free], {}


def warm_start(manifest: Manifest) -> tuple[Start, ...]:
    """The settings of a version, each family's of a mean, for a later search to begin with."""
    if manifest.type != ENSEMBLE:
        return ((manifest.type, manifest.settings),)
    members = manifest.settings.get("weights", {})
    return tuple((name, manifest.settings[name]) for name in members if name in manifest.settings)


def _chosen(names: Collection[str]) -> tuple[dict[str, Family], bool]:
    known = families()
    wrong = [name for name in names if name not in known and name != ENSEMBLE]
    if wrong:
        raise InvalidSetting(f"no family is called '{wrong[0]}'; there are {', '.join([*known, ENSEMBLE])}")
    chosen = {name: family for name, family in known.items() if name in names or not set(names) - {ENSEMBLE}}
    return chosen, not names or ENSEMBLE in names


def _plainest(chosen: Mapping[str, Family], found: Search, held: dict[str, Rows]) -> tuple[Search, dict[str, Rows]]:
    """Put the plain trial first, unless the best is clearly better; with what they predict on the validation rows.

    Where it keeps trends that are declared, the best of those that do is what it is held against.
    """
    plain = found.plain
    if plain is None:
        return found, held
    trials = list(found.best_of_each_family.values())
    if any(found.inner.lesson.trends) and chosen[plain.family].keeps_trends(plain.settings):
        trials = [trial for trial in trials if chosen[trial.family].keeps_trends(trial.settings)]
    if trials and found.inner.clearly_better(held[trials[0].family], held[PLAIN]):
        return found, held
    others = {name: trial for name, trial in found.best_of_each_family.items() if name != plain.family}
    return replace(found, best_of_each_family={plain.family: plain, **others}), {**held, plain.family: held[PLAIN]}


def _held_predictions(chosen: Mapping[str, Family], found: Search, stop: Stop) -> dict[str, Rows]:
    """What each best trial, and the `PLAIN` one, says of the inner validation rows; some are asked again."""
    trials = {**found.best_of_each_family, **({PLAIN: found.plain} if found.plain else {})}
    held = dict[str, Rows]()
    for name, trial in trials.items():
        known, family = trial.held, chosen[trial.family]
        held[name] = predict_held(found.inner, family, trial.settings, stop) if known is None else known
    return held


def _mixed(models: Mapping[str, Trained], weights: dict[str, float], score: float) -> Trained:
    members = [models[name] for name in weights]
    first = FittedEnsemble(tuple(member.first or member.fitted for member in members), weights)
    return replace(
        members[0],
        family=ENSEMBLE,
        fitted=FittedEnsemble(tuple(member.fitted for member in members), weights),
        first=first if any(member.first is not None for member in members) else None,
        settings={"weights": weights, **{member.family: dict(member.settings) for member in members}},
        score=score,
        seconds=sum(member.seconds for member in members),
        notes=tuple(dict.fromkeys(note for member in members for note in member.notes)),
    )


def _drafts(
    dataset: Dataset, split: Split, models: list[Trained], summary: Mapping[str, Any], stop: Stop
) -> tuple[tuple[Draft, ...], dict[str, str]]:
    drafts, refused = [], {}
    for model in models:
        if stop():
            raise Stopped("training was stopped")
        try:
            with span("export", attributes={"perfcast.family": model.family}):
                drafts.append(draft(dataset.workload, dataset, split, model, search=summary))
        except Refused as reason:
            refused[model.family] = str(reason)
    if not drafts:
        raise Refused(f"no family made a usable version: {refused} (a graph may have {LARGEST_GRAPH} bytes)")
    return tuple(drafts), refused


def _check_basis(dataset: Dataset) -> None:
    """Refuse rows of which the cost's basis is no multiplier.

    Raises:
        InvalidData: It is not above 0 somewhere; names the quantity, its value and the row.
    """
    workload = dataset.workload
    if workload.cost.basis is None:
        return
    values = workload.inputs(dataset.features)[:, workload.input_names.index(workload.cost.basis)]
    wrong = np.flatnonzero(~((values > 0) & np.isfinite(values)))
    if len(wrong):
        at = int(wrong[0])
        told = f"{workload.cost.basis}, the basis of the cost, is {values[at]:g} in row {at}"
        raise InvalidData(f"{told}; it must be above 0")
