"""Which files of a predecessor's folder are models, and what they are called: decided by path alone."""

import re
from dataclasses import dataclass
from pathlib import PurePosixPath

SUFFIXES = (".pth", ".pt", ".joblib", ".pkl", ".ubj", ".json", ".onnx")
TRAINING = "prediction-training-"
"""Folders of this prefix give the models in them their name."""

_MODEL = re.compile(r"best_(?:(?P<kind>.+)_)?model", re.IGNORECASE)
_SKIPPED = re.compile(r"scaler|fold", re.IGNORECASE)
_RELEASE = re.compile(r"v?[0-9]+(\.[0-9]+)+")
_KINDS = {
    "xgb": ("xgb", "xgboost"),
    "rf": ("rf", "rdf", "forest", "random_forest", "randomforest"),
    "nn": ("nn", "mlp", "cnn", "neural", "neural_network", "neuralnetwork", "torch"),
    "poly": ("poly", "polynomial", "lasso", "ridge", "linear", "elasticnet", "elastic_net", "polynomial-regression"),
}
_PREFIXES = {word: prefix for prefix, words in _KINDS.items() for word in words}
_BY_SUFFIX = {".pth": "nn", ".pt": "nn", ".ubj": "xgb", ".json": "xgb"}
_ELSE = {".onnx": "onnx"}


@dataclass(frozen=True)
class Naming:
    """What a file is called in the registry.

    Attributes:
        model: Name of the model, as the predecessor gives it.
        label: The release folder it lies in, such as `v1.2.0`; None for the model's present file.
    """

    model: str
    label: str | None = None


def is_model(path: PurePosixPath) -> bool:
    """Whether a file follows the naming convention `best_{model_type}_model`; scalers and folds do not."""
    plain = not _SKIPPED.search(path.name)
    return plain and path.suffix.lower() in SUFFIXES and _MODEL.fullmatch(path.stem) is not None


def naming(path: PurePosixPath) -> Naming:
    """The name of a model file.

    `xgb_`, `rf_` or `nn_` and the `prediction-training-…` folder it lies in; `poly_` and the file's stem. Without such
    a folder, the stem.

    Args:
        path: Relative to the folder of models.

    Example:
        >>> naming(PurePosixPath("prediction-training-cpu/xgboost/best_xgb_model.joblib"))
        Naming(model='xgb_prediction-training-cpu', label=None)
    """
    prefix = _prefix(path)
    training = next((part for part in reversed(path.parts[:-1]) if part.startswith(TRAINING)), None)
    subject = path.stem if prefix == "poly" or training is None else training
    label = next((part for part in reversed(path.parts[:-1]) if _RELEASE.fullmatch(part)), None)
    return Naming(f"{prefix}_{subject}", label)


def family(model: str) -> str | None:
    """The family that a name speaks of; None where it speaks of none."""
    prefix = model.partition("_")[0]
    return {"xgb": "xgboost", "rf": "random_forest", "nn": "neural_network", "poly": "polynomial"}.get(prefix)


def age(label: str | None) -> tuple[int, tuple[int, ...]]:
    """Sorts releases from old to new; a file without a label is the newest."""
    if label is None:
        return (1, ())
    return (0, tuple(int(part) for part in label.removeprefix("v").split(".")))


def _prefix(path: PurePosixPath) -> str:
    """By the word in the file's name, else by its suffix, else by the folders it lies in, nearest first."""
    found = _MODEL.fullmatch(path.stem)
    word = found["kind"].lower() if found and found["kind"] else ""
    if word:
        return _PREFIXES.get(word, word)
    folders = (part.lower() for part in reversed(path.parts[:-1]))
    named = next((_PREFIXES[folder] for folder in folders if folder in _PREFIXES), None)
    suffix = path.suffix.lower()
    return _BY_SUFFIX.get(suffix) or named or _ELSE.get(suffix, "model")
