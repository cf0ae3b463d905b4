"""What more rows would bring: a version's family and settings fitted anew on growing shares of its rows."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any, TypeAlias

import msgspec
import numpy as np
import numpy.typing as npt

from perfcast.datasets import Part, Split, configuration_numbers
from perfcast.errors import Refused
from perfcast.export import Target
from perfcast.manifest import Manifest, Metrics
from perfcast.training._base import Base, basis_of
from perfcast.training._draft import Trained
from perfcast.training._ensemble import ENSEMBLE, FittedEnsemble
from perfcast.training._from_base import start_from
from perfcast.training._path import Path
from perfcast.training._train import warm_start
from perfcast.training.families import Family, Fitted, Lesson, families
from perfcast.training.fits import member_seed
from perfcast.training.judging import evaluate
from perfcast.workloads import workload_from_document

Numbers: TypeAlias = npt.NDArray[np.int64]
SHARES = (0.1, 0.2, 0.4, 0.7, 1.0)
"""Of the rows that the version has learnt from."""
FEW, DRAWS = 1_000, 3
"""Where there are fewer configurations, each share is drawn so many times: one draw would show little but chance."""


def learning_curve(
    manifest: Manifest, split: Split, *, base: Base | None = None, seed: int = 0, threads: int = 1
) -> Iterator[tuple[int, Metrics]]:
    """Fit on each of `SHARES`, and judge on the held-out rows; a fit begins when the next result is asked for.

    Each share holds the ones before it. Of rows in time it is the newest, because those are what a younger history
    would have had; else configurations, drawn by chance, and where they are few the mean of several draws is told. A
    family of members is fitted with all of them, as a version is.

    Args:
        manifest: Of the version.
        split: The parts it was made and judged with.
        base: What its manifest says it starts from.
        seed: Of everything random.
        threads: Most threads to use; with one, fits take as long as they did in the search, and nobody is in their way.

    Returns:
        For each share how many rows it has, and the held-out metrics.

    Raises:
        Refused: Its family can't be fitted here.
    """
    workload = workload_from_document(manifest.workload)
    path = Path(workload, manifest.path, base or basis_of(workload))
    members = [(_family(name), _plain(settings)) for name, settings in warm_start(manifest)]
    learnt, groups = _learnt(manifest, split)
    for share in SHARES:
        rows, answers = max(1, round(share * len(learnt))), []
        for draw in range(_draws(split, share)):
            part = learnt.take(_order(learnt, groups, split.kind, seed + draw)[:rows])
            answers.append(_fitted(path, part, members, manifest, seed, threads).predict(split.test.features))
        metrics = evaluate(np.tile(split.test.cost, len(answers)), np.concatenate(answers))
        yield rows, msgspec.structs.replace(metrics, rows=len(split.test))


def shares_together(split: Split) -> float:
    """Final fits that a learning curve is about as long as."""
    return sum(share * _draws(split, share) for share in SHARES)


def _draws(split: Split, share: float) -> int:
    """How many times a share is drawn; all rows, and the newest ones, are always the same."""
    few = split.kind == "configuration" and len(np.unique(split.groups)) < FEW
    return DRAWS if few and share < 1 else 1


def _family(name: str) -> Family:
    known = families()
    if name not in known:
        raise Refused(f"a learning curve fits the version's family anew, and '{name}' is none of {', '.join(known)}")
    return known[name]


def _plain(settings: Mapping[str, Any]) -> Mapping[str, Any]:
    """Without what the fit only tells about itself."""
    return {name: value for name, value in settings.items() if name != "fit"}


def _learnt(manifest: Manifest, split: Split) -> tuple[Part, Numbers]:
    """The rows that the version has learnt from, and a number for each configuration, int64 [rows]."""
    train, more = split.train, split.calibrate
    if not manifest.learnt_all:
        return train, split.groups
    moments = None
    if train.measured_at is not None and more.measured_at is not None:
        moments = np.concatenate([train.measured_at, more.measured_at])
    both = Part(np.concatenate([train.features, more.features]), np.concatenate([train.cost, more.cost]), moments)
    return both, np.concatenate([split.groups, split.groups.max() + 1 + configuration_numbers(more.features)])


def _order(rows: Part, groups: Numbers, kind: str, seed: int) -> Numbers:
    """The positions of the rows, those to learn from first."""
    if kind == "time" and rows.measured_at is not None:
        return np.argsort(rows.measured_at, kind="stable")[::-1]
    ranks = np.random.default_rng(seed).permutation(int(groups.max()) + 1)
    return np.argsort(ranks[groups], kind="stable")


def _fitted(
    path: Path, part: Part, members: list[tuple[Family, Mapping[str, Any]]], manifest: Manifest, seed: int, threads: int
) -> Trained:
    target = Target.of(path.workload, part.cost)
    lesson = Lesson(
        path.inputs(part.features),
        target.from_cost(part.cost),
        path.input_names,
        path.trends,
        path.workload.cost.relative,
        seed,
        threads,
        stated=path.stated,
        straight=path.straight,
    )
    known = {family.name: family for family, _ in members}
    learners = start_from(path.base, target, known) if path.base else known
    fitted = [_whole(learners[family.name], lesson, settings) for family, settings in members]
    if manifest.type != ENSEMBLE:
        return Trained(path, manifest.type, fitted[0], target)
    weights = {family.name: manifest.settings["weights"][family.name] for family, _ in members}
    return Trained(path, ENSEMBLE, FittedEnsemble(tuple(fitted), weights), target)


def _whole(family: Family, lesson: Lesson, settings: Mapping[str, Any]) -> Fitted:
    seeds = [member_seed(lesson.seed, member) for member in range(family.members)]
    return family.join([family.fit(replace(lesson, seed=seed), settings) for seed in seeds])
