"""Whole profiling runs: small, but really measured."""

import io
import json
import multiprocessing
import os
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
from tests.patience import PATIENCE_SECONDS

from perfcast.cli._progress import profile_progress
from perfcast.datasets import import_file
from perfcast.errors import InvalidSetting
from perfcast.workloads import builtin_workloads
from perfcast.workloads.cnn_execution_time.profiler import Guide, ProfileOptions, ProfileProgress, profile
from perfcast.workloads.cnn_execution_time.profiler._configurations import ConvConfig, WorkBound
from perfcast.workloads.cnn_execution_time.profiler._dataset import ProfileResult
from perfcast.workloads.cnn_execution_time.profiler._journal import read_journal
from perfcast.workloads.cnn_execution_time.profiler._runners import (
    OnnxRuntimeRunner,
    TorchRunner,
    ValuePool,
    make_runner,
)
from perfcast.workloads.cnn_execution_time.profiler._sampler import sample_configurations

SMALL = WorkBound(flops=2e7, tensor_bytes=2e6)


def options(output: Path, **changes: Any) -> ProfileOptions:
    """Return options of a run of about half a second that accepts nearly everything."""
    settings: dict[str, Any] = {
        "output": output, "configurations": 8, "rounds": 2, "max_rounds": 3, "tolerance": 20.0,
        "budget_ms": 1.0, "bound": SMALL,
    }  # fmt: skip
    return ProfileOptions(**(settings | changes))


def stop_after(blocks: int) -> Callable[[ProfileProgress], None]:
    """Return a progress callback that interrupts the run as Ctrl-C would."""
    left = [blocks]

    def on_progress(progress: ProfileProgress) -> None:
        left[0] -= not progress.note
        if not left[0]:
            raise KeyboardInterrupt

    return on_progress


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> ProfileResult:
    return profile(options(tmp_path_factory.mktemp("profile"), command="perfcast profile --seed 0"))


@pytest.mark.parametrize(
    ("runtime", "measured_pass", "name"),
    [
        ("torch", "forward", "cpu-torch"),
        ("torch", "training", "cpu-torch-training"),
        ("onnxruntime", "forward", "cpu-onnxruntime"),
    ],
)
def test_each_runtime_and_pass_measures_plausible_times(
    tmp_path: Path, runtime: Any, measured_pass: Any, name: str
) -> None:
    wanted = options(tmp_path, runtime=runtime, measured_pass=measured_pass, configurations=5)
    result = profile(wanted)
    assert result.dataset == tmp_path / f"{name}.parquet"
    assert result.rows + result.left_out == 5
    times = pq.read_table(result.dataset).column("execution_time_ms").to_pylist()
    assert len(times) == result.rows >= 3
    assert all(1e-4 < ms < 1e3 for ms in times)


def test_the_parquet_file_holds_features_cost_noise_and_provenance(finished: ProfileResult) -> None:
    table = pq.read_table(finished.dataset)
    assert table.column_names == [
        *ConvConfig.__slots__, "execution_time_ms", "rounds", "half_spread", "sentinel_ratio", "path", "measured_at",
        "device", "runtime", "runtime_version", "python_version",
    ]  # fmt: skip
    metadata = {key.decode(): value.decode() for key, value in table.schema.metadata.items()}
    assert metadata["name"] == "cpu-torch"
    assert metadata["workload"] == "cnn-execution-time"
    assert json.loads(metadata["fingerprint"])["device"] == finished.fingerprint.device
    assert set(table.column("device").to_pylist()) == {finished.fingerprint.device}
    assert min(table.column("sentinel_ratio").to_pylist()) >= 1.0
    assert min(table.column("rounds").to_pylist()) >= 2


def test_the_data_card_states_rows_noise_device_and_command(finished: ProfileResult) -> None:
    card = finished.card.read_text()
    for words in (
        f"{finished.rows} distinct", "half spread of the rows", "Left out:", "licence MIT",
        "perfcast profile --seed 0", finished.fingerprint.device, "`torch.conv2d` in inference mode",
    ):  # fmt: skip
        assert words in card


def test_a_finished_run_measures_nothing_again(finished: ProfileResult) -> None:
    before = finished.journal.read_bytes()
    notes: list[ProfileProgress] = []
    again = profile(options(finished.journal.parent), on_progress=notes.append)
    assert finished.journal.read_bytes() == before
    assert again.rows == finished.rows
    assert [progress.note for progress in notes] == ["going on with cpu-torch.journal.jsonl"]


