"""PyTorch files: state dicts, checkpoints, TorchScript, pickled modules."""

import io
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
import torch
from sklearn.preprocessing import MinMaxScaler, StandardScaler
from tests.unit.discovery.conftest import Convert, all_features, dumped
from torch import nn

from perfcast.errors import Refused
from perfcast.export import run


def network(*widths: int, end: bool = True) -> nn.Sequential:
    torch.manual_seed(0)
    layers: list[nn.Module] = []
    for width, following in pairwise(widths):
        layers += [nn.Linear(width, following), nn.ReLU()]
    built = nn.Sequential(*(layers if end else layers[:-1]))
    with torch.no_grad():
        built[0].weight.abs_()
        built[len(layers) - 2].bias.fill_(20.0)
    return built


def saved(value: Any) -> bytes:
    buffer = io.BytesIO()
    torch.save(value, buffer)
    return buffer.getvalue()


def scripted(module: nn.Module) -> bytes:
    buffer = io.BytesIO()
    torch.jit.save(torch.jit.script(module), buffer)
    return buffer.getvalue()


def answer(module: nn.Module, rows: np.ndarray) -> np.ndarray:
    with torch.no_grad():
        given: np.ndarray = module(torch.from_numpy(rows[:, :7].astype(np.float32))).numpy().ravel()
    return given


def named(module: nn.Sequential) -> dict[str, torch.Tensor]:
    return {f"network.{name}": tensor for name, tensor in module.state_dict().items()}


FORMS: dict[str, Callable[[nn.Sequential], bytes]] = {
    "state dict": lambda module: saved(named(module)),
    "bare state dict": lambda module: saved(module.state_dict()),
    "checkpoint": lambda module: saved({"epoch": 7, "model_state_dict": named(module), "loss": 0.1}),
    "state_dict key": lambda module: saved({"state_dict": named(module)}),
    "TorchScript": scripted,
    "pickled module": saved,
}


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("widths", [(7, 128, 128, 64, 1), (7, 5, 1), (7, 1)], ids=str)
def test_the_graph_answers_as_the_network(
    form: str, widths: tuple[int, ...], rows: np.ndarray, to_graph: Convert
) -> None:
    module = network(*widths)
    converted = to_graph("best_model.pth", FORMS[form](module))
    assert converted.family == "neural_network"
    assert "→".join(map(str, widths)) in converted.original
    np.testing.assert_allclose(run(converted.graph, all_features(rows)), answer(module, rows), rtol=1e-4, atol=1e-6)


@pytest.mark.filterwarnings("ignore")
def test_a_script_that_ends_without_relu_is_understood(rows: np.ndarray, to_graph: Convert) -> None:
    module = network(7, 16, 1, end=False)
    before = StandardScaler().fit(rows[:, :7])
    after = StandardScaler().fit(np.array([[10.0], [30.0]]))
    with torch.no_grad():
        module[2].bias.fill_(-0.5)
    beside = {"scaler_X__joblib": dumped(before), "scaler_y__joblib": dumped(after)}
    converted = to_graph("best_model.pth", scripted(module), **beside)
    scaled = answer(module, before.transform(rows[:, :7]))
    assert scaled.min() < 0
    expected = np.clip(after.inverse_transform(scaled.reshape(-1, 1)).ravel(), 0, None)
    np.testing.assert_allclose(run(converted.graph, all_features(rows)), expected, rtol=1e-4, atol=1e-4)


def test_scalers_beside_a_state_dict_are_part_of_the_graph(rows: np.ndarray, to_graph: Convert) -> None:
    module = network(7, 16, 1)
    with torch.no_grad():
        module[2].bias.fill_(2.0)
    before, after = StandardScaler().fit(rows[:, :7]), MinMaxScaler().fit(np.array([[1.0], [90.0]]))
    beside = {"scaler_X__pkl": dumped(before), "scaler_y__pkl": dumped(after)}
    converted = to_graph("best_model.pth", saved(named(module)), **beside)
    expected = after.inverse_transform(answer(module, before.transform(rows[:, :7])).reshape(-1, 1)).ravel()
    np.testing.assert_allclose(run(converted.graph, all_features(rows)), expected, rtol=1e-4)


