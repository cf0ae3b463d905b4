"""LightGBM or CatBoost on rows from a folder; prints how many seconds the fit took. Run by trees.py."""

import sys
import time
from pathlib import Path

import numpy as np


def main() -> None:
    """Fit, predict, tell the seconds."""
    folder, peer = Path(sys.argv[1]), sys.argv[2]
    rows = np.load(folder / "rows.npz")
    begun = time.monotonic()
    predicted = {"LightGBM": _lightgbm, "CatBoost": _catboost}[peer](rows["known"], rows["target"], rows["held"])
    print(time.monotonic() - begun)
    np.save(folder / "predicted.npy", predicted)


def _lightgbm(known, target, held):  # noqa: ANN001, ANN202 - libraries of the peers' environment
    import lightgbm

    settings = {
        "objective": "l2", "learning_rate": 0.08, "num_leaves": 48, "min_data_in_leaf": 8, "feature_fraction": 0.3,
        "bagging_fraction": 0.8, "bagging_freq": 1, "num_threads": 1, "verbose": -1, "seed": 0,
    }  # fmt: skip
    return lightgbm.train(settings, lightgbm.Dataset(known, target), 400).predict(held)


def _catboost(known, target, held):  # noqa: ANN001, ANN202 - libraries of the peers' environment
    import catboost

    settings = {"iterations": 1500, "learning_rate": 0.08, "depth": 7, "rsm": 0.3, "thread_count": 1, "random_seed": 0}
    model = catboost.CatBoostRegressor(**settings, verbose=0, allow_writing_files=False)
    return model.fit(known, target).predict(held)


if __name__ == "__main__":
    main()
