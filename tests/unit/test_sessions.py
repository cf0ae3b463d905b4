"""Where graphs are run. There is no GPU where tests run: what is chosen is tested, not how fast it is."""

import pytest
from tests.drafts import weighted

from perfcast.errors import BrokenVersion, InvalidSetting
from perfcast.sessions import CPU_PROVIDER, CUDA_PROVIDER, Inference, choose_inference, open_session, starts
from perfcast.workloads import builtin_workloads

WITHOUT = [CPU_PROVIDER]
WITH = ["TensorrtExecutionProvider", CUDA_PROVIDER, CPU_PROVIDER]


@pytest.mark.parametrize(
    ("device", "built_with", "works", "chosen"),
    [
        ("cpu", WITH, True, Inference("cpu", CPU_PROVIDER)),
        ("cuda", WITH, True, Inference("cuda", CUDA_PROVIDER)),
        ("auto", WITH, True, Inference("cuda", CUDA_PROVIDER)),
        ("auto", WITH, False, Inference("cpu", CPU_PROVIDER)),
        ("auto", WITHOUT, False, Inference("cpu", CPU_PROVIDER)),
    ],
)
def test_the_device_is_the_one_asked_for_and_auto_takes_cuda_where_it_works(
    device: str, built_with: list[str], *, works: bool, chosen: Inference
) -> None:
    asked: list[str] = []

    def start(provider: str) -> bool:
        asked.append(provider)
        return works

    assert choose_inference(device, available=lambda: built_with, starts=start) == chosen  # type: ignore[arg-type]
    assert asked == ([CUDA_PROVIDER] if device != "cpu" and built_with is WITH else [])


def test_cuda_that_is_not_installed_is_refused_naming_what_to_install() -> None:
    with pytest.raises(InvalidSetting, match="pip install onnxruntime-gpu") as caught:
        choose_inference("cuda", available=lambda: WITHOUT)
    assert "INFERENCE_DEVICE" in str(caught.value)


def test_cuda_that_is_installed_but_can_not_start_is_refused_naming_what_to_check() -> None:
    with pytest.raises(InvalidSetting, match="nvidia-smi"):
        choose_inference("cuda", available=lambda: WITH, starts=lambda _: False)


def test_a_provider_is_tried_with_a_real_session() -> None:
    assert starts(CPU_PROVIDER)
    assert not starts(CUDA_PROVIDER)


def test_what_cuda_can_not_run_is_left_to_the_cpu() -> None:
    assert Inference("cuda", CUDA_PROVIDER).providers == [CUDA_PROVIDER, CPU_PROVIDER]
    assert Inference().providers == [CPU_PROVIDER]


def test_a_session_runs_on_the_chosen_provider() -> None:
    cpu = builtin_workloads()["cpu-utilization"]
    assert open_session(weighted(cpu, request_rate=1), "m:1").get_providers() == [CPU_PROVIDER]
    with pytest.raises(BrokenVersion, match="m:1: ONNX Runtime can't read the graph"):
        open_session(b"nothing", "m:1")
