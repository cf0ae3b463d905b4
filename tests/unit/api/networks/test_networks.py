"""Whole networks, over HTTP and on the command line; models are sums that can be told by hand."""

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient
from tests.drafts import draft, weighted
from tests.onnx_files import small_network
from tests.patience import until

from perfcast.api.networks._answers import NetworkAnswer, NetworkList
from perfcast.cli import main
from perfcast.networks import CONVOLUTIONS, OPERATORS, presets
from perfcast.registry import Registry
from perfcast.settings import Settings
from perfcast.workloads import builtin_workloads, workload_from_document
from perfcast_client import calls

TORCH, BARE = "gpu-torch", "gpu-onnxruntime"
"""Devices on which no whole network was measured."""
A_CONVOLUTION, AN_OPERATOR = 0.5, 0.25
"""Milliseconds a call and image."""
LAYER = {"input_channels": 3, "input_height": 32, "input_width": 32, "output_channels": 16, "kernel_size": 3}


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """With room for a file."""
    return settings.model_copy(update={"max_body_bytes": 20_000})


@pytest.fixture
def devices(registry: Registry) -> Registry:
    """`TORCH` knows convolutions and operators; `BARE`, twice as quick, knows convolutions alone."""
    workloads = builtin_workloads()
    for workload, device, ms in (
        (CONVOLUTIONS, TORCH, A_CONVOLUTION), (CONVOLUTIONS, BARE, A_CONVOLUTION / 2), (OPERATORS, TORCH, AN_OPERATOR),
    ):  # fmt: skip
        made = draft(workloads[workload], weighted(workloads[workload], batch_size=ms))
        registry.point(f"{workload}-{device}", "champion", registry.add(f"{workload}-{device}", made).number)
    return registry


@pytest.fixture
def api(devices: Registry, client: TestClient) -> TestClient:
    return client


def asked(api: TestClient, **question: Any) -> dict[str, Any]:
    answer = api.post("/networks/predict", json={"device": TORCH, **question})
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    assert NetworkAnswer.model_validate(found, strict=True).model_dump() == found
    return found


def refused(api: TestClient, status: int = 422, **question: Any) -> str:
    answer = api.post("/networks/predict", json={"device": TORCH, **question})
    assert answer.status_code == status, answer.text
    return str(answer.json()["detail"])


# HTTP


def test_presets_and_devices_are_listed(api: TestClient) -> None:
    found = api.get("/networks").json()
    assert NetworkList.model_validate(found, strict=True).model_dump() == found
    assert [one["name"] for one in found["networks"]] == list(presets())
    assert {one["name"]: (one["runtime"], len(one["models"])) for one in found["devices"]} == {
        BARE: ("onnxruntime", 1), TORCH: ("torch", 2),
    }  # fmt: skip


def test_without_models_there_are_networks_and_no_device(client: TestClient) -> None:
    found = client.get("/networks").json()
    assert len(found["networks"]) > 30
    assert found["devices"] == []
    assert "train a model first" in refused(client, preset="resnet18")


def test_a_network_takes_what_its_layers_take(api: TestClient) -> None:
    found = asked(api, preset="resnet18", batch_size=4)
    operators = [layer["operator"] for layer in found["layers"]]
    assert (operators.count("convolution"), operators.count("batch_norm"), operators.count("linear")) == (20, 20, 1)
    each = {"convolution": 4 * A_CONVOLUTION}
    assert [layer["execution_time_ms"] for layer in found["layers"]] == pytest.approx(
        [each.get(operator, 4 * AN_OPERATOR) for operator in operators]
    )
    assert found["execution_time_ms"] == pytest.approx(sum(layer["execution_time_ms"] for layer in found["layers"]))
    assert sum(layer["share"] for layer in found["layers"]) == pytest.approx(1)
    assert found["images_per_second"] == pytest.approx(4e3 / found["execution_time_ms"])
    assert found["lower_ms"] < found["execution_time_ms"] < found["upper_ms"]
    assert (found["not_modelled"], found["not_modelled_share"]) == ([], 0)
    assert found["models"] == {CONVOLUTIONS: f"{CONVOLUTIONS}-{TORCH}:1", OPERATORS: f"{OPERATORS}-{TORCH}:1"}
    assert found["parameters"] == 11_689_512


def test_a_wider_interval_is_wider_and_one_that_is_not_kept_is_none(api: TestClient) -> None:
    narrow, none = (asked(api, preset="resnet18", coverage=coverage) for coverage in (0.8, 0.99))
    assert narrow["coverage"] == 0.8
    assert [none[name] for name in ("lower_ms", "upper_ms", "coverage")] == [None, None, None]


