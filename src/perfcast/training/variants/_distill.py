"""A quick version that learns from a slow one's answers, and reads few derived quantities.

What takes most of a version's time are often its derived quantities, and the several networks and trees whose mean it
is. One network that reads only the quantities that matter most is much quicker; of the measured rows alone it would
learn less, but a version can be asked as many rows as one likes (Hinton, Vinyals and Dean 2015, "Distilling the
Knowledge in a Neural Network"; Buciluă, Caruana and Niculescu-Mizil 2006, "Model Compression").
"""

import numpy as np

from perfcast.errors import InvalidSetting, Refused
from perfcast.export import Target, compose, run
from perfcast.training.families import Lesson, families
from perfcast.workloads import Name, Rows, Workload, check_table, right_rows

ASKED = 40_000
"""Rows whose cost the version is asked, the measured ones among them."""
CROSSED = 0.3
"""Share of features that such a row has of another one."""
TREES, RANKED = 30, 10_000
"""Trees, and rows that they learn from, that tell which quantities matter."""
SETTINGS = {"epochs": 40, "weight_decay": 0.03}
"""In place of those that a search begins with: more rows need fewer epochs, and answers have no noise."""


def distill(
    graph: bytes, workload: Workload, features: Rows, *, quantities: int, asked: int = ASKED, threads: int = 1
) -> bytes:
    """Fit one network to a version's answers.

    Args:
        graph: The version's serialised graph.
        workload: Whose cost it predicts.
        features: Rows it has learnt from, float32 [rows, features]; others are made of them.
        quantities: Most derived quantities that the network reads beside the features.
        asked: About how many rows to ask the version, those among them.
        threads: Most threads to use.

    Raises:
        InvalidSetting: Their number is below 0.
    """
    if quantities < 0:
        raise InvalidSetting(f"--quantities must be 0 or more, got {quantities}")
    if workload.cost.basis is not None:
        raise Refused(
            f"'{workload.name}' learns its cost as a multiple of {workload.cost.basis}; a distilled version wouldn't"
        )
    rows = _asked(workload, features, asked)
    cost = run(graph, rows)
    target = Target.of(workload, cost)
    inputs, wanted = workload.inputs(rows), target.from_cost(cost)
    read = _worth_reading(workload, inputs, wanted, quantities, threads)
    names = tuple(workload.input_names[at] for at in read)
    lesson = Lesson(
        np.ascontiguousarray(inputs[:, read]),
        wanted,
        names,
        (0,) * len(names),
        workload.cost.relative,
        threads=threads,
        stated=workload.stated,
    )
    network = families()["neural_network"]
    fitted = network.fit(lesson, {**network.start(lesson), **SETTINGS})
    return compose(workload, fitted.graph(), target=target, inputs=[Name(name) for name in names])


def _asked(workload: Workload, features: Rows, asked: int) -> Rows:
    """The rows themselves and others between them, all of them allowed, float32 [rows, features]."""
    random, wanted = np.random.default_rng(0), max(0, asked - len(features))
    one, other = (features[random.integers(len(features), size=wanted)] for _ in range(2))
    crossed = np.where(random.random(one.shape) < CROSSED, other, one)
    crossed = crossed[right_rows(check_table(workload, crossed), len(crossed))]
    return np.concatenate([features[:asked], crossed])


def _worth_reading(workload: Workload, inputs: Rows, target: Rows, quantities: int, threads: int) -> list[int]:
    """Positions of all features and indicators, and of the quantities by which trees' splits gain most."""
    from sklearn.ensemble import RandomForestRegressor

    given = len(workload.input_names) - len(workload.derived)
    forest = RandomForestRegressor(TREES, max_features=0.3, min_samples_leaf=3, n_jobs=threads, random_state=0)
    gains = forest.fit(inputs[:RANKED], target[:RANKED]).feature_importances_
    ranked = sorted(range(given, inputs.shape[1]), key=lambda at: -gains[at])
    return [*range(given), *sorted(ranked[:quantities])]
