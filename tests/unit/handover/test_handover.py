"""What is written for other servers is what they read: checked against Triton's published protocol buffer."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import onnxruntime as ort
import pytest
import spox
import spox.opset.ai.onnx.v17 as op
import yaml
from google.protobuf import text_format
from tests.drafts import draft, linear_graph, weighted
from tritonclient.grpc import model_config_pb2

from perfcast.export import compose
from perfcast.handover import Handed, write_kserve, write_onnx, write_triton
from perfcast.handover._kserve import service_name
from perfcast.handover._triton import LARGEST_BATCH, triton_config
from perfcast.manifest import Calibration, Draft, Manifest
from perfcast.workloads import Workload, builtin_workloads

CNN = "xgb_prediction-training-gpul40s"


@pytest.fixture
def cnn() -> Workload:
    return builtin_workloads()["cnn-execution-time"]


@pytest.fixture
def version(cnn: Workload) -> Handed:
    ranges = {"batch_size": (1.0, 256.0)}
    return Handed(CNN, 3, draft(cnn, weighted(cnn, batch_size=1, stride=10), ranges=ranges))


def parsed(path: Path) -> Any:
    return text_format.Parse(path.read_text(), model_config_pb2.ModelConfig())


def triton_shape(tensor: Any, *, batched: bool) -> list[int]:
    """The shape that Triton holds against the graph's: the reshaped one where there is one, after the rows."""
    inner = tensor.reshape.shape if tensor.HasField("reshape") else tensor.dims
    return [*([-1] if batched else []), *inner]


def onnx_shape(value: Any) -> list[int]:
    return [length if isinstance(length, int) else -1 for length in value.shape]


def test_a_triton_repository_has_the_published_layout(tmp_path: Path, version: Handed) -> None:
    written = write_triton(tmp_path, version)
    assert sorted(str(path.relative_to(tmp_path)) for path in written) == [
        f"{CNN}/3/calibration.json",
        f"{CNN}/3/manifest.json",
        f"{CNN}/3/model.onnx",
        f"{CNN}/README.md",
        f"{CNN}/config.pbtxt",
    ]
    config = parsed(tmp_path / CNN / "config.pbtxt")
    assert (config.name, config.platform, config.max_batch_size) == (CNN, "onnxruntime_onnx", LARGEST_BATCH)
    assert config.HasField("dynamic_batching")
    assert config.version_policy.WhichOneof("policy_choice") == "all"
    assert [group.kind for group in config.instance_group] == [model_config_pb2.ModelInstanceGroup.KIND_CPU]
    assert config.parameters["intra_op_thread_count"].string_value == "1"


def test_its_tensors_are_those_of_the_graph(tmp_path: Path, version: Handed) -> None:
    write_triton(tmp_path, version)
    config = parsed(tmp_path / CNN / "config.pbtxt")
    session = ort.InferenceSession(tmp_path / CNN / "3" / "model.onnx", providers=["CPUExecutionProvider"])
    for configured, there in ((config.input, session.get_inputs()), (config.output, session.get_outputs())):
        assert [item.name for item in configured] == [item.name for item in there]
        for item, value in zip(configured, there, strict=True):
            assert item.data_type == model_config_pb2.TYPE_FP32
            assert value.type == "tensor(float)"
            assert triton_shape(item, batched=True) == onnx_shape(value)
            assert len(item.dims) >= 1, "Triton allows no empty shape"
    (output,) = config.output
    assert int(np.prod(output.dims)) == int(np.prod(output.reshape.shape)) == 1
    rows = np.arange(30, dtype="float32").reshape(2, 15)
    (cost,) = session.run(["cost"], {"features": rows})
    assert cost.reshape(2, *output.dims).shape == (2, 1)


def test_a_composed_graph_has_the_shapes_that_the_configuration_tells(tmp_path: Path, cnn: Workload) -> None:
    inputs = spox.argument(spox.Tensor(np.float32, ("rows", len(cnn.input_names))))
    weights = np.ones((len(cnn.input_names), 1), dtype=np.float32)
    body = spox.build({"inputs": inputs}, {"raw": op.matmul(inputs, op.constant(value=weights))})
    write_triton(tmp_path, Handed(CNN, 3, draft(cnn, compose(cnn, body))))
    config = parsed(tmp_path / CNN / "config.pbtxt")
    session = ort.InferenceSession(tmp_path / CNN / "3" / "model.onnx", providers=["CPUExecutionProvider"])
    (features,), (cost,) = session.get_inputs(), session.get_outputs()
    assert triton_shape(config.input[0], batched=True) == onnx_shape(features)
    assert triton_shape(config.output[0], batched=True) == onnx_shape(cost)


@pytest.mark.parametrize("name", ["m", "a.b-c_d", "x" * 128])
def test_any_models_name_stands_in_the_configuration(name: str) -> None:
    assert text_format.Parse(triton_config(name, 8), model_config_pb2.ModelConfig()).name == name


