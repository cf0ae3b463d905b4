"""Clients of the Open Inference Protocol work unchanged: Triton's own, and curl."""

import json
import subprocess
from collections.abc import Iterator
from urllib.parse import urlsplit

import numpy as np
import pytest
from tritonclient import http as triton
from tritonclient.utils import InferenceServerException

CNN = "xgb_prediction-training-gpul40s"
COLUMNS = ("batch_size", "input_channels", "input_height", "input_width", "output_channels", "kernel_size", "stride")
ROWS = np.array([[32, 3, 224, 224, 64, 3, 1], [16, 64, 56, 56, 128, 3, 2], [1, 256, 14, 14, 256, 1, 1]], "float32")
COSTS = (ROWS[:, 0] + np.float32(0.21359375) * ROWS[:, 4]).tolist()
LOAD = [[120, 60, 25, 0.5, 0.866, 0.2588, 0.9659, 1], [240, 110, 40, 0.5, 0.866, 0.2588, 0.9659, 1]]


@pytest.fixture
def client(server: str) -> Iterator[triton.InferenceServerClient]:
    with triton.InferenceServerClient(urlsplit(server).netloc, network_timeout=60) as client:
        yield client


def tensor(name: str, values: np.ndarray, datatype: str, *, binary: bool) -> triton.InferInput:
    made = triton.InferInput(name, list(values.shape), datatype)
    made.set_data_from_numpy(values, binary_data=binary)
    return made


def by_columns(*, binary: bool) -> list[triton.InferInput]:
    return [
        tensor(name, ROWS[:, [position]].astype("int32"), "INT32", binary=binary)
        for position, name in enumerate(COLUMNS)
    ]


def test_the_server_and_its_models_are_described(client: triton.InferenceServerClient) -> None:
    assert client.is_server_live()
    assert client.is_server_ready()
    assert client.get_server_metadata()["extensions"] == ["binary_tensor_data"]
    described = client.get_model_metadata("cpu-utilization")
    assert (described["versions"], described["platform"]) == (["1", "2"], "onnxruntime_onnx")
    assert described["inputs"][0] | {"parameters": None} == {
        "name": "features",
        "datatype": "FP32",
        "shape": [-1, 8],
        "parameters": None,
    }
    assert client.get_model_metadata("cpu-utilization", "2")["name"] == "cpu-utilization"


def test_readiness_follows_what_can_answer(client: triton.InferenceServerClient) -> None:
    assert client.is_model_ready("cpu-utilization")
    assert client.is_model_ready("cpu-utilization", "2")
    assert not client.is_model_ready("cpu-utilization", "9")
    assert not client.is_model_ready("nowhere")


@pytest.mark.parametrize("sent", [False, True], ids=["json", "binary"])
@pytest.mark.parametrize("returned", [False, True, None], ids=["json-back", "binary-back", "default-back"])
def test_one_tensor_a_feature_is_answered(
    client: triton.InferenceServerClient, *, sent: bool, returned: bool | None
) -> None:
    names = ("execution_time_ms", "lower", "upper", "extrapolated")
    wanted = None if returned is None else [triton.InferRequestedOutput(name, binary_data=returned) for name in names]
    result = client.infer(CNN, by_columns(binary=sent), outputs=wanted, request_id="7")
    response = result.get_response()
    assert (response["id"], response["model_name"], response["model_version"]) == ("7", CNN, "1")
    cost, lower, upper, extrapolated = (result.as_numpy(name) for name in names)
    assert cost.dtype == lower.dtype == upper.dtype == np.float32
    assert cost.tolist() == pytest.approx(COSTS, rel=1e-6)
    assert lower.tolist() == pytest.approx([value / (1.1 if value < 50 else 1.2) for value in COSTS], rel=1e-6)
    assert upper.tolist() == pytest.approx([value * (1.1 if value < 50 else 1.2) for value in COSTS], rel=1e-6)
    assert (extrapolated.dtype, extrapolated.tolist()) == (np.dtype(bool), [False] * 3)


