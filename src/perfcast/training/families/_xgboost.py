"""Gradient-boosted trees (Chen and Guestrin 2016, "XGBoost: A Scalable Tree Boosting System")."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any

import numpy as np

from perfcast.errors import Stopped
from perfcast.training.families._family import Family, Fitted, Lesson, Report, Settings, Space, Stop, Trial, never
from perfcast.training.families._line import SHARE, SHARES, FittedOnLine, above, has_use, line_beneath
from perfcast.training.families._tree_graph import BYTES_PER_NODE, FittedTrees, Trees, join
from perfcast.workloads import Rows

if TYPE_CHECKING:
    import xgboost

MOST_ROUNDS = 2000
MOST_LEARNT = 40.0
"""The sum of learning rates at which boosting ends at the latest: what comes later gains next to nothing."""
LARGEST_BODY = 11_000_000
"""Bytes the trees may take; leaves room for other members of an ensemble."""
PATIENCE = 50
"""Rounds without progress on the validation rows, at a learning rate of 0.1, after which boosting ends."""
MANY_INPUTS = 60
"""Beyond so many each tree reads a smaller share of them: quicker, and no worse."""
REPORT_EVERY = 1.0
"""Progress is reported each time the sum of learning rates has grown by this, so that fits can be compared."""
OBJECTIVES = {"squared": "reg:squarederror", "absolute": "reg:absoluteerror", "pseudo_huber": "reg:pseudohubererror"}
HUBER_SLOPE = 0.2
"""From how many standard deviations on Huber's loss is linear."""


@dataclass(frozen=True)
class FittedXGBoost(FittedTrees):
    """A booster cut after its best round."""

    booster: "xgboost.Booster"

    def predict(self, inputs: Rows) -> Rows:
        """XGBoost's own prediction."""
        answer: Rows = self.booster.inplace_predict(inputs)
        return answer.astype(np.float32, copy=False)

    @cached_property
    def trees(self) -> Trees:
        """All of the booster's."""
        learner = json.loads(self.booster.save_raw("json"))["learner"]
        trees = learner["gradient_booster"]["model"]["trees"]
        base = learner["learner_model_param"]["base_score"]  # "[5E-1]" since XGBoost 3.1, "5E-1" before
        return Trees(
            left=join([tree["left_children"] for tree in trees]),
            right=join([tree["right_children"] for tree in trees]),
            feature=join([tree["split_indices"] for tree in trees]),
            value=np.concatenate([np.asarray(tree["split_conditions"], dtype=np.float32) for tree in trees]),
            sizes=tuple(len(tree["left_children"]) for tree in trees),
            mode="BRANCH_LT",
            base=float(base.strip("[]")),
        )


class XGBoost(Family):
    """Gradient-boosted trees with histogram splits; on a GPU where XGBoost sees one."""

    name = "xgboost"

    def keeps_trends(self, settings: Settings) -> bool:  # noqa: ARG002
        """Every split is held to them."""
        return True

    def start(self, lesson: Lesson) -> Settings:
        """Moderately deep trees, few inputs each where there are many; robust where an absolute cost has trends."""
        return {
            "objective": "absolute" if has_use(lesson) else "squared",
            "learning_rate": 0.08,
            "max_leaves": 48,
            "min_child_weight": 4.0,
            "subsample": 0.8,
            "colsample_bytree": 0.3 if lesson.inputs.shape[1] > MANY_INPUTS else 0.6,
            "reg_lambda": 1.0,
            "reg_alpha": 1e-3,
            "max_bin": 256,
            **({"line": SHARE} if has_use(lesson) else {}),
        }

    def space(self, trial: Trial, lesson: Lesson) -> Settings:
        """Objective, learning rate, trees, sampling, regularisation, line."""
        space = Space(trial, self.name)
        space.choice("objective", list(OBJECTIVES))
        space.number("learning_rate", 0.015, 0.3, log=True)
        space.whole("max_leaves", 8, 255, log=True)
        space.number("min_child_weight", 1.0, 50.0, log=True)
        space.number("subsample", 0.5, 1.0)
        space.number("colsample_bytree", 0.3, 1.0)
        space.number("reg_lambda", 1e-3, 20.0, log=True)
        space.number("reg_alpha", 1e-3, 5.0, log=True)
        space.choice("max_bin", [128, 256, 512])
        if has_use(lesson):
            space.choice("line", SHARES)
        return space.settings

    def fit(self, lesson: Lesson, settings: Settings, *, stop: Stop = never, report: Report | None = None) -> Fitted:
        """Boost until the validation rows no longer gain, or for the rounds that the settings carry."""
        line = line_beneath(lesson, float(settings.get("line", 0.0)))
        fitted = _boosted(above(line, lesson) if line else lesson, settings, stop, report)
        return FittedOnLine(fitted, line) if line else fitted