def test_versions_and_models_share_a_repository(tmp_path: Path, cnn: Workload, version: Handed) -> None:
    write_triton(tmp_path, version)
    write_triton(tmp_path, Handed(CNN, 4, draft(cnn, weighted(cnn, batch_size=2), calibrated=False)))
    write_triton(tmp_path, Handed("other", 1, version.draft))
    assert sorted(path.name for path in (tmp_path / CNN).iterdir() if path.is_dir()) == ["3", "4"]
    assert not (tmp_path / CNN / "4" / "calibration.json").exists()
    assert "uncalibrated" in (tmp_path / CNN / "README.md").read_text()
    assert parsed(tmp_path / "other" / "config.pbtxt").name == "other"


def test_the_page_tells_features_in_order_with_bounds(tmp_path: Path, cnn: Workload, version: Handed) -> None:
    write_triton(tmp_path, version)
    text = (tmp_path / CNN / "README.md").read_text()
    assert re.findall(r"^\| \d+ \| `(\w+)`", text, re.MULTILINE) == list(cnn.feature_names)
    assert "| 0 | `batch_size` | images | 1 to 4096, whole | 1 to 256 | – |" in text
    assert "cost ÷ width to cost × width" in text


def test_the_intervals_can_be_made_from_the_table_as_the_page_says(tmp_path: Path, version: Handed) -> None:
    write_triton(tmp_path, version)
    table = json.loads((tmp_path / CNN / "3" / "calibration.json").read_text())
    calibration = version.draft.manifest.calibration
    assert isinstance(calibration, Calibration)
    for cost in (1.0, 49.0, 50.0, 51.0, 1e6):
        band = next((index for index, edge in enumerate(table["edges"]) if edge > cost), -1)
        width = table["widths"]["0.9"][band]
        ends = max(cost / width, table["minimum"]), min(cost * width, table["maximum"])
        assert ends == calibration.interval(cost, 0.9)


def test_the_page_says_how_intervals_go_by_spread(tmp_path: Path, cnn: Workload, version: Handed) -> None:
    table = Calibration(
        relative=True, edges=(), widths={"0.9": (1.1, 1.4)}, minimum=0, maximum=9, rows=9, spreads=((0.1,),)
    )
    graph = linear_graph([1.0] * 15, spread=[0.1] * 15)
    manifest = msgspec.structs.replace(version.draft.manifest, calibration=table)
    write_triton(tmp_path, Handed(CNN, 3, Draft(graph, manifest)))
    assert "the graph's second output, `spread`" in (tmp_path / CNN / "README.md").read_text()
    assert [output.name for output in parsed(tmp_path / CNN / "config.pbtxt").output] == ["cost"]


def test_the_bare_graph_has_its_manifest_beside_it(tmp_path: Path, version: Handed) -> None:
    write_onnx(tmp_path / "new", version)
    assert (tmp_path / "new" / "model.onnx").read_bytes() == version.draft.graph
    manifest = Manifest.from_json((tmp_path / "new" / "manifest.json").read_bytes())
    assert manifest.to_json() == version.draft.manifest.to_json()


@pytest.fixture
def manifests(tmp_path: Path, version: Handed) -> Callable[[str], dict[str, Any]]:
    write_kserve(tmp_path, version, storage="s3://bucket/repository", image="registry/perfcast:1")
    return lambda name: yaml.safe_load((tmp_path / name).read_text())


@pytest.mark.parametrize("name", ["triton.yaml", "perfcast.yaml"])
def test_kserve_manifests_are_inference_services(manifests: Callable[[str], dict[str, Any]], name: str) -> None:
    manifest = manifests(name)
    assert (manifest["apiVersion"], manifest["kind"]) == ("serving.kserve.io/v1beta1", "InferenceService")
    assert re.fullmatch(r"[a-z]([-a-z0-9]*[a-z0-9])?", manifest["metadata"]["name"])
    assert list(manifest["spec"]) == ["predictor"]


def test_kserve_serves_the_repository_with_triton(tmp_path: Path, manifests: Callable[[str], dict[str, Any]]) -> None:
    model = manifests("triton.yaml")["spec"]["predictor"]["model"]
    assert (model["modelFormat"]["name"], model["protocolVersion"]) == ("triton", "v2")
    assert model["storageUri"] == "s3://bucket/repository"
    assert parsed(tmp_path / "repository" / CNN / "config.pbtxt").name == CNN


def test_kserve_serves_perfcast_as_a_custom_predictor(manifests: Callable[[str], dict[str, Any]]) -> None:
    (container,) = manifests("perfcast.yaml")["spec"]["predictor"]["containers"]
    assert (container["name"], container["image"]) == ("kserve-container", "registry/perfcast:1")
    port = container["ports"][0]["containerPort"]
    assert {"name": "API_PORT", "value": str(port)} in container["env"]
    assert {container[probe]["httpGet"]["port"] for probe in ("readinessProbe", "livenessProbe")} == {port}
    assert container["readinessProbe"]["httpGet"]["path"] == f"/v2/models/{CNN}/ready"


@pytest.mark.parametrize(
    ("model", "expected"),
    [(CNN, "xgb-prediction-training-gpul40s"), ("2nd.Model_", "model-2nd-model"), ("a" * 60, "a" * 40)],
)
def test_a_service_is_called_as_kserve_allows(model: str, expected: str) -> None:
    assert service_name(model) == expected
