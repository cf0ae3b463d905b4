"""PyTorch networks of linear layers: state dicts, checkpoints that hold one, TorchScript, pickled modules."""

import io
import re
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import spox.opset.ai.onnx.v21 as op

from perfcast.discovery.conversion._original import Doubles, Original, Stage, chain, dense, flat, in_short, unchanged
from perfcast.errors import Refused

if TYPE_CHECKING:
    import torch

HOLDERS = ("model_state_dict", "state_dict", "model", "net", "network")
"""Where checkpoints keep the weights."""
STATE_DICT = "state dict"
_LAYER = re.compile(r"(?P<place>.*?)(?P<part>weight|bias)")

_ORDER = "its file holds weights only: that its layers follow one another, in the order of the file, was assumed"
_ASSUMED = (
    "its file doesn't say what stands between its layers: ReLU was assumed; where that is wrong, say what it is in a "
    "model.yaml beside it, as in 'activation: tanh'"
)
_ACTIVATIONS: Mapping[str, tuple[str, Stage]] = {
    "relu": ("ReLU", op.relu),
    "tanh": ("Tanh", op.tanh),
    "sigmoid": ("Sigmoid", op.sigmoid),
    "elu": ("ELU", op.elu),
    "gelu": ("GELU", op.gelu),
    "leaky_relu": ("LeakyReLU", op.leaky_relu),
    "silu": ("SiLU", lambda value: op.mul(value, op.sigmoid(value))),
}
"""What PyTorch calls each, and its nodes."""

Layers = list[tuple[Any, Any]]
"""Of each linear layer weights [out, in] and bias [out], as PyTorch keeps them."""


def is_script(data: bytes) -> bool:
    """Whether the bytes are TorchScript."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            return any(name.endswith("/constants.pkl") for name in archive.namelist())
    except zipfile.BadZipFile:
        return False


def read_network(data: bytes, may_run_code: Callable[[], None], activation: str | None = None) -> Original:
    """The network in a `.pth` file, with the activation between its layers, ReLU where nobody said which."""
    import torch

    torch.set_num_threads(1)
    between = activation or "relu"
    loaded = _load_script(data, may_run_code) if is_script(data) else _load(data, may_run_code)
    if isinstance(loaded, torch.nn.Module):
        kind = "TorchScript" if isinstance(loaded, torch.jit.ScriptModule) else type(loaded).__name__
        return _original(loaded, _layers(loaded.state_dict()), kind, between)
    layers = _layers(_weights(loaded))
    notes = (_ORDER, _ASSUMED)[: 2 if activation is None else 1] if len(layers) > 1 else ()
    return replace(_original(_module(layers, between), layers, STATE_DICT, between), notes=notes)


def _load_script(data: bytes, may_run_code: Callable[[], None]) -> Any:
    import torch

    may_run_code()
    try:
        return torch.jit.load(io.BytesIO(data), map_location="cpu")  # type: ignore[no-untyped-call]
    except (RuntimeError, ValueError) as error:
        raise Refused(f"PyTorch can't read this TorchScript: {in_short(error)}") from None


def _load(data: bytes, may_run_code: Callable[[], None]) -> Any:
    import pickle

    import torch

    try:
        return torch.load(io.BytesIO(data), map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        reason = in_short(error)
    except Exception as error:  # noqa: BLE001 - a broken file fails in many ways
        raise Refused(f"PyTorch can't read it: {in_short(error)}") from None
    may_run_code()
    try:
        return torch.load(io.BytesIO(data), map_location="cpu", weights_only=False)
    except BaseException as error:  # noqa: BLE001 - whatever the code in it raises, also SystemExit
        raise Refused(f"PyTorch can't read it: {in_short(error)} (as weights only: {reason})") from None


def _module(layers: Layers, activation: str) -> Any:
    """What a state dict is taken to be the weights of: the activation between its layers, ReLU at its end."""
    import torch

    parts: list[torch.nn.Module] = []
    for weight, bias in layers:
        linear = torch.nn.Linear(weight.shape[1], weight.shape[0])
        linear.weight.data, linear.bias.data = weight.float(), bias.float()
        parts += [linear, getattr(torch.nn, _ACTIVATIONS[activation][0])()]
    return torch.nn.Sequential(*parts[:-1], torch.nn.ReLU())


def _original(module: Any, layers: Layers, kind: str, activation: str) -> Original:
    """Its own answers tell whether it ends in ReLU, and whether there is more in it than the layers."""
    import copy

    import torch

    widths = [layers[0][0].shape[1], *(weight.shape[0] for weight, _ in layers)]
    if widths[-1] != 1:
        raise Refused(f"its last layer gives {widths[-1]} numbers; a model has one cost")
    module.eval()
    precise = copy.deepcopy(module).double()

    def ask(which: Any, rows: Doubles, number: torch.dtype) -> Doubles:
        with torch.no_grad():
            return flat(which(torch.from_numpy(rows.astype(np.float32)).to(number)).numpy())

    random = np.random.default_rng(0)
    anywhere = random.normal(0, 1, (4_096, widths[0])) * np.exp(random.uniform(0, 8, (4_096, 1)))
    end = op.relu if ask(module, anywhere, torch.float32).min() >= 0 else unchanged
    arrays = [(np.ascontiguousarray(weight.float().numpy().T), bias.float().numpy()) for weight, bias in layers]
    return Original(
        family="neural_network",
        kind=f"PyTorch {kind} {'→'.join(map(str, widths))}",
        inputs=widths[0],
        predict=lambda rows: ask(module, rows, torch.float32),
        exact=lambda rows: ask(precise, rows, torch.float64),
        stage=chain([_to(np.float32), dense(arrays, _ACTIVATIONS[activation][1]), end, _to(np.float64)]),
    )


def _to(kind: type[np.floating]) -> Stage:
    return lambda value: op.cast(value, to=kind)


def _weights(loaded: Any) -> Mapping[str, "torch.Tensor"]:
    import torch

    held = [loaded, *(loaded.get(name) for name in HOLDERS)] if isinstance(loaded, Mapping) else []
    for value in held:
        state = value.state_dict() if isinstance(value, torch.nn.Module) else value
        if isinstance(state, Mapping) and state and all(isinstance(item, torch.Tensor) for item in state.values()):
            return dict(state)
    if not held:
        raise Refused(f"it holds a {type(loaded).__name__}, not a state dict")
    names = ", ".join(str(name) for name in list(loaded)[:8])
    raise Refused(f"it is a checkpoint without a state dict (it holds {names}); expected one of {', '.join(HOLDERS)}")


def _layers(weights: Mapping[str, "torch.Tensor"]) -> Layers:
    """The linear layers in the order in which they are first named, each with its bias."""
    named: dict[str, dict[str, Any]] = {}
    for name, tensor in weights.items():
        found = _LAYER.fullmatch(name)
        if found is None:
            raise Refused(f"it has '{name}', which no linear layer has; only linear layers can be converted")
        named.setdefault(found["place"], {})[found["part"]] = tensor.detach()
    layers: Layers = []
    for place, parts in named.items():
        weight = parts.get("weight")
        if weight is None or weight.ndim != 2:
            raise Refused(f"'{place}' is no linear layer; only linear layers with ReLU between can be converted")
        if layers and layers[-1][0].shape[0] != weight.shape[1]:
            raise Refused(
                f"'{place}' takes {weight.shape[1]} numbers, but the layer before gives {layers[-1][0].shape[0]}"
            )
        layers.append((weight, parts.get("bias", weight.new_zeros(len(weight)))))
    return layers