def test_what_a_device_has_no_model_of_is_named_and_not_in_the_sum(api: TestClient) -> None:
    found = asked(api, preset="resnet18", device=BARE)
    assert {layer["operator"] for layer in found["layers"]} == {"convolution"}
    assert found["execution_time_ms"] == pytest.approx(20 * A_CONVOLUTION / 2)
    missing = {one["operator"]: one for one in found["not_modelled"]}
    assert missing["linear"]["count"] == 1
    assert missing["linear"]["nodes"] == ["fc"]
    assert missing["linear"]["reason"] == f"the device has no model of {OPERATORS}"
    assert 0 < found["not_modelled_share"] < 1


def test_networks_that_were_measured_whole_calibrate_the_sum(api: TestClient, devices: Registry) -> None:
    for workload, ms in ((CONVOLUTIONS, A_CONVOLUTION), (OPERATORS, AN_OPERATOR)):
        made = draft(builtin_workloads()[workload], weighted(builtin_workloads()[workload], batch_size=ms))
        devices.add(f"{workload}-cpu-torch", made)
        devices.point(f"{workload}-cpu-torch", "champion", 1)
    known = until(
        lambda: next((one for one in api.get("/networks").json()["devices"] if one["name"] == "cpu-torch"), None)
    )
    until(lambda: len(asked(api, preset="alexnet", device="cpu-torch")["models"]) == 2)
    found = asked(api, preset="resnet18", device="cpu-torch", coverage=0.99)
    assert found["calibrated_on"] == known["measured_networks"] >= 8
    assert found["lower_ms"] < found["execution_time_ms"] < found["upper_ms"]
    assert found["execution_time_ms"] == pytest.approx(sum(layer["execution_time_ms"] for layer in found["layers"]))


def test_a_network_of_which_nothing_is_known_has_no_time(api: TestClient) -> None:
    layers = [{"operator": "relu", "channels": 3, "height": 8, "width": 8}]
    assert refused(api, layers=layers, device=BARE) == f"network: has nothing whose time is known on {BARE}"


def test_layers_are_added_up_as_they_are(api: TestClient) -> None:
    relu = {"operator": "relu", "channels": 16, "height": 32, "width": 32, "count": 3, "name": "twice"}
    found = asked(api, layers=[LAYER, relu], batch_size=2)
    assert [(one["name"], one["execution_time_ms"]) for one in found["layers"]] == [
        ("convolution_0", pytest.approx(2 * A_CONVOLUTION)), ("twice", pytest.approx(3 * 2 * AN_OPERATOR)),
    ]  # fmt: skip
    assert found["layers"][1]["input_shape"] == [2, 16, 32, 32]
    assert found["parameters"] == 16 * 3 * 3 * 3


def test_an_onnx_file_is_read_and_called_as_the_file(api: TestClient) -> None:
    files = {"network": ("mine.onnx", small_network(unknown="Softsign"))}
    answer = api.post("/networks/predict", files=files, data={"batch_size": "2", "device": TORCH, "coverage": "0.8"})
    found = answer.json()
    assert answer.status_code == 200, found
    assert (found["network"], found["batch_size"]) == ("mine", 2)
    assert found["not_modelled_share"] > 0.02
    assert (found["lower_ms"], found["upper_ms"], found["coverage"]) == (None, None, None)  # nobody can say
    assert [layer["operator"] for layer in found["layers"]] == ["convolution", "relu", "global_average_pool", "linear"]
    assert [(one["operator"], one["nodes"]) for one in found["not_modelled"]] == [("Softsign", ["odd"])]


def test_sizes_that_a_file_leaves_open_are_asked_for_and_taken(api: TestClient) -> None:
    files, asked = {"network": ("open.onnx", small_network("side"))}, {"device": TORCH}
    refusal = api.post("/networks/predict", files=files, data=asked)
    assert (refusal.status_code, refusal.json()["errors"][0]["field"]) == (422, "input_shape")
    for side in (32, 64):
        answer = api.post("/networks/predict", files=files, data={**asked, "input_shape": f"1,3,{side},{side}"})
        assert answer.status_code == 200, answer.json()
        assert answer.json()["layers"][0]["input_shape"] == [1, 3, side, side]
    wrong = api.post("/networks/predict", files=files, data={**asked, "input_shape": "1,3,many"})
    assert wrong.json()["errors"] == [{"field": "input_shape", "message": "must be a whole number, got 'many'"}]


