"""Operators as both runtimes run them, against each other and against what their features say."""

import math
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest

from perfcast.datasets import import_file
from perfcast.errors import InvalidSetting
from perfcast.workloads import builtin_workloads
from perfcast.workloads.cnn_execution_time.profiler import BLOCKED, ProfileOptions, ProfileProgress, WorkBound, profile
from perfcast.workloads.cnn_execution_time.profiler._journal import read_journal
from perfcast.workloads.cnn_execution_time.profiler._profile import journal_path
from perfcast.workloads.operator_execution_time.profiler import OPERATORS, WORKLOAD, OperatorConfig
from perfcast.workloads.operator_execution_time.profiler._configurations import REORDERS
from perfcast.workloads.operator_execution_time.profiler._onnxruntime import (
    PLAIN,
    OnnxRuntimeOperators,
    bound_inputs,
    bound_output,
)
from perfcast.workloads.operator_execution_time.profiler._sampler import SHARES, sample_operators
from perfcast.workloads.operator_execution_time.profiler._torch import TorchOperators

SMALL = WorkBound(flops=2e7, tensor_bytes=1e6)


@pytest.fixture(scope="module")
def drawn() -> list[OperatorConfig]:
    return sample_operators(500, seed=2, bound=SMALL, reorders=True)


@pytest.fixture(scope="module")
def torch_runner() -> Any:
    runner = TorchOperators(device="cpu")
    yield runner
    runner.close()


@pytest.fixture(scope="module")
def onnxruntime_runner() -> OnnxRuntimeOperators:
    return OnnxRuntimeOperators()


def of_torch(runner: TorchOperators, config: OperatorConfig) -> np.ndarray:
    call, mode = runner._call(config)
    with mode():
        return call().numpy()  # type: ignore[no-any-return]


def of_onnxruntime(runner: OnnxRuntimeOperators, config: OperatorConfig) -> np.ndarray:
    import onnxruntime

    session = onnxruntime.InferenceSession(runner._model(config), runner.session_options())
    shapes = bound_inputs(config)
    [found] = session.run(None, {f"x{at}": runner._inputs.take(shape) for at, shape in enumerate(shapes)})
    return found  # type: ignore[no-any-return]


def chosen(drawn: list[OperatorConfig], operator: str) -> list[OperatorConfig]:
    return [config for config in drawn if config.operator == operator][:6]


@pytest.mark.parametrize("operator", sorted(SHARES))
def test_each_operator_makes_what_its_features_say(
    operator: str, drawn: list[OperatorConfig], torch_runner: TorchOperators, onnxruntime_runner: OnnxRuntimeOperators
) -> None:
    configurations = chosen(drawn, operator)
    assert configurations
    for config in configurations:
        made = of_onnxruntime(onnxruntime_runner, config)
        assert made.shape == bound_output(config)
        if operator in REORDERS:
            continue
        assert of_torch(torch_runner, config).size == math.prod(config.output_shape)


@pytest.mark.parametrize("operator", sorted(set(SHARES) - set(REORDERS)))
def test_both_runtimes_compute_the_same(
    operator: str, drawn: list[OperatorConfig], torch_runner: TorchOperators, onnxruntime_runner: OnnxRuntimeOperators
) -> None:
    plain = [config for config in chosen(drawn, operator) if onnxruntime_runner.path(config) == PLAIN]
    for config in plain:
        made = of_torch(torch_runner, config).reshape(bound_output(config))
        np.testing.assert_allclose(of_onnxruntime(onnxruntime_runner, config), made, rtol=1e-3, atol=1e-3)


def test_pools_and_resizing_work_in_blocks_as_inside_cnns(onnxruntime_runner: OnnxRuntimeOperators) -> None:
    pool = {"output_height": 4, "output_width": 4, "kernel_size": 2, "stride": 2}
    assert onnxruntime_runner.path(OperatorConfig.of("max_pool", (1, 32, 8, 8), **pool)) == BLOCKED
    assert onnxruntime_runner.path(OperatorConfig.of("max_pool", (1, 24, 8, 8), **pool)) == PLAIN
    twice = OperatorConfig.of("resize", (1, 24, 8, 8), output_height=16, output_width=16)
    assert onnxruntime_runner.path(twice) == BLOCKED
    assert bound_output(twice) == (1, 32, 16, 16)
    half = OperatorConfig.of("resize", (1, 24, 8, 8), output_height=4, output_width=4)
    assert onnxruntime_runner.path(half) == PLAIN


