"""Every kind of joblib file gives a graph that answers as the original does."""

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.compose import TransformedTargetRegressor
from sklearn.ensemble import (
    ExtraTreesRegressor,
    GradientBoostingRegressor,
    HistGradientBoostingRegressor,
    RandomForestRegressor,
)
from sklearn.feature_selection import SelectKBest, VarianceThreshold
from sklearn.linear_model import ElasticNet, GammaRegressor, Lasso, LinearRegression, Ridge
from sklearn.model_selection import GridSearchCV
from sklearn.neighbors import KNeighborsRegressor
from sklearn.neural_network import MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import (
    FunctionTransformer,
    MaxAbsScaler,
    MinMaxScaler,
    PolynomialFeatures,
    RobustScaler,
    StandardScaler,
)
from sklearn.tree import DecisionTreeRegressor
from tests.unit.discovery.conftest import Convert, all_features, dumped
from xgboost import XGBRegressor, XGBRFRegressor

from perfcast.errors import Refused
from perfcast.export import run

SMALL = {"n_estimators": 12, "random_state": 0}
MODELS = {
    "forest": (RandomForestRegressor(**SMALL), "random_forest"),
    "extra_trees": (ExtraTreesRegressor(**SMALL), "random_forest"),
    "tree": (DecisionTreeRegressor(max_depth=6), "random_forest"),
    "gradient_boosting": (GradientBoostingRegressor(**SMALL), "gradient_boosting"),
    "histogram_boosting": (HistGradientBoostingRegressor(max_iter=15), "gradient_boosting"),
    "xgboost": (XGBRegressor(n_estimators=30, max_depth=4, n_jobs=1), "xgboost"),
    "xgboost_gamma": (XGBRegressor(n_estimators=30, objective="reg:gamma", n_jobs=1), "xgboost"),
    "xgboost_forest": (XGBRFRegressor(n_estimators=20, n_jobs=1), "xgboost"),
    "linear": (LinearRegression(), "polynomial"),
    "elastic_net": (ElasticNet(alpha=0.1), "polynomial"),
    "gamma": (make_pipeline(StandardScaler(), GammaRegressor()), "polynomial"),
    "lasso": (make_pipeline(PolynomialFeatures(3), StandardScaler(), Lasso(alpha=0.05)), "polynomial"),
    "ridge": (make_pipeline(MinMaxScaler(), PolynomialFeatures(2, include_bias=False), Ridge()), "polynomial"),
    "unscaled": (make_pipeline(PolynomialFeatures(2, interaction_only=True), Ridge()), "polynomial"),
    "robust": (make_pipeline(RobustScaler(), SelectKBest(k=3), LinearRegression()), "polynomial"),
    "logarithms": (make_pipeline(FunctionTransformer(np.log1p), VarianceThreshold(), Ridge()), "polynomial"),
    "scaled_forest": (make_pipeline(StandardScaler(), RandomForestRegressor(**SMALL)), "random_forest"),
    "network": (
        make_pipeline(StandardScaler(), MLPRegressor(hidden_layer_sizes=(16, 8), max_iter=60, random_state=0)),
        "neural_network",
    ),
    "tanh": (
        make_pipeline(MaxAbsScaler(), MLPRegressor(hidden_layer_sizes=(8,), activation="tanh", max_iter=40)),
        "neural_network",
    ),
    "log_target": (
        TransformedTargetRegressor(make_pipeline(StandardScaler(), Ridge()), func=np.log, inverse_func=np.exp),
        "polynomial",
    ),
    "scaled_target": (
        TransformedTargetRegressor(RandomForestRegressor(**SMALL), transformer=MinMaxScaler()),
        "random_forest",
    ),
    "search": (GridSearchCV(Ridge(), {"alpha": [0.1, 1.0]}, cv=3), "polynomial"),
}


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", MODELS)
def test_the_graph_answers_as_the_original(name: str, rows: np.ndarray, cost: np.ndarray, to_graph: Convert) -> None:
    model, family = MODELS[name]
    fitted = clone(model).fit(rows[:, :7], cost)
    converted = to_graph("best_model.joblib", dumped(fitted))
    assert converted.family == family
    assert converted.inputs[-1] == "stride"
    assert converted.parity.rows > 1000
    expected = np.clip(fitted.predict(rows[:, :7]), 0, None)
    np.testing.assert_allclose(run(converted.graph, all_features(rows)), expected, rtol=1e-4, atol=1e-6)


