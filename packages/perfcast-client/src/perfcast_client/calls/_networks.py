"""What whole networks cost."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from perfcast_client._call import Call, finite, given, json, reading
from perfcast_client._onnx import without_weights
from perfcast_client.answers import NetworkAnswer, NetworkList


def networks() -> Call[NetworkList]:
    """The networks that the server brings, and the devices that it knows."""
    return Call("GET", "/networks", reading(NetworkList))


def predict_network(
    preset: str | None = None,
    *,
    layers: Sequence[Mapping[str, Any]] | None = None,
    network: bytes | Path | None = None,
    name: str | None = None,
    device: str | None = None,
    batch_size: int | None = None,
    coverage: float | None = None,
    input_shape: Sequence[int] | None = None,
) -> Call[NetworkAnswer]:
    """What one call of a whole network takes on a device, layer by layer.

    Args:
        preset: The name of one, as `networks` lists them.
        layers: Calls one after the other instead: each `operator` (`convolution` if left out) with its features.
        network: An ONNX file, or its content, instead; the data of its weights isn't sent.
        name: What the network of an ONNX file is called; as the file if None.
        device: As `networks` lists them; `cpu-torch` if None.
        batch_size: Images a call; 1 if None.
        coverage: Of the interval: 0.5, 0.8, 0.9 (if None), 0.95, 0.99.
        input_shape: Of an ONNX file's input, batch first, where the file leaves other sizes than the batch open.

    Raises:
        ValueError: Not one network is given, or a feature is no finite number.
        OSError: The file can't be read.
    """
    if sum(one is not None for one in (preset, layers, network)) != 1:
        raise ValueError("network: give one of preset, layers and network")
    asked = given(device=device, batch_size=batch_size, coverage=coverage)
    read = reading(NetworkAnswer)
    if network is not None:
        shape = None if input_shape is None else ",".join(map(str, input_shape))
        asked = given(**asked, input_shape=shape)
        return Call("POST", "/networks/predict", read, files=_parts(network, name, asked))
    rows = None if layers is None else [finite(layer) for layer in layers]
    return Call("POST", "/networks/predict", read, body=json(given(preset=preset, layers=rows) | asked))


def _parts(network: bytes | Path, name: str | None, asked: Mapping[str, Any]) -> dict[str, tuple[str, bytes, str]]:
    known, content = (network.name, network.read_bytes()) if isinstance(network, Path) else ("network.onnx", network)
    # A part that isn't a file has no file name: an empty one is left out.
    fields = {key: ("", str(value).encode(), "text/plain") for key, value in asked.items()}
    return {"network": (name or known, without_weights(content), "application/onnx"), **fields}