def test_channels_brought_into_blocks_and_back_are_the_same(onnxruntime_runner: OnnxRuntimeOperators) -> None:
    import onnxruntime

    shape = (2, 20, 5, 3)
    values = np.random.default_rng(0).standard_normal(shape, dtype=np.float32)
    for operator in ("reorder_in", "reorder_out"):
        model = onnxruntime_runner._model(OperatorConfig.of(operator, shape))
        [values] = onnxruntime.InferenceSession(model).run(None, {"x0": values})
        assert values.shape == ((2, 32, 5, 3) if operator == "reorder_in" else shape)
    np.testing.assert_array_equal(values, np.random.default_rng(0).standard_normal(shape, dtype=np.float32))


def test_tensors_of_one_call_share_no_memory(torch_runner: TorchOperators) -> None:
    config = OperatorConfig.of("add", (1, 4, 5, 6), inputs=2)
    first, second = (of_torch(torch_runner, config) for _ in range(2))
    np.testing.assert_array_equal(first, 2 * torch_runner._inputs.take(config.input_shape))
    np.testing.assert_array_equal(second, first)


def options(output: Path, **changes: Any) -> ProfileOptions:
    settings: dict[str, Any] = {
        "output": output, "what": "operators", "configurations": 40, "rounds": 2, "max_rounds": 2, "tolerance": 20.0,
        "budget_ms": 1.0, "bound": SMALL,
    }  # fmt: skip
    return ProfileOptions(**(settings | changes))


@pytest.mark.parametrize("runtime", ["torch", "onnxruntime"])
def test_a_run_measures_plausible_times_that_can_be_imported(tmp_path: Path, runtime: Any) -> None:
    result = profile(options(tmp_path, runtime=runtime, command="perfcast profile --what operators"), kind=OPERATORS)
    assert result.dataset == tmp_path / f"cpu-{runtime}-operators.parquet"
    assert result.rows >= 38
    table = pq.read_table(result.dataset)
    assert table.column_names[: len(OPERATORS.features)] == list(OPERATORS.features)
    assert set(table.column("operator").to_pylist()) <= set(SHARES)
    assert all(1e-4 < ms < 1e3 for ms in table.column("execution_time_ms").to_pylist())
    dataset, report = import_file(result.dataset, builtin_workloads()[WORKLOAD], name="operators")
    assert (report.refused, len(dataset.cost)) == (0, result.rows)
    card = result.card.read_text()
    for words in ("operators other than convolutions", f"`{WORKLOAD}`", "## By operator", "perfcast profile --what op"):
        assert words in card


def test_an_interrupted_run_goes_on_where_its_journal_ends(tmp_path: Path) -> None:
    def interrupt(progress: ProfileProgress) -> None:
        if not progress.note:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        profile(options(tmp_path), kind=OPERATORS, on_progress=interrupt)
    journal = tmp_path / "cpu-torch-operators.journal.jsonl"
    kept = read_journal(journal, OperatorConfig)
    assert len(kept.blocks) == 1
    profile(options(tmp_path), kind=OPERATORS)
    contents = read_journal(journal, OperatorConfig)
    assert contents.blocks[:1] == kept.blocks
    assert contents.configurations == kept.configurations == sample_operators(40, seed=0, bound=SMALL)
    for number in (1, 2):
        done = [at for block in contents.blocks if block.round == number for at in dict(block.rows)]
        assert sorted(done) == list(range(40))


def test_a_journal_of_operators_is_not_taken_for_one_of_convolutions(tmp_path: Path) -> None:
    result = profile(options(tmp_path, configurations=2), kind=OPERATORS)
    path, note = journal_path(options(tmp_path, what="convolutions"), result.fingerprint)
    assert path.name == "cpu-torch.journal.jsonl"
    assert note.startswith("a new data set")


def test_operators_are_measured_forward_only(tmp_path: Path) -> None:
    with pytest.raises(InvalidSetting, match="forward only"):
        profile(options(tmp_path, measured_pass="training"), kind=OPERATORS)
    with pytest.raises(InvalidSetting, match="use --runtime torch"):
        profile(options(tmp_path, runtime="onnxruntime", device="cuda"), kind=OPERATORS)
