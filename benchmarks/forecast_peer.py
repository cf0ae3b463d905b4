"""A load a day ahead by statsforecast: AutoETS with a daily season, MSTL with a daily and a weekly one.

Run by benchmarks/runway.py in the peers' environment; prints the two mean errors.
"""

import json
import sys
from pathlib import Path

import numpy as np
from statsforecast.models import MSTL, AutoETS

given = json.loads(Path(sys.argv[1]).read_text())
load = np.array(given["load"])
errors = []
for cut in given["cuts"]:
    true, known = load[cut : cut + 24], load[:cut]
    errors.append([
        np.abs(model.forecast(y=known, h=24)["mean"] - true).mean()
        for model in (AutoETS(season_length=24), MSTL(season_length=[24, 168]))
    ])  # fmt: skip
print(json.dumps(np.mean(errors, axis=0).tolist()))