def test_a_run_killed_in_a_later_round_goes_on_and_measures_each_round_once(tmp_path: Path) -> None:
    wanted = options(tmp_path, configurations=60, max_rounds=2)
    with pytest.raises(KeyboardInterrupt):
        profile(wanted, on_progress=stop_after(4))
    journal = tmp_path / "cpu-torch.journal.jsonl"
    kept = read_journal(journal)
    with journal.open("ab") as file:
        file.write(b'{"round":2,"at":"20')
    profile(wanted)
    contents = read_journal(journal)
    assert contents.blocks[:4] == kept.blocks
    assert contents.configurations == kept.configurations
    for number in (1, 2):
        done = [i for b in contents.blocks if b.round == number for i in (*dict(b.rows), *dict(b.failed))]
        assert sorted(done) == list(range(60))


def test_a_run_ended_by_sigkill_keeps_its_blocks_and_goes_on(tmp_path: Path) -> None:
    wanted = options(tmp_path, runtime="onnxruntime", configurations=80, budget_ms=3.0, max_rounds=2)
    journal = tmp_path / "cpu-onnxruntime.journal.jsonl"
    process = multiprocessing.get_context("spawn").Process(target=profile, args=(wanted,))
    process.start()
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not (journal.exists() and read_journal(journal).blocks) and time.monotonic() < deadline:
        time.sleep(0.01)
    process.kill()
    process.join()
    kept = read_journal(journal).blocks
    assert 0 < len(kept) < 8
    assert profile(wanted).rows >= 70
    assert read_journal(journal).blocks[: len(kept)] == kept


def test_asking_for_more_configurations_extends_the_data_set(tmp_path: Path) -> None:
    profile(options(tmp_path, configurations=4))
    first = read_journal(tmp_path / "cpu-torch.journal.jsonl").configurations
    profile(options(tmp_path, configurations=7))
    configurations = read_journal(tmp_path / "cpu-torch.journal.jsonl").configurations
    assert configurations[:4] == first
    assert len(set(configurations)) == 7


def test_a_model_chooses_what_a_run_lacks_by_its_doubts(tmp_path: Path) -> None:
    profile(options(tmp_path, command="perfcast profile --configurations 8"))

    def doubt(configurations: Sequence[ConvConfig]) -> list[float]:
        return [float(configuration.kernel_size) for configuration in configurations]

    command = "perfcast profile --configurations 14 --improve times"
    more = options(tmp_path, configurations=14, command=command)
    result = profile(more, Guide("times:v3", doubt))
    contents = read_journal(result.journal)
    known, added = contents.configurations[:8], contents.configurations[8:]
    candidates = sample_configurations(18, seed=more.seed, bound=more.bound, known=known)
    assert [config for config in candidates if config in added] == added
    least = min(config.kernel_size for config in added)
    assert all(config.kernel_size <= least for config in candidates if config not in added)
    card = result.card.read_text()
    assert "6 configurations were chosen by times:v3" in card
    assert f"```\nperfcast profile --configurations 8\n{command}\n```" in card


def test_a_configuration_that_takes_too_long_is_left_out_with_its_reason(tmp_path: Path) -> None:
    result = profile(options(tmp_path, configurations=3, max_call_ms=1e-6))
    assert (result.rows, result.left_out) == (0, 3)
    reasons = [reason for block in read_journal(result.journal).blocks for _, reason in block.failed]
    assert len(reasons) == 3
    assert all(reason.startswith("TooSlowError: one call takes") for reason in reasons)
    assert "TooSlowError 3" in result.card.read_text()


def test_a_convolution_that_does_not_fit_in_memory_is_left_out_with_its_reason(tmp_path: Path) -> None:
    from perfcast.workloads.cnn_execution_time.profiler._fingerprint import read_fingerprint
    from perfcast.workloads.cnn_execution_time.profiler._journal import Journal

    huge = ConvConfig(4096, 1, 1, 1, 65_536, 1, padding=1024)
    device = asdict(read_fingerprint(cores=1))
    journal = Journal.open(
        tmp_path / "cpu-torch.journal.jsonl", {"name": "cpu-torch", "fingerprint": device, "options": {}}
    )
    journal.add_configurations([huge], "")
    journal.close()
    result = profile(options(tmp_path, configurations=2))
    assert result.rows == 1
    [(index, reason)] = [failed for block in read_journal(result.journal).blocks for failed in block.failed]
    assert index == 0
    assert "memory" in reason


