"""FLAML on rows that benchmarks/accuracy.py wrote; runs in its own virtual environment.

python flaml_peer.py FOLDER SECONDS SEED RELATIVE
"""

import sys
from pathlib import Path

import numpy as np
from flaml import AutoML

folder, seconds, seed, relative = Path(sys.argv[1]), float(sys.argv[2]), int(sys.argv[3]), sys.argv[4] == "True"
rows = np.load(folder / "rows.npz")
target = np.log(rows["cost"]) if relative else rows["cost"]
automl = AutoML()
automl.fit(rows["known"], target, task="regression", metric="mae", time_budget=seconds, seed=seed, verbose=0)
predicted = automl.predict(rows["test"])
np.save(folder / "predicted.npy", np.exp(predicted) if relative else predicted)
print(automl.best_estimator, automl.best_config)