@pytest.mark.parametrize("sent", [False, True], ids=["json", "binary"])
@pytest.mark.parametrize("datatype", ["FP32", "FP64"])
def test_one_tensor_with_all_features_is_answered(
    client: triton.InferenceServerClient, *, sent: bool, datatype: str
) -> None:
    values = np.array(LOAD, dtype="float32" if datatype == "FP32" else "float64")
    given = [tensor("features", values, datatype, binary=sent)]
    assert client.infer("cpu-utilization", given).as_numpy("cpu_utilization").tolist() == [30, 60]
    assert client.infer("cpu-utilization", given, "2").as_numpy("cpu_utilization").tolist() == [60, 120]
    narrow = client.infer("cpu-utilization", given, parameters={"coverage": 0.5})
    assert narrow.get_response()["parameters"]["coverage"] == 0.5


def test_json_and_bytes_carry_the_same_bits(client: triton.InferenceServerClient) -> None:
    values = np.random.default_rng(1).uniform(1, 390, (50, 1)) * np.ones((1, 8))
    values[:, 3:] = 0
    given = [tensor("features", values.astype("float32"), "FP32", binary=True)]
    back = [
        client.infer(
            "cpu-utilization", given, outputs=[triton.InferRequestedOutput("cpu_utilization", binary_data=binary)]
        ).as_numpy("cpu_utilization")
        for binary in (False, True)
    ]
    assert back[0].tobytes() == back[1].tobytes()


def test_many_rows_come_back_in_order(client: triton.InferenceServerClient) -> None:
    values = np.zeros((100_000, 8), dtype="float32")
    values[:, 0] = np.arange(100_000) % 400
    cost = client.infer("cpu-utilization", [tensor("features", values, "FP32", binary=True)]).as_numpy(
        "cpu_utilization"
    )
    assert (cost == values[:, 0] / 4).all()


def test_asynchronous_requests_are_answered(client: triton.InferenceServerClient) -> None:
    given = [tensor("features", np.array(LOAD, dtype="float32"), "FP32", binary=True)]
    waiting = [client.async_infer("cpu-utilization", given) for _ in range(4)]
    assert [item.get_result().as_numpy("cpu_utilization").tolist() for item in waiting] == [[30, 60]] * 4


@pytest.mark.parametrize("algorithm", ["gzip", "deflate"])
@pytest.mark.parametrize("binary", [True, False], ids=["binary", "json"])
def test_compressed_requests_are_answered(
    client: triton.InferenceServerClient, algorithm: str, *, binary: bool
) -> None:
    given = [tensor("features", np.array(LOAD, dtype="float32"), "FP32", binary=binary)]
    answer = client.infer("cpu-utilization", given, request_compression_algorithm=algorithm)
    assert answer.as_numpy("cpu_utilization").tolist() == [30, 60]


def test_the_configuration_has_the_tensors_of_the_metadata(client: triton.InferenceServerClient) -> None:
    for version in ("", "2"):
        configured = client.get_model_config("cpu-utilization", version)
        assert (configured["max_batch_size"], configured["backend"]) == (0, "onnxruntime")
        assert configured["version_policy"] == {"specific": {"versions": [int(version or 1)]}}
        described = client.get_model_metadata("cpu-utilization", version)
        for side in ("input", "output"):
            assert [(item["name"], item["data_type"], item["dims"]) for item in configured[side]] == [
                (item["name"], f"TYPE_{item['datatype']}", item["shape"]) for item in described[f"{side}s"]
            ]
        assert [item["name"] for item in configured["input"] if not item["optional"]] == ["features"]


def test_the_repository_index_names_every_version(client: triton.InferenceServerClient) -> None:
    index = client.get_model_repository_index()
    assert [(entry["name"], entry["version"], entry["state"]) for entry in index] == [
        ("cpu-utilization", "1", "READY"),
        ("cpu-utilization", "2", "READY"),
        (CNN, "1", "READY"),
    ]


