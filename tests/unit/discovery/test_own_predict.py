"""A graph is held against what its user would call, also on the values at which a model turns."""

from typing import Any

import numpy as np
import pytest
import xgboost
from sklearn.ensemble import HistGradientBoostingRegressor, RandomForestRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MaxAbsScaler, MinMaxScaler, RobustScaler, StandardScaler
from tests.unit.discovery.conftest import Convert, dumped

from perfcast.errors import Refused
from perfcast.export import run


def boosted(**settings: Any) -> xgboost.XGBRegressor:
    return xgboost.XGBRegressor(n_estimators=40, max_depth=5, n_jobs=1, **settings)


MODELS = {
    "missing 0": boosted(missing=0),
    "missing 1": boosted(missing=1),
    "missing 0.1": boosted(missing=0.1),
    "missing 0, gamma": boosted(missing=0, objective="reg:gamma"),
    "missing 1, forest": xgboost.XGBRFRegressor(n_estimators=20, n_jobs=1, missing=1),
    "missing 0, behind a scaler that keeps it": make_pipeline(MaxAbsScaler(), boosted(missing=0)),
    "missing 1, behind a scaler that moves it": make_pipeline(MinMaxScaler(), boosted(missing=1)),
    "doubles compared, behind a scaler": make_pipeline(StandardScaler(), HistGradientBoostingRegressor(max_iter=40)),
    "doubles rounded, behind a scaler": make_pipeline(RobustScaler(), RandomForestRegressor(15, random_state=0)),
}


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", MODELS)
def test_a_row_gets_what_the_models_own_predict_gives(name: str, to_graph: Convert) -> None:
    random = np.random.default_rng(3)
    columns = [random.integers(low, high, 600) for low, high in [(1, 9), (1, 20), (7, 40), (7, 40), (1, 20), (1, 5)]]
    rows = np.stack([*columns, random.integers(1, 3, 600), random.integers(0, 3, 600)], axis=1).astype(np.float64)
    cost = 5 + rows @ np.arange(1, 9) + 30 * (rows[:, 7] == 0) + 20 * (rows[:, 6] == 1)
    model = MODELS[name].fit(rows, cost)
    converted = to_graph("best_model.joblib", dumped(model))
    ones, padding = np.ones(len(rows)), rows[:, 7]
    square = [rows[:, 5], rows[:, 6], padding, padding, padding]
    asked = np.column_stack([rows, ones, ones, *square]).astype(np.float32)
    np.testing.assert_allclose(run(converted.graph, asked), model.predict(rows), rtol=1e-4)
    assert converted.parity.worst < 1e-4


class Doubled(xgboost.XGBRegressor):
    """Its user gets something other than what its trees say."""

    def predict(self, X: Any, **more: Any) -> Any:  # noqa: N803
        return 2 * super().predict(X, **more)


def test_a_predict_of_its_own_is_not_passed_over(rows: np.ndarray, cost: np.ndarray, to_graph: Convert) -> None:
    model = Doubled(n_estimators=9, n_jobs=1).fit(rows[:, :7], cost)
    with pytest.raises(Refused, match="parity: graph and native model differ"):
        to_graph("best_model.joblib", dumped(model))