@pytest.mark.parametrize("runtime", ["torch", "onnxruntime"])
def test_only_uneven_ones_are_measured_where_all_are_to_be(tmp_path: Path, runtime: Any) -> None:
    result = profile(options(tmp_path, runtime=runtime, configurations=30, uneven=1))
    assert result.rows >= 25
    found = read_journal(result.journal).configurations
    assert all(config.uneven for config in found)
    assert any(config.asymmetric for config in found) == (runtime == "onnxruntime")
    dataset, _ = import_file(result.dataset, builtin_workloads()["cnn-execution-time"], name="uneven")
    columns = dict(zip(dataset.workload.feature_names, dataset.features.T, strict=True))
    assert (columns["kernel_width"] != columns["kernel_size"]).sum() > 10
    assert "whose kernel, stride or padding differs between directions or sides" in result.card.read_text()


def test_pytorch_does_not_run_different_padding_on_opposite_sides(tmp_path: Path) -> None:
    runner = make_runner(options(tmp_path))
    with pytest.raises(InvalidSetting, match="same padding on opposite sides"):
        runner.prepare(ConvConfig(1, 3, 8, 8, 4, 3, padding=0, padding_bottom=1))
    runner.close()


def test_the_run_is_pinned_while_it_measures_and_released_after(tmp_path: Path) -> None:
    before = os.sched_getaffinity(0)
    core = min(before)
    seen: list[set[int]] = []
    profile(
        options(tmp_path, configurations=1, core=core),
        on_progress=lambda progress: seen.append(os.sched_getaffinity(0)),
    )
    assert all(cores == {core} for cores in seen)
    assert os.sched_getaffinity(0) == before


def test_onnxruntime_is_only_measured_forward_on_the_cpu(tmp_path: Path) -> None:
    with pytest.raises(InvalidSetting, match="use --runtime torch"):
        make_runner(options(tmp_path, runtime="onnxruntime", measured_pass="training"))


@pytest.mark.parametrize(
    "config",
    [
        ConvConfig(2, 4, 9, 7, 6, 3, stride=2, padding=2, groups=2, dilation=2),
        ConvConfig(2, 4, 9, 8, 6, 1, kernel_width=7, stride=2, stride_width=1),
        ConvConfig(2, 4, 9, 8, 6, 5, kernel_width=3, stride=1, stride_width=2, padding=2, padding_width=0, dilation=2),
        ConvConfig(2, 4, 9, 8, 6, 3, stride=2, padding=0, padding_bottom=1, padding_width=1, padding_right=2),
    ],
)
def test_both_runtimes_run_the_convolution_that_the_configuration_describes(config: ConvConfig) -> None:
    import onnxruntime
    import torch

    padded = torch.nn.functional.pad(
        torch.from_numpy(ValuePool(1).take(config.input_shape)),
        (config.padding_width, config.padding_right, config.padding, config.padding_bottom),
    )
    weights = torch.from_numpy(ValuePool(2).take(config.weight_shape))
    strides = config.stride, config.stride_width
    expected = torch.conv2d(padded, weights, None, strides, 0, config.dilation, config.groups).numpy()
    assert expected.shape == config.output_shape
    if not config.asymmetric:
        torch_runner = TorchRunner(device="cpu", training=False)
        call, _ = torch_runner._call(config)
        np.testing.assert_allclose(call().numpy(), expected, rtol=1e-4, atol=1e-4)
        torch_runner.close()

    runner = OnnxRuntimeRunner()
    session = onnxruntime.InferenceSession(runner._model(config), providers=["CPUExecutionProvider"])
    [found] = session.run(None, {"x": runner._inputs.take(config.input_shape)})
    assert found.shape == config.output_shape
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-4)


def test_progress_is_logged_in_lines_where_there_is_no_terminal(tmp_path: Path) -> None:
    stream = io.StringIO()
    with profile_progress(stream) as show:
        profile(options(tmp_path), on_progress=show)
    lines = stream.getvalue().splitlines()
    assert lines[0].startswith("a new data set on ")
    assert "cpu-torch round 2 of 2: 8/8 configurations" in stream.getvalue()


class Terminal(io.StringIO):
    """A stream that calls itself a terminal."""

    def isatty(self) -> bool:
        return True


def test_progress_is_a_live_line_on_a_terminal() -> None:
    stream = Terminal()
    with profile_progress(stream) as show:
        show(ProfileProgress("cpu-torch", 1, 4, 10, note="a new data set"))
        show(ProfileProgress("cpu-torch", 1, 4, 10, done=7000, total=7500, accepted=6999, seconds_left=1275))
    assert "a new data set" in stream.getvalue()
    assert "round 1/4, 7,000/7,500, 6,999 ok, slowed 1.00 x, 21 min 15 s left" in stream.getvalue()
