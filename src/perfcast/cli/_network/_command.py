"""`perfcast network`: what a whole network costs."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import typer

from perfcast.cli._options import JSON, KEY, URL, names
from perfcast.cli._output import show_json, working
from perfcast.cli._place import open_place
from perfcast.errors import InvalidInput, NoUsableModel


def network(
    network: str = typer.Argument("", help="A preset's name, or an ONNX file; the presets are listed if not given."),
    batch: str = typer.Option("1", help="Comma-separated: images a call, such as 1,8,32."),
    device: str = typer.Option("", help="Comma-separated, such as cpu-torch,cpu-onnxruntime; all known if not given."),
    within: str = typer.Option("", help="What the upper bound of a call must stay below: 50ms, 0.2s."),
    price: list[str] = typer.Option([], help="DEVICE=PRICE an hour, such as cpu-torch=0.05/h; comma-separated."),
    coverage: float = typer.Option(0.9, help="Share of true times the interval shall hold: 0.5, 0.8, 0.9, 0.95, 0.99."),
    input_shape: str = typer.Option(
        "", help="Of an ONNX file's input, batch first, where the file leaves sizes open: 1,3,640,640."
    ),
    layers: bool = typer.Option(False, "--layers", help="Where the time goes; of one device and batch."),
    as_json: bool = JSON,
    url: str = URL,
    key: str = KEY,
) -> None:
    """Predict how long a whole network takes on devices and batches, and what a million images cost.

    What isn't known of a network is named and not in the sum. Of an ONNX file the weights' data is never read by a
    server: it isn't sent.

    Examples:
        perfcast network
        perfcast network resnet50 --batch 1,8,32 --within 200ms --price cpu-torch=0.05/h,cpu-onnxruntime=0.05/h
        perfcast network model.onnx --batch 8 --device cpu-torch --layers
        perfcast network mobilenet_v2 --batch 1 --url http://localhost:8000
    """
    from perfcast.cli._network._presets import show_presets
    from perfcast.cli._network._stated import batches, milliseconds, prices

    sizes, limit, priced = batches(batch), milliseconds(within) if within else None, prices(price)
    with open_place(url, key) as place:
        listed = place.networks()
        if not network:
            _alone(batch, device, within, price, layers)
            (show_json if as_json else show_presets)(listed)
            return
        devices = _devices(names(device), priced, listed)
        if layers and len(sizes) * len(devices) > 1:
            raise InvalidInput.of("--layers", f"is of one --device and one --batch; devices: {', '.join(devices)}")
        asked = [{"batch_size": size, "device": one, "coverage": coverage} for one in devices for size in sizes]
        with working("Adding up …"):
            file = _file(network, listed)
            named = _named(network, file, input_shape)
            answers = [place.predict_network({**named, **one}, file) for one in asked]
    _show(answers, limit, priced, layers=layers, as_json=as_json)


def _named(network: str, file: Path | None, input_shape: str) -> dict[str, Any]:
    """What says which network is meant."""
    if file is None:
        if input_shape:
            raise InvalidInput.of("--input-shape", f"is of an ONNX file's input, and '{network}' is a preset")
        return {"preset": network}
    try:
        return {"input_shape": [int(size) for size in names(input_shape)]} if input_shape else {}
    except ValueError:
        raise InvalidInput.of(
            "--input-shape", f"must be whole numbers such as 1,3,640,640, got '{input_shape}'"
        ) from None


def _alone(batch: str, device: str, within: str, price: Sequence[str], layers: bool) -> None:
    """Without a network nothing can be asked of it."""
    if batch != "1" or device or within or price or layers:
        raise InvalidInput.of(
            "NETWORK", "is needed: a preset's name or an ONNX file; `perfcast network` lists the presets"
        )


def _devices(asked: Sequence[str], prices: Mapping[str, float], listed: Mapping[str, Any]) -> list[str]:
    """The devices to compare."""
    known = [device["name"] for device in listed["devices"]]
    if not known:
        raise NoUsableModel("no model knows convolutions yet: `perfcast up` makes the starter models")
    wrong = [("--device", name) for name in asked if name not in known]
    wrong += [("--price", name) for name in prices if name not in (asked or known)]
    for option, name in wrong:
        raise InvalidInput.of(
            option, f"'{name}' is none of {', '.join((asked or known) if option == '--price' else known)}"
        )
    return list(dict.fromkeys(asked)) or known


def _file(network: str, listed: Mapping[str, Any]) -> Path | None:
    """The file that is meant; None where it is a preset, or could be one by its looks."""
    path = Path(network)
    if any(network == preset["name"] for preset in listed["networks"]):
        return None
    return path if path.suffix == ".onnx" or path.is_file() else None


def _show(
    answers: Sequence[dict[str, Any]],
    within_ms: float | None,
    prices: Mapping[str, float],
    *,
    layers: bool,
    as_json: bool,
) -> None:
    import msgspec

    from perfcast.cli._network._layers import show_layers
    from perfcast.cli._network._table import as_document, show_options
    from perfcast_client import options_of
    from perfcast_client.answers import NetworkAnswer

    found = [msgspec.convert(answer, NetworkAnswer) for answer in answers]
    options = options_of(found, within_ms=within_ms, prices=prices)
    if as_json:
        show_json(as_document(options, answers, within_ms))
        return
    show_options(options, within_ms)
    if layers:
        show_layers(found[0])
