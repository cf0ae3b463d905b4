"""Estimators out of joblib files. Loading one runs whatever code it holds: only in a process that is shut in."""

import bz2
import gzip
import io
import lzma
import re
import warnings
import zlib
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from typing import Any

import numpy as np

from perfcast.discovery.conversion._boosters import from_booster, from_regressor
from perfcast.discovery.conversion._estimators import regressor
from perfcast.discovery.conversion._networks import STATE_DICT
from perfcast.discovery.conversion._original import Doubles, Original, chain, flat
from perfcast.discovery.conversion._transformers import inverse, pulled_back, transformer
from perfcast.errors import Refused


def load(name: str, data: bytes) -> tuple[Any, tuple[str, ...]]:
    """The object in a joblib or pickle file, and what its libraries have to say about its age."""
    import joblib

    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            loaded = joblib.load(io.BytesIO(data))
        except MemoryError:
            raise Refused(f"{name} needs more memory than a conversion may take") from None
        except BaseException as error:  # noqa: BLE001 - whatever the code in it raises, also SystemExit
            text = f"{type(error).__name__}: {error}".splitlines()[0].rstrip(":")
            raise Refused(f"{name} can't be loaded: {text}{_remedy(data, error)}") from None
    aged = [str(item.message) for item in caught if "version" in str(item.message).lower()]
    return loaded, tuple(text.splitlines()[0][:300] for text in aged[:1])


def _remedy(data: bytes, error: BaseException) -> str:
    """What to do about a file that other libraries wrote, by what stands in its bytes; nothing of it is run."""
    import sklearn

    lacking = (getattr(error, "name", None) or "").partition(".")[0] if isinstance(error, ModuleNotFoundError) else ""
    if lacking not in ("", "sklearn"):
        there = f"was made with {lacking}, which isn't installed here; where it is"
    else:
        found = re.search(rb"_sklearn_version.{1,8}?(\d+\.\d+[\w.]*)", _unpacked(data), re.DOTALL)
        if found is None or found[1].decode() == sklearn.__version__:
            return ""
        there = f"was written with scikit-learn {found[1].decode()}, and here is {sklearn.__version__}; with the former"
    return f"; it {there}, load it and save it as ONNX, best_…_model.onnx, or fit it anew with what is installed here"


def _unpacked(data: bytes) -> bytes:
    for unpack in (zlib.decompress, gzip.decompress, bz2.decompress, lzma.decompress):
        with suppress(Exception):
            return unpack(data)
    return data


def read_estimator(file: str, files: Mapping[str, bytes]) -> Original:
    """The estimator of a joblib file, between the scalers beside it."""
    import xgboost

    model, notes = load(file, files[file])
    warnings.filterwarnings("ignore", message="X does not have valid feature names")
    if isinstance(model, xgboost.Booster):
        original = from_booster(model)
    elif isinstance(model, xgboost.XGBRegressor):
        original = from_regressor(model)
    elif hasattr(model, "predict"):
        original = _original(model)
    else:
        raise Refused(f"it holds a {type(model).__name__}, not an estimator")
    scaled = original if type(model).__name__ == "Pipeline" else between_scalers(original, files)
    return replace(scaled, notes=(*notes, *scaled.notes))


def between_scalers(original: Original, files: Mapping[str, bytes]) -> Original:
    """The model with what `*scaler_X*` does to its inputs and `*scaler_y*` undoes of its answer."""
    before, after = _scaler("scaler_x", files), _scaler("scaler_y", files)
    if before is None and after is None:
        return original
    if getattr(after, "mean_", getattr(after, "center_", None)) is not None and STATE_DICT in original.kind:
        raise Refused(
            "scaler_y centres the cost, and the state dict beside it doesn't say whether its network ends in ReLU; "
            "save it as TorchScript"
        )
    if before is not None and getattr(before, "n_features_in_", original.inputs) != original.inputs:
        raise Refused(f"scaler_X takes {before.n_features_in_} inputs, but the model {original.inputs}")

    def scaled(rows: Doubles) -> Doubles:
        return rows if before is None else np.asarray(before.transform(rows), dtype=np.float64)

    def unscaled(cost: Doubles) -> Doubles:
        return cost if after is None else flat(after.inverse_transform(cost.reshape(-1, 1)))

    exact = original.exact
    return replace(
        original,
        names=original.names or tuple(getattr(before, "feature_names_in_", ())),
        predict=lambda rows: unscaled(original.predict(scaled(rows))),
        exact=None if exact is None else lambda rows: unscaled(exact(scaled(rows))),
        stage=chain([transformer(before), original.stage, inverse(after)]),
        special=pulled_back(original.special, [before]),
        notes=(*original.notes, "scalers beside the file are part of the graph"),
    )


def _original(model: Any) -> Original:
    converted = regressor(model)
    inputs = getattr(model, "n_features_in_", None)
    if not isinstance(inputs, int):
        raise Refused("it doesn't say how many inputs it reads; is it fitted?")

    kind = type(model).__name__
    if kind == "Pipeline":
        kind = f"Pipeline({', '.join(type(step).__name__ for _, step in model.steps)})"
    return Original(
        family=converted.family,
        kind=kind,
        inputs=inputs,
        names=tuple(map(str, getattr(model, "feature_names_in_", ()))),
        predict=lambda rows: flat(model.predict(rows)),
        stage=converted.stage,
        special=converted.special,
    )


def _scaler(word: str, files: Mapping[str, bytes]) -> Any:
    names = [name for name in files if word in name.lower()]
    if len(names) > 1:
        raise Refused(f"there are several scalers beside it: {', '.join(names)}; keep one")
    return load(names[0], files[names[0]])[0] if names else None
