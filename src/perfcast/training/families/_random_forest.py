"""Averaged trees: random forests (Breiman 2001) and extremely randomised trees (Geurts, Ernst and Wehenkel 2006)."""

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from perfcast.errors import Stopped
from perfcast.training.families._family import Family, Fitted, Lesson, Report, Settings, Space, Stop, Trial, never
from perfcast.training.families._line import SHARE, SHARES, FittedOnLine, above, has_use, line_beneath
from perfcast.training.families._tree_graph import BYTES_PER_NODE, FittedTrees, Trees, join, rounded_down
from perfcast.workloads import Rows

if TYPE_CHECKING:
    from sklearn.ensemble import ExtraTreesRegressor, RandomForestRegressor

LARGEST_BODY = 8_000_000
"""Bytes the trees may take; a few seconds of export and a few MB to load."""
MOST_ROWS_PER_TREE = 20_000
"""Rows that one tree is grown on, so that a stop is never far away."""


@dataclass(frozen=True)
class FittedForest(FittedTrees):
    """A forest; of fewer trees where its fit was stopped."""

    forest: "RandomForestRegressor | ExtraTreesRegressor"

    def predict(self, inputs: Rows) -> Rows:
        """scikit-learn's own prediction."""
        return np.asarray(self.forest.predict(inputs), dtype=np.float32)

    @cached_property
    def trees(self) -> Trees:
        """All of the forest's."""
        grown = [estimator.tree_ for estimator in self.forest.estimators_]
        leaf = np.concatenate([tree.children_left < 0 for tree in grown])
        leaves = np.concatenate([tree.value[:, 0, 0] for tree in grown])
        # Leaves far from 0 would lose digits in float32 sums; the middle goes into the base value.
        middle = float(np.median(leaves[leaf]))
        value = rounded_down(np.concatenate([tree.threshold for tree in grown]))
        return Trees(
            left=join([tree.children_left for tree in grown]),
            right=join([tree.children_right for tree in grown]),
            feature=join([tree.feature for tree in grown]),
            value=np.where(leaf, ((leaves - middle) / len(grown)).astype(np.float32), value),
            sizes=tuple(int(tree.node_count) for tree in grown),
            mode="BRANCH_LEQ",
            base=middle,
        )


class RandomForest(Family):
    """Averaged trees, bounded in leaves so that the graph stays small."""

    name = "random_forest"

    def keeps_trends(self, settings: Settings) -> bool:
        """Where they were asked for."""
        return bool(settings["keep_trends"])

    def start(self, lesson: Lesson) -> Settings:
        """Extremely randomised trees: quicker to grow and as good on smooth costs.

        Not where trends are to be kept: each split limits what lies below by the middle of its two sides, which for
        thresholds at random is far from the truth (mean absolute error 10.2 against 6.6 on a service's CPU
        utilisation; 4.7 without the trends, so the search may leave them).
        """
        kind = "random_forest" if any(lesson.trends) else "extra_trees"
        settings = {"kind": kind, "trees": 32, "max_features": 0.6, "min_samples_leaf": 2, "keep_trends": True}
        return {**settings, "line": SHARE} if has_use(lesson) else settings

    def space(self, trial: Trial, lesson: Lesson) -> Settings:
        """Kind, number of trees, inputs tried at a split, rows in a leaf, whether trends are kept, line."""
        space = Space(trial, self.name)
        space.choice("kind", ["extra_trees", "random_forest"])
        space.whole("trees", 16, 96, log=True)
        space.number("max_features", 0.2, 1.0)
        space.whole("min_samples_leaf", 1, 12, log=True)
        space.choice("keep_trends", [True, False])
        if has_use(lesson):
            space.choice("line", SHARES)
        return space.settings

    def fit(
        self,
        lesson: Lesson,
        settings: Settings,
        *,
        stop: Stop = never,
        report: Report | None = None,  # noqa: ARG002
    ) -> Fitted:
        """Grow a few trees at a time."""
        line = line_beneath(lesson, float(settings.get("line", 0.0)))
        fitted = _grown(above(line, lesson) if line else lesson, settings, stop)
        return FittedOnLine(fitted, line) if line else fitted


def _grown(lesson: Lesson, settings: Settings, stop: Stop) -> FittedForest:
    forest, trees = _forest(lesson, settings), int(settings["trees"])
    for grown in range(0, trees, lesson.threads):
        if stop():
            break
        forest.set_params(n_estimators=min(trees, grown + lesson.threads))
        forest.fit(lesson.inputs, lesson.target.astype(np.float64))
        # A tree's prediction is quick; the forest's own is not, so its errors are not reported on the way.
    if not hasattr(forest, "estimators_"):
        raise Stopped("random_forest was stopped before its first tree")
    forest.set_params(n_jobs=1)
    return FittedForest({**settings, "trees": len(forest.estimators_)}, lesson.inputs.shape[1], forest)


def _forest(lesson: Lesson, settings: Settings) -> "RandomForestRegressor | ExtraTreesRegressor":
    from sklearn.ensemble import ExtraTreesRegressor, RandomForestRegressor

    kind = ExtraTreesRegressor if settings["kind"] == "extra_trees" else RandomForestRegressor
    rows, trees = len(lesson.target), int(settings["trees"])
    few, keep = rows > MOST_ROWS_PER_TREE, bool(settings["keep_trends"]) and any(lesson.trends)
    bootstrap = few or settings["kind"] == "random_forest"
    fewest = int(settings["min_samples_leaf"])
    leaves = max(2, LARGEST_BODY // (2 * BYTES_PER_NODE * trees))
    return kind(
        n_estimators=trees,
        max_features=float(settings["max_features"]),
        min_samples_leaf=fewest,
        # Best-first growth costs more, so it is asked for only where leaves could become too many.
        max_leaf_nodes=leaves if min(rows, MOST_ROWS_PER_TREE) // fewest > leaves else None,
        bootstrap=bootstrap,
        max_samples=MOST_ROWS_PER_TREE if few else None,
        monotonic_cst=list(lesson.trends) if keep else None,
        random_state=lesson.seed,
        n_jobs=lesson.threads,
        warm_start=True,
    )