def test_a_state_dict_with_a_centred_cost_is_not_guessed_at(rows: np.ndarray, to_graph: Convert) -> None:
    after = StandardScaler().fit(np.array([[10.0], [30.0]]))
    with pytest.raises(Refused, match="save it as TorchScript"):
        to_graph("best_model.pth", saved(named(network(7, 16, 1))), scaler_y__joblib=dumped(after))


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (nn.Sequential(nn.Linear(7, 4), nn.BatchNorm1d(4), nn.Linear(4, 1)).state_dict(), "linear layer"),
        (nn.Sequential(nn.Conv2d(7, 4, 3)).state_dict(), "linear layer"),
        (nn.Sequential(nn.Linear(7, 4), nn.Linear(5, 1)).state_dict(), "takes 5 numbers"),
        (nn.Sequential(nn.Linear(7, 2)).state_dict(), "gives 2 numbers"),
        ({"epoch": 3, "weights": [1, 2]}, "without a state dict"),
        ([1, 2], "holds a list"),
        (network(9, 4, 1).state_dict(), "reads 9 inputs"),
    ],
)
def test_what_is_no_such_network_is_refused(value: Any, reason: str, to_graph: Convert) -> None:
    with pytest.raises(Refused, match=reason):
        to_graph("best_model.pth", saved(value))


@pytest.mark.filterwarnings("ignore")
def test_a_script_with_other_parts_fails_the_comparison(to_graph: Convert) -> None:
    module = nn.Sequential(nn.Linear(7, 8), nn.Tanh(), nn.Linear(8, 1))
    with torch.no_grad():
        module[2].bias.fill_(20.0)
    with pytest.raises(Refused, match="parity"):
        to_graph("best_model.pth", scripted(module))


@pytest.mark.parametrize("data", [b"", b"junk", b"PK\x03\x04junk", saved(network(7, 1).state_dict())[:-200]])
def test_a_broken_file_is_refused(data: bytes, to_graph: Convert) -> None:
    with pytest.raises(Refused, match="PyTorch can't read it"):
        to_graph("best_model.pth", data)


ACTIVATIONS = {
    "relu": nn.ReLU(),
    "tanh": nn.Tanh(),
    "sigmoid": nn.Sigmoid(),
    "elu": nn.ELU(),
    "gelu": nn.GELU(),
    "leaky_relu": nn.LeakyReLU(),
    "silu": nn.SiLU(),
}


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", ACTIVATIONS)
@pytest.mark.parametrize("save", [lambda module: saved(module.state_dict()), scripted], ids=["state dict", "script"])
def test_model_yaml_says_what_stands_between_the_layers(
    name: str, save: Callable[[nn.Module], bytes], rows: np.ndarray, to_graph: Convert
) -> None:
    torch.manual_seed(0)
    module = nn.Sequential(nn.Linear(7, 16), ACTIVATIONS[name], nn.Linear(16, 8), ACTIVATIONS[name], nn.Linear(8, 1))
    with torch.no_grad():
        module[0].weight.mul_(0.02)
        module[4].weight.abs_()
        module[4].bias.fill_(30.0)
    converted = to_graph("best_model.pth", save(module), model__yaml=f"activation: {name}".encode())
    np.testing.assert_allclose(run(converted.graph, all_features(rows)), answer(module, rows), rtol=1e-4)
    assert not any("ReLU" in note for note in converted.notes)


def test_what_was_assumed_of_bare_weights_is_told(to_graph: Convert) -> None:
    order, note = to_graph("best_model.pth", saved(network(7, 16, 1).state_dict())).notes
    assert "follow one another" in order
    assert "ReLU was assumed" in note
    assert "'activation: tanh'" in note
    assert not to_graph("best_model.pth", saved(network(7, 1).state_dict())).notes


def test_an_unknown_activation_is_refused_by_name(to_graph: Convert) -> None:
    with pytest.raises(Refused, match=r"model\.yaml: activation: invalid enum value 'sine'"):
        to_graph("best_model.pth", saved(network(7, 16, 1).state_dict()), model__yaml=b"activation: sine")