def test_padding_is_the_eighth_input(rows: np.ndarray, cost: np.ndarray, to_graph: Convert) -> None:
    fitted = LinearRegression().fit(rows, cost + 3 * rows[:, 7])
    converted = to_graph("best_model.joblib", dumped(fitted))
    assert converted.inputs[7] == "padding"
    np.testing.assert_allclose(run(converted.graph, all_features(rows)), fitted.predict(rows), rtol=1e-4)


def test_scalers_beside_an_estimator_are_part_of_the_graph(
    rows: np.ndarray, cost: np.ndarray, to_graph: Convert
) -> None:
    before, after = StandardScaler().fit(rows[:, :7]), StandardScaler().fit(cost.reshape(-1, 1))
    scaled, target = before.transform(rows[:, :7]), after.transform(cost.reshape(-1, 1)).ravel()
    for model in (Ridge(), RandomForestRegressor(**SMALL), XGBRegressor(n_estimators=20, n_jobs=1)):
        fitted = model.fit(scaled, target)
        beside = {"scaler_X__joblib": dumped(before), "scaler_y__joblib": dumped(after)}
        converted = to_graph("best_model.joblib", dumped(fitted), **beside)
        expected = after.inverse_transform(fitted.predict(scaled).reshape(-1, 1)).ravel()
        np.testing.assert_allclose(run(converted.graph, all_features(rows)), expected, rtol=1e-4)
        assert any("scalers" in note for note in converted.notes)


def test_a_scaler_of_another_width_is_refused(rows: np.ndarray, cost: np.ndarray, to_graph: Convert) -> None:
    beside = {"scaler_X__joblib": dumped(StandardScaler().fit(rows))}
    with pytest.raises(Refused, match="takes 8 inputs, but the model 7"):
        to_graph("best_model.joblib", dumped(Ridge().fit(rows[:, :7], cost)), **beside)


def test_early_stopping_is_kept(rows: np.ndarray, cost: np.ndarray, to_graph: Convert) -> None:
    random = np.random.default_rng(1)
    noisy = cost + random.normal(0, 5, len(cost))
    model = XGBRegressor(n_estimators=200, learning_rate=0.5, early_stopping_rounds=5, n_jobs=1)
    model.fit(rows[:300, :7], noisy[:300], eval_set=[(rows[300:, :7], noisy[300:])], verbose=False)
    converted = to_graph("best_model.joblib", dumped(model))
    assert model.get_booster().num_boosted_rounds() > model.best_iteration + 1
    np.testing.assert_allclose(
        run(converted.graph, all_features(rows)), np.clip(model.predict(rows[:, :7]), 0, None), rtol=1e-4
    )


def test_other_kinds_are_refused_with_what_to_do(rows: np.ndarray, cost: np.ndarray, to_graph: Convert) -> None:
    with pytest.raises(Refused, match=r"KNeighborsRegressor can't be converted.*convert it to ONNX yourself"):
        to_graph("best_model.joblib", dumped(KNeighborsRegressor().fit(rows[:, :7], cost)))
    sines = make_pipeline(FunctionTransformer(np.sin), Ridge()).fit(rows[:, :7], cost)
    with pytest.raises(Refused, match="function sin can't be converted"):
        to_graph("best_model.joblib", dumped(sines))
    with pytest.raises(Refused, match="several targets"):
        to_graph("best_model.joblib", dumped(Ridge().fit(rows[:, :7], np.stack([cost, cost], axis=1))))
    with pytest.raises(Refused, match="holds a dict, not an estimator"):
        to_graph("best_model.joblib", dumped({"model": 1}))
    with pytest.raises(Refused, match="can't be loaded"):
        to_graph("best_model.joblib", dumped(Ridge().fit(rows[:, :7], cost))[:-40])


def test_a_forest_beyond_the_size_limit_is_refused(to_graph: Convert) -> None:
    random = np.random.default_rng(0)
    inputs = random.uniform(1, 1000, (20_000, 7))
    forest = RandomForestRegressor(25, random_state=0, max_features=1).fit(inputs, random.uniform(1, 2, 20_000))
    with pytest.raises(Refused, match=r"the graph is .* MB, more than the 20 MB"):
        to_graph("best_model.joblib", dumped(forest))