def test_statistics_count_rows_requests_and_failures(client: triton.InferenceServerClient) -> None:
    def counted(version: str = "2") -> tuple[int, int, int, int]:
        (entry,) = client.get_inference_statistics("cpu-utilization", version)["model_stats"]
        times = entry["inference_stats"]
        assert (entry["version"], times["success"]["count"]) == (version, entry["execution_count"])
        return entry["inference_count"], entry["execution_count"], times["success"]["ns"], times["fail"]["count"]

    before, failed_before = counted(), counted("1")[3]
    given = [tensor("features", np.array(LOAD, dtype="float32"), "FP32", binary=True)]
    client.infer("cpu-utilization", given, "2")
    with pytest.raises(InferenceServerException):
        client.infer("cpu-utilization", [tensor("features", -np.ones((1, 8), "float32"), "FP32", binary=True)])
    rows, requests, nanoseconds, failed = counted()
    assert (rows - before[0], requests - before[1], failed) == (2, 1, 0)
    assert nanoseconds > before[2]
    assert counted("1")[3] == failed_before + 1
    versions = [entry["version"] for entry in client.get_inference_statistics("cpu-utilization")["model_stats"]]
    assert versions == ["1", "2"]
    every = {entry["name"] for entry in client.get_inference_statistics()["model_stats"]}
    assert every == {"cpu-utilization", CNN}
    with pytest.raises(InferenceServerException, match="unknown model"):
        client.get_inference_statistics("nowhere")


@pytest.mark.parametrize(
    ("model", "row", "status", "message"),
    [
        ("nowhere", LOAD[0], "404", "unknown model 'nowhere'"),
        ("cpu-utilization", [-1, *LOAD[0][1:]], "400", "request_rate: must be at least 0, got -1"),
        ("cpu-utilization", [float("nan"), *LOAD[0][1:]], "400", "request_rate: is missing or not a finite number"),
        ("cpu-utilization", LOAD[0][:-1], "400", r"features: must have shape \[rows, 8\]"),
        (CNN, [1, 3, 2, 2, 8, 7, 1, 0, 1, 1], "400", "kernel_size"),
    ],
)
def test_errors_arrive_as_the_clients_own_exception(
    client: triton.InferenceServerClient, model: str, row: list[float], status: str, message: str
) -> None:
    given = [tensor("features", np.array([row], dtype="float32"), "FP32", binary=True)]
    with pytest.raises(InferenceServerException, match=message) as raised:
        client.infer(model, given)
    assert raised.value.status() == status


def curl(server: str, path: str, *further: str) -> tuple[int, bytes]:
    answer = subprocess.run(
        ["curl", "-s", "-w", "%{http_code}", f"{server}{path}", *further], capture_output=True, check=True
    ).stdout
    return int(answer[-3:]), answer[:-3]


def test_curl_is_answered(server: str, tmp_path) -> None:
    assert curl(server, "/v2/health/live") == (200, b'{"live":true}')
    assert curl(server, "/v2/health/ready") == (200, b'{"ready":true}')
    assert curl(server, "/v2/models/cpu-utilization/ready") == (200, b'{"name":"cpu-utilization","ready":true}')
    data = '{"inputs": [{"name": "features", "datatype": "FP32", "shape": [1, 8], "data": [[%s]]}]}'
    status, body = curl(
        server, "/v2/models/cpu-utilization/infer", "-d", data % ", ".join(str(value) for value in LOAD[0])
    )
    assert status == 200
    assert json.loads(body)["outputs"][0] == {
        "name": "cpu_utilization",
        "datatype": "FP32",
        "shape": [1],
        "data": [30.0],
    }
    binary = np.array(LOAD[:1], dtype="<f4").tobytes()
    head = json.dumps(
        {
            "inputs": [
                {"name": "features", "datatype": "FP32", "shape": [1, 8], "parameters": {"binary_data_size": 32}}
            ],
            "outputs": [{"name": "cpu_utilization", "parameters": {"binary_data": True}}],
        }
    ).encode()
    (tmp_path / "request").write_bytes(head + binary)
    status, body = curl(
        server,
        "/v2/models/cpu-utilization/infer",
        *("-H", "Content-Type: application/octet-stream", "-H", f"Inference-Header-Content-Length: {len(head)}"),
        *("--data-binary", f"@{tmp_path / 'request'}"),
    )
    assert (status, np.frombuffer(body[-4:], "<f4").tolist()) == (200, [30.0])
    status, body = curl(server, "/v2/models/nowhere/infer", "-d", data % "1")
    assert (status, "unknown model" in json.loads(body)["error"]) == (404, True)