def test_a_files_name_may_hold_anything(api: TestClient) -> None:
    files = {"network": ("a\0b\n" + 300 * "c" + ".onnx", small_network())}
    answer = api.post("/networks/predict", files=files, data={"device": TORCH})
    assert answer.status_code in (200, 422)
    if answer.status_code == 200:
        assert answer.json()["network"].isprintable()
        assert len(answer.json()["network"]) <= 200


@pytest.mark.parametrize(
    ("question", "said"),
    [
        ({}, "preset: give one of"),
        ({"preset": "resnet18", "input_shape": [1, 3, 64, 64]}, "input_shape: is of an ONNX file"),
        ({"preset": "resnet18", "layers": [LAYER]}, "preset: give one of"),
        ({"preset": "resnet18", "device": "tpu"}, "device: 'tpu' is none of"),
        ({"preset": "resnet18", "batch_size": 0}, "batch_size: "),
        ({"preset": "resnet18", "batch_size": 4097}, "batch_size: "),
        ({"preset": "resnet18", "batch_size": "8"}, "batch_size: "),
        ({"preset": "resnet18", "coverage": 0.7}, "coverage: must be one of"),
        ({"preset": 5}, "preset: "),
        ({"layers": "all"}, "layers: "),
        ({"layers": [1]}, "layers: "),
        ({"layers": [{**LAYER, "kernel_size": 99}]}, "layers[0].kernel_size: "),
        ({"preset": "resnet18", "graph": {}}, "body: "),
    ],
)
def test_what_is_wrong_is_named(api: TestClient, question: dict[str, Any], said: str) -> None:
    assert refused(api, **question).startswith(said)


def test_an_unknown_preset_is_told_with_those_like_it(api: TestClient) -> None:
    assert "did you mean 'resnet50'" in refused(api, 400, preset="resnet5O")


@pytest.mark.parametrize(
    ("files", "data", "said"),
    [
        ({"network": ("x.onnx", b"nothing")}, {}, "network: must be an ONNX file"),
        ({"network": ("x.onnx", b"")}, {}, "network: must be an ONNX file"),
        ({"other": ("x.onnx", b"")}, {}, "other: is no part of it"),
        ({"network": ("x.onnx", b""), "device": ("d", b"cpu")}, {}, "body: Too many files"),
        ({"network": ("x.onnx", b"")}, {"batch_size": "many"}, "batch_size: must be a whole number, got 'many'"),
        ({"network": ("x.onnx", small_network())}, {"coverage": "nan"}, "coverage: must be one of"),
        ({"network": ("x.onnx", b"")}, {"batch_size": "0"}, "batch_size: "),
        ({"network": ("x.onnx", b"")}, {"device": "a" * 2_000}, "body: "),
    ],
)
def test_an_upload_that_is_wrong_is_refused(
    api: TestClient, files: dict[str, Any], data: dict[str, str], said: str
) -> None:
    answer = api.post("/networks/predict", files=files, data=data)
    assert answer.status_code == 422, answer.text
    assert answer.json()["detail"].startswith(said)


def test_a_form_without_a_file_says_how_it_is_sent(api: TestClient) -> None:
    answer = api.post("/networks/predict", files={"device": (None, b"cpu-torch")})
    assert answer.status_code == 422
    assert "curl -F network=@network.onnx" in answer.json()["detail"]


def test_a_server_without_onnx_says_what_to_install(
    api: TestClient, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "onnx.py").write_text("raise ModuleNotFoundError(\"No module named 'onnx'\", name='onnx')\n")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path), prepend=":")
    answer = api.post("/networks/predict", files={"network": ("x.onnx", small_network())})
    assert answer.status_code == 501
    assert "pip install 'perfcast[train]'" in answer.json()["detail"]


def test_what_the_client_sends_is_understood(api: TestClient) -> None:
    def send(call: calls.Call[Any]) -> Any:
        answer = api.request(call.method, call.path, content=call.body, files=call.files)
        assert answer.status_code == 200, answer.text
        return call.read(answer.content)

    content = small_network()
    found = send(calls.predict_network(network=content, name="mine", device=TORCH, batch_size=2))
    assert (found.network, found.batch_size, len(found.layers)) == ("mine", 2, 4)
    assert found.parameters == send(calls.predict_network(network=content, device=TORCH)).parameters > 500
    assert send(calls.predict_network("resnet18", device=TORCH, coverage=0.5)).coverage == 0.5
    assert send(calls.predict_network(layers=[LAYER], device=TORCH)).execution_time_ms == pytest.approx(A_CONVOLUTION)
    assert [device.name for device in send(calls.networks()).devices] == [BARE, TORCH]