def _boosted(lesson: Lesson, settings: Settings, stop: Stop, report: Report | None) -> FittedXGBoost:
    import xgboost

    fitting = LARGEST_BODY // (BYTES_PER_NODE * (2 * int(settings["max_leaves"]) - 1))
    most = min(MOST_ROUNDS, fitting, round(MOST_LEARNT / float(settings["learning_rate"])))
    rounds = min(int(settings.get("rounds", most)), most)
    matrix = partial(xgboost.QuantileDMatrix, max_bin=int(settings["max_bin"]), nthread=lesson.threads)
    train = matrix(lesson.inputs, lesson.target)
    watched = [(matrix(*lesson.validation, ref=train), "validation")] if lesson.validation is not None else []
    booster = xgboost.train(
        _parameters(lesson, settings),
        train,
        num_boost_round=rounds,
        evals=watched,
        obj=_huber(lesson) if _is_huber(lesson, settings) else None,
        verbose_eval=False,
        callbacks=_callbacks(lesson, settings, stop, report),
    )
    return _cut(booster, settings, lesson)


def _parameters(lesson: Lesson, settings: Settings) -> dict[str, Any]:
    shared = ("learning_rate", "max_leaves", "min_child_weight", "subsample", "colsample_bytree", "reg_lambda")
    spread = float(np.std(lesson.target)) or 1.0
    parameters = {
        "objective": OBJECTIVES["squared" if _is_huber(lesson, settings) else settings["objective"]],
        "eval_metric": "mae",
        "tree_method": "hist",
        "device": _device(),
        "grow_policy": "lossguide",
        "max_depth": 0,
        "huber_slope": 0.3 * spread,
        "base_score": float(np.median(lesson.target)),
        "reg_alpha": settings["reg_alpha"],
        "max_bin": settings["max_bin"],
        "seed": lesson.seed,
        "nthread": lesson.threads,
        "verbosity": 0,
        **{name: settings[name] for name in shared},
    }
    if any(lesson.trends):
        parameters["monotone_constraints"] = f"({','.join(map(str, lesson.trends))})"
    return parameters


def _is_huber(lesson: Lesson, settings: Settings) -> bool:
    """Whether Huber's loss stands for the robust objective that is asked for, because there are trends.

    XGBoost sets leaves anew for absolute errors, to medians, which takes no heed of constraints. For pseudo-Huber's
    loss it does, but the second derivative vanishes with the error, and with it what rows count for in a split (mean
    absolute error 2.7 against 1.6 on a service's CPU utilisation). Huber's is taken as 1 everywhere.
    """
    return any(lesson.trends) and settings["objective"] != "squared"


def _huber(lesson: Lesson) -> "Callable[[Rows, xgboost.DMatrix], tuple[Rows, Rows]]":
    """First and second derivatives of Huber's loss (1964), float32 [rows] each, by predictions."""
    slope = np.float32(HUBER_SLOPE * (float(np.std(lesson.target)) or 1.0))
    ones = np.ones_like(lesson.target)

    def derivatives(predicted: Rows, _: "xgboost.DMatrix") -> tuple[Rows, Rows]:
        return np.clip(predicted - lesson.target, -slope, slope), ones

    return derivatives


def _device() -> str:
    import xgboost

    if not xgboost.build_info().get("USE_CUDA"):
        return "cpu"
    import torch

    return "cuda" if torch.cuda.is_available() else "cpu"


def _callbacks(
    lesson: Lesson, settings: Settings, stop: Stop, report: Report | None
) -> "list[xgboost.callback.TrainingCallback]":
    import xgboost

    rate = float(settings["learning_rate"])

    class Watch(xgboost.callback.TrainingCallback):
        """Asks whether to stop, and reports."""

        def after_iteration(self, model: Any, epoch: int, evals_log: Any) -> bool:  # noqa: ARG002
            if report is not None and lesson.validation is not None:
                progress = int((epoch + 1) * rate / REPORT_EVERY)
                if progress > int(epoch * rate / REPORT_EVERY):
                    report(progress, min(evals_log["validation"]["mae"]))
            return stop()

    patience = max(20, round(PATIENCE * min(3.0, 0.1 / rate)))
    return [Watch()] + [xgboost.callback.EarlyStopping(rounds=patience)] * (lesson.validation is not None)


def _cut(booster: "xgboost.Booster", settings: Settings, lesson: Lesson) -> FittedXGBoost:
    """Keep the trees up to the best round."""
    rounds = booster.num_boosted_rounds()
    if rounds == 0:
        raise Stopped("xgboost was stopped before its first round")
    if lesson.validation is not None:
        best = booster.attr("best_iteration")
        rounds = min(rounds, int(best) + 1) if best is not None else rounds
    kept = booster[:rounds]
    kept.set_param({"nthread": lesson.threads, "device": "cpu"})
    return FittedXGBoost({**settings, "rounds": rounds}, lesson.inputs.shape[1], kept)
