"""Makes a folder of models as the CNN execution time predictor keeps them: names and layout as in its README.

    python examples/predecessor_models/make.py CNN_Algorithms
    MODELS_DIR=CNN_Algorithms perfcast up

`prediction-training-cpu` learns from the convolutions that Perfcast ships, measured with PyTorch on one core;
`prediction-training-gpul40s` from the same convolutions with times simulated for an L40S by a roofline (Williams,
Waterman and Patterson 2009): 91.6 TFLOP/s, 864 GB/s, 8 µs a launch, with 5 % noise. Every model reads the README's 7
inputs and predicts milliseconds.
"""

import argparse
import shutil
from itertools import pairwise
from pathlib import Path

import joblib
import numpy as np
import numpy.typing as npt
import torch
from sklearn.ensemble import RandomForestRegressor
from sklearn.linear_model import Lasso
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import PolynomialFeatures, StandardScaler
from xgboost import XGBRegressor

from perfcast.datasets import shipped_dataset

INPUTS = 7
"""batch_size, input_channels, input_height, input_width, output_channels, kernel_size, stride."""
WIDTHS = (INPUTS, 128, 128, 64, 1)

Numbers = npt.NDArray[np.float64]


class Network(torch.nn.Module):
    """The predecessor's: linear layers with ReLU between them and at the end."""

    def __init__(self) -> None:
        super().__init__()
        layers: list[torch.nn.Module] = []
        for width, following in pairwise(WIDTHS):
            layers += [torch.nn.Linear(width, following), torch.nn.ReLU()]
        self.network = torch.nn.Sequential(*layers)

    def forward(self, rows: torch.Tensor) -> torch.Tensor:
        """Milliseconds of each row."""
        answer: torch.Tensor = self.network(rows)
        return answer


def measured() -> tuple[Numbers, Numbers]:
    """Configurations [rows, 7] and milliseconds on one core, square ones without groups and dilation."""
    dataset = shipped_dataset("cpu-torch")
    names = dataset.workload.feature_names
    column = {name: dataset.features[:, position] for position, name in enumerate(names)}
    plain = (column["groups"] == 1) & (column["dilation"] == 1)
    plain &= (column["kernel_width"] == column["kernel_size"]) & (column["stride_width"] == column["stride"])
    return dataset.features[plain, :INPUTS].astype(np.float64), dataset.cost[plain].astype(np.float64)


def simulated(rows: Numbers) -> Numbers:
    """Milliseconds on an L40S, by the roofline."""
    batch, channels, height, width, filters, kernel, stride = rows.T
    pixels = batch * np.ceil(height / stride) * np.ceil(width / stride)
    work = 2 * pixels * channels * filters * kernel**2
    traffic = 4 * (batch * channels * height * width + pixels * filters + channels * filters * kernel**2)
    noise = np.exp(np.random.default_rng(0).normal(0, 0.05, len(rows)))
    answer: Numbers = (8e-3 + 1e3 * np.maximum(work / 91.6e12, traffic / 864e9)) * noise
    return answer


def fit_network(rows: Numbers, cost: Numbers, epochs: int) -> Network:
    """Fit on standardised rows; the scaling is then folded into the layers, so that the network reads raw ones."""
    torch.manual_seed(0)
    network, middle, spread, scale = Network(), rows.mean(0), rows.std(0) + 1e-9, cost.std()
    last = network.network[-2]
    assert isinstance(last, torch.nn.Linear)
    with torch.no_grad():
        last.bias.fill_(float(cost.mean() / scale))
    inputs = torch.tensor((rows - middle) / spread, dtype=torch.float32)
    target = torch.tensor(cost / scale, dtype=torch.float32).reshape(-1, 1)
    optimizer = torch.optim.Adam(network.parameters(), lr=3e-3)
    for _ in range(epochs):
        for part in torch.randperm(len(inputs)).split(256):
            optimizer.zero_grad()
            torch.nn.functional.l1_loss(network(inputs[part]), target[part]).backward()
            optimizer.step()
    first = network.network[0]
    assert isinstance(first, torch.nn.Linear)
    with torch.no_grad():
        first.weight /= torch.tensor(spread, dtype=torch.float32)
        first.bias -= first.weight @ torch.tensor(middle, dtype=torch.float32)
        last.weight *= float(scale)
        last.bias *= float(scale)
    return network.eval()


def make(folder: Path, *, rows: int, trees: int, epochs: int) -> None:
    """Fit and save everything."""
    configurations, cpu = measured()
    configurations, cpu = configurations[:rows], cpu[:rows]
    for name, cost in {"cpu": cpu, "gpul40s": simulated(configurations)}.items():
        place = folder / f"prediction-training-{name}"
        for part in ("nn/output", "xgboost", "rdf"):
            (place / part).mkdir(parents=True, exist_ok=True)
        boosted = XGBRegressor(n_estimators=trees, max_depth=6, learning_rate=0.1, n_jobs=1).fit(configurations, cost)
        forest = RandomForestRegressor(n_estimators=trees, min_samples_leaf=3, random_state=0).fit(configurations, cost)
        network = fit_network(configurations, cost, epochs)
        joblib.dump(boosted, place / "xgboost" / "best_xgb_model.joblib")
        joblib.dump(forest, place / "rdf" / "best_rf_model.joblib")
        torch.save(network.state_dict(), place / "nn" / "output" / "best_model.pth")
    polynomial = make_pipeline(PolynomialFeatures(3), StandardScaler(), Lasso(alpha=0.1, max_iter=2_000))
    (folder / "polynomial-regression").mkdir(parents=True, exist_ok=True)
    joblib.dump(polynomial.fit(configurations, cpu), folder / "polynomial-regression" / "best_lasso_model.joblib")
    release = folder / "models" / "v1.2.0"
    release.mkdir(parents=True, exist_ok=True)
    shutil.copy(folder / "prediction-training-cpu" / "nn" / "output" / "best_model.pth", release / "best_model.pth")


def main() -> None:
    """From the command line."""
    parser = argparse.ArgumentParser(description="Make a folder of models as the predecessor keeps them.")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--rows", type=int, default=6_000, help="most configurations to learn from")
    parser.add_argument("--trees", type=int, default=100)
    parser.add_argument("--epochs", type=int, default=40)
    given = parser.parse_args()
    make(given.folder, rows=given.rows, trees=given.trees, epochs=given.epochs)
    files = sorted(path.relative_to(given.folder) for path in given.folder.rglob("best_*"))
    print(f"{given.folder}:", *files, sep="\n  ")


if __name__ == "__main__":
    main()