def test_a_version_of_before_the_workload_grew_says_to_train_anew(api: TestClient, devices: Registry) -> None:
    document = builtin_workloads()[CONVOLUTIONS].document()
    document["features"] = [one for one in document["features"] if one["name"] != "dilation"]
    document |= {"derived": [], "rules": []}
    old = workload_from_document(document)
    version = devices.add(f"{CONVOLUTIONS}-{TORCH}", draft(old, weighted(old, batch_size=1.0)))
    devices.point(f"{CONVOLUTIONS}-{TORCH}", "champion", version.number)

    def answered() -> str:
        answer = api.post("/networks/predict", json={"preset": "alexnet", "device": TORCH})
        return str(answer.json()["detail"]) if answer.status_code == 409 else ""

    assert (
        until(answered)
        == f"{version.reference} was trained on other features than {CONVOLUTIONS} has now; train it anew"
    )


# The command line


@pytest.fixture
def command(devices: Registry, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Runs `perfcast network` on the same state."""
    monkeypatch.setenv("DATA_DIR", str(settings.data_dir))

    def run(*arguments: str) -> None:
        monkeypatch.setattr(sys, "argv", ["perfcast", "network", *arguments])
        with pytest.raises(SystemExit) as stopped:
            main()
        if stopped.value.code:
            raise AssertionError(stopped.value.code)

    return run


def test_without_a_network_the_command_lists_what_there_is(
    command: Callable[..., None], capsys: pytest.CaptureFixture[str]
) -> None:
    command()
    shown = capsys.readouterr()
    assert "mobilenet_v2" in shown.out
    assert f"{BARE} (convolutions alone); {TORCH}" in shown.err


def test_the_command_says_which_is_cheapest_within_a_limit(
    command: Callable[..., None], capsys: pytest.CaptureFixture[str]
) -> None:
    command("resnet18", "--batch", "1,8", "--price", f"{TORCH}=0.36/h,{BARE}=36", "--within", "0.02s", "--json")
    told = json.loads(capsys.readouterr().out)
    rows = {(one["device"], one["batch_size"]): one for one in told["answers"]}
    assert set(rows) == {(TORCH, 1), (TORCH, 8), (BARE, 1), (BARE, 8)}
    one = rows[TORCH, 1]
    assert one["cost_per_million"] == pytest.approx(0.36 / 3600e3 * one["execution_time_ms"] * 1e6)
    assert one["execution_time_ms"] < 25
    assert (one["within"], rows[TORCH, 8]["within"], rows[BARE, 1]["within"]) == (False, False, True)
    assert told["best"] == {"device": BARE, "batch_size": 1}
    assert told["words"].startswith(f"cheapest within 20 ms: {BARE} at a batch of 1, ")
    command("resnet18", "--price", f"{TORCH}=0.36/h", "--price", f"{BARE}=36")
    shown = capsys.readouterr()
    assert f"cheapest: {TORCH} at a batch of 1, " in shown.err
    assert "cost/million" in shown.out


def test_the_command_shows_the_dearest_layers(command: Callable[..., None], capsys: pytest.CaptureFixture[str]) -> None:
    command("resnet18", "--device", BARE, "--layers")
    shown = capsys.readouterr()
    assert "█" * 30 in shown.out
    assert "convolution" in shown.out
    assert "not in the sum: 1 max_pool, 1 global_average_pool, 1 linear" in shown.err


def test_the_command_reads_an_onnx_file(
    command: Callable[..., None], capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    path = tmp_path / "mine.onnx"
    path.write_bytes(small_network())
    command(str(path), "--json", "--device", TORCH)
    (answer,) = json.loads(capsys.readouterr().out)["answers"]
    assert (answer["network"], len(answer["layers"])) == ("mine", 4)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["resnet5O"], "unknown network 'resnet5O'; did you mean 'resnet50'"),
        (["nothing.onnx"], "nothing.onnx: No such file or directory"),
        (["resnet18", "--batch", "1,many"], "--batch: must be whole numbers"),
        (["resnet18", "--device", "tpu"], f"--device: 'tpu' is none of {BARE}, {TORCH}"),
        (["resnet18", "--price", "tpu=1"], f"--price: 'tpu' is none of {BARE}, {TORCH}"),
        (["resnet18", "--within", "soon"], "--within: must be a time"),
        (["resnet18", "--layers"], "--layers: is of one --device and one --batch"),
        (["resnet18", "--coverage", "0.7"], "coverage: must be one of"),
        (["--batch", "8"], "NETWORK: is needed"),
    ],
)
def test_what_is_typed_wrongly_is_named(
    command: Callable[..., None], capsys: pytest.CaptureFixture[str], arguments: list[str], said: str
) -> None:
    with pytest.raises(AssertionError):
        command(*arguments)
    assert said in capsys.readouterr().err
