"""Why a version's prediction is what it is, as an answer."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from perfcast.errors import Refused
from perfcast.explanation import explain
from perfcast.serving._predictor import Predictor


def explain_row(predictor: Predictor, row: Sequence[float]) -> dict[str, Any]:
    """What each feature of a row, in declared order, adds to its prediction: the answer of `POST /explain`.

    Raises:
        Refused: The version keeps no usual rows, or none leads to this one.
        InvalidInput: The version has no finite cost for some row on the way.
    """
    kept = predictor.version.manifest.reference
    if kept is None or not kept.background:
        raise Refused(
            f"{predictor.name} keeps no usual rows to compare with, since it was uploaded or made before versions kept "
            "some; train the model again"
        )
    workload, asked = predictor.workload, np.array(row, dtype=np.float32)
    background = np.array(kept.background, dtype=np.float32)
    found = explain(workload, lambda rows: predictor.predict(rows).cost, asked, background)
    values = {feature.name: feature.decode(value) for feature, value in zip(workload.features, row, strict=True)}
    return {
        "model_name": predictor.model,
        "model_version": predictor.number,
        "model_type": predictor.type,
        "cost": workload.cost.name,
        "unit": workload.cost.unit,
        "prediction": short(found.cost),
        "base_value": short(found.base),
        "typical_value": None if found.typical is None else short(found.typical),
        "contributions": [
            {
                "feature": one.feature,
                "value": values.get(one.feature),
                "contribution": short(one.amount),
                "factor": None if one.factor is None else short(one.factor),
            }
            for one in found.contributions
        ],
        "ways": found.ways,
        "background_rows": len(background),
    }


def short(value: float) -> float:
    """At seven significant digits, which are what float32 holds."""
    return float(f"{value:.7g}")
