"""The sampler of operators and the configurations themselves."""

from collections import Counter
from dataclasses import asdict

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from perfcast.workloads import builtin_workloads
from perfcast.workloads.cnn_execution_time.profiler import WorkBound
from perfcast.workloads.operator_execution_time.profiler import OPERATORS, WORKLOAD, OperatorConfig
from perfcast.workloads.operator_execution_time.profiler._configurations import PRODUCTS, REORDERS
from perfcast.workloads.operator_execution_time.profiler._sampler import BOUND, SHARES, sample_operators


@pytest.fixture(scope="module")
def drawn() -> list[OperatorConfig]:
    return sample_operators(4000, seed=0, bound=BOUND, reorders=True)


@settings(max_examples=10, deadline=None)
@given(seed=st.integers(0, 2**31), count=st.integers(1, 200), reorders=st.booleans())
def test_samples_are_distinct_valid_and_within_the_work_bound(*, seed: int, count: int, reorders: bool) -> None:
    chosen = sample_operators(count, seed=seed, bound=BOUND, reorders=reorders)
    assert len(chosen) == count == len(set(chosen))
    for config in chosen:
        assert config.valid
        assert config.flops <= 2 * BOUND.flops
        assert config.tensor_bytes <= 5 * BOUND.tensor_bytes


def test_the_same_seed_gives_the_same_operators_and_another_seed_others() -> None:
    first = sample_operators(60, seed=3, bound=BOUND)
    assert first == sample_operators(60, seed=3, bound=BOUND)
    assert first != sample_operators(60, seed=4, bound=BOUND)


def test_known_operators_are_not_chosen_again() -> None:
    first = sample_operators(300, seed=1, bound=BOUND)
    assert set(first).isdisjoint(sample_operators(300, seed=1, bound=BOUND, known=first))


def test_a_smaller_bound_is_kept_by_all_but_the_large_share() -> None:
    bound = WorkBound(flops=1e7, tensor_bytes=1e6)
    chosen = sample_operators(400, seed=5, bound=bound)
    assert sum(not bound.admits(config) for config in chosen) <= 20


def test_every_operator_that_the_workload_knows_has_about_its_share(drawn: list[OperatorConfig]) -> None:
    operator = builtin_workloads()[WORKLOAD].features[0]
    counts = Counter(config.operator for config in drawn)
    assert set(counts) == set(SHARES) == set(operator.declaration.values)
    for name, share in SHARES.items():
        assert counts[name] == pytest.approx(len(drawn) * share / sum(SHARES.values()), rel=0.4)


def test_only_a_runtime_that_has_blocks_of_channels_is_asked_to_reorder() -> None:
    plain = {config.operator for config in sample_operators(3000, seed=0, bound=BOUND)}
    assert plain == set(SHARES) - set(REORDERS)


def test_configurations_have_the_features_in_declared_order() -> None:
    assert OPERATORS.features == builtin_workloads()[WORKLOAD].feature_names


def test_shapes_of_networks_occur(drawn: list[OperatorConfig]) -> None:
    def some(operator: str, **values: int) -> bool:
        rows = (asdict(config) for config in drawn if config.operator == operator)
        return any(values.items() <= row.items() for row in rows)

    assert some("linear", width=25088, output_channels=4096)
    assert some("linear", width=768, channels=1)
    assert some("relu", height=56, width=56)
    assert some("max_pool", kernel_size=3, stride=2, padding=1)
    assert some("sigmoid", height=1, width=1)
    assert some("resize", kernel_size=2)
    assert some("transpose", channels=2)
    assert some("softmax", channels=12)
    assert some("slice", output_height=1, channels=1)
    assert any(config.operator == "concat" and config.inputs > 6 for config in drawn)
    assert {1, 2, 64, 128} <= {config.batch_size for config in drawn}


def test_flops_and_bytes_are_those_worked_out_by_hand() -> None:
    linear = OperatorConfig.of("linear", (2, 1, 5, 7), output_channels=3)
    assert (linear.output_shape, linear.weight_shapes) == ((2, 1, 5, 3), ((3, 7), (3,)))
    assert (linear.flops, linear.tensor_bytes) == (2 * 2 * 5 * 7 * 3, 4 * (2 * 5 * 7 + 2 * 5 * 3))
    matmul = OperatorConfig.of("matmul", (2, 3, 5, 7), output_channels=4)
    assert matmul.input_shapes == ((2, 3, 5, 7), (2, 3, 7, 4))
    assert matmul.flops == 2 * (2 * 3 * 5 * 4) * 7
    pool = OperatorConfig.of(
        "max_pool", (1, 8, 9, 9), output_height=5, output_width=5, kernel_size=3, stride=2, padding=1
    )
    assert (pool.flops, pool.tensor_bytes) == (8 * 25 * 9, 4 * 8 * (81 + 25))
    concat = OperatorConfig.of("concat", (1, 3, 2, 2), output_channels=10, inputs=3)
    assert concat.input_shapes == ((1, 3, 2, 2), (1, 3, 2, 2), (1, 4, 2, 2))


@pytest.mark.parametrize(
    "config",
    [
        OperatorConfig.of("convolution", (1, 3, 8, 8)),
        OperatorConfig.of("relu", (0, 3, 8, 8)),
        OperatorConfig.of("max_pool", (1, 3, 2, 2), output_height=0, output_width=0, kernel_size=3),
        OperatorConfig.of("max_pool", (1, 3, 8, 8), output_height=5, output_width=4, kernel_size=2, stride=2),
        OperatorConfig.of("concat", (1, 3, 8, 8), output_channels=6, inputs=3),
        OperatorConfig.of("reorder_in", (1, 3, 8, 8)),
    ],
)
def test_what_can_not_be_is_no_configuration(config: OperatorConfig) -> None:
    assert not config.valid


def test_quantities_of_the_workload_are_those_of_the_configurations(drawn: list[OperatorConfig]) -> None:
    import math

    import numpy as np

    from perfcast.workloads import RowReader

    workload = builtin_workloads()[WORKLOAD]
    reader = RowReader(workload)
    rows = np.array([reader.read(asdict(config)) for config in drawn], dtype=np.float32)
    found = dict(zip(workload.input_names, workload.inputs(rows).T, strict=True))
    read = [4e-6 * sum(map(math.prod, config.input_shapes)) for config in drawn]
    written = [4e-6 * math.prod(config.output_shape) for config in drawn]
    weights = [4e-6 * sum(map(math.prod, config.weight_shapes)) for config in drawn]
    np.testing.assert_allclose(found["read_megabytes"], read, rtol=1e-5)
    np.testing.assert_allclose(found["written_megabytes"], written, rtol=1e-5)
    np.testing.assert_allclose(found["weight_megabytes"], weights, rtol=1e-5)
    products = np.array([config.operator in PRODUCTS for config in drawn])
    flops = np.array([config.flops for config in drawn])
    np.testing.assert_allclose(found["gigaflops"][products], 1e-9 * flops[products], rtol=1e-5)
