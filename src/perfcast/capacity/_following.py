"""What else rises with a load: users and connections come with the requests."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from perfcast.errors import InvalidInput
from perfcast.workloads import Feature, Rows, Workload

Doubles: TypeAlias = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Following:
    """How features move while one load is varied.

    Attributes:
        load: The feature that is varied.
        slopes: For each follower, by how much it rises while the load rises by 1, as in the rows learnt from.
        proportional: Followers that double when the load doubles.
    """

    load: str
    slopes: Mapping[str, float]
    proportional: Sequence[str] = ()

    def rows(self, workload: Workload, row: Rows, loads: Rows) -> Rows:
        """The row at other loads, float32 [loads, features]; all else stays as it is."""
        position, features = workload.feature_names.index, workload.features
        rows = np.repeat(row[None].astype(np.float64), len(loads), axis=0)
        at = position(self.load)
        change = loads.astype(np.float64) - float(row[at])
        rows[:, at] = loads
        for name, slope in self.slopes.items():
            rows[:, position(name)] = _held(features[position(name)], float(row[position(name)]) + slope * change)
        for name in self.proportional if row[at] > 0 else ():
            values = float(row[position(name)]) * loads.astype(np.float64) / float(row[at])
            rows[:, position(name)] = _held(features[position(name)], values)
        return rows.astype(np.float32)


def follows(
    workload: Workload, load: str, path: Mapping[str, Mapping[str, float]], together: Sequence[str] | None
) -> Following:
    """What follows a load.

    Args:
        workload: Whose features they are.
        load: The feature that is varied.
        path: What a version has learnt of it (`Manifest.path`).
        together: Features that shall rise in proportion; what was learnt if None, or, where nothing was and the load
            is one with which the cost rises, all other numbers that no clock decides and no trend is declared of.

    Raises:
        InvalidInput: One of them can't.
    """
    others = [feature for feature in workload.features if feature.name != load and _may(feature)]
    able = [feature.name for feature in others]
    if together is not None:
        for name in together:
            if name not in able:
                raise InvalidInput.of(
                    "scale_together", f"can't hold '{name}'; {', '.join(able) or 'no feature'} may scale with {load}"
                )
        return Following(load, {}, tuple(together))
    learnt = path.get(load, {})
    trend = workload.features[workload.feature_names.index(load)].declaration.trend
    if learnt or trend != "increasing":
        return Following(load, learnt)
    return Following(load, {}, [feature.name for feature in others if feature.declaration.trend is None])


def _may(feature: Feature) -> bool:
    return feature.declaration.type in ("number", "integer") and not feature.declaration.clock


def _held(feature: Feature, values: Doubles) -> Doubles:
    whole = np.rint(values) if feature.whole else values
    return np.asarray(np.clip(whole, feature.minimum, feature.maximum), dtype=np.float64)
