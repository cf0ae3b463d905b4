"""The rows that come with Perfcast."""

import pytest

from perfcast.datasets import shipped_dataset, shipped_files, shipped_workload


def test_measured_rows_of_each_workload_that_is_built_in_are_shipped() -> None:
    workloads = {name: shipped_workload(name) for name in shipped_files()}
    assert workloads == {
        "cpu-onnxruntime": "cnn-execution-time",
        "cpu-torch": "cnn-execution-time",
        "cpu-onnxruntime-operators": "operator-execution-time",
        "cpu-torch-operators": "operator-execution-time",
        "web-shop": "cpu-utilization",
    }


@pytest.mark.parametrize("name", shipped_files())
def test_a_card_beside_them_tells_how_many_rows_there_are_and_none_is_refused(name: str) -> None:
    dataset = shipped_dataset(name)
    assert dataset.workload.name == shipped_workload(name)
    card = (shipped_files()[name].parent / dataset.provenance["card"]).read_text()
    assert f"{len(dataset):,}" in card.split("\n\n")[1]


def test_the_shops_rows_are_those_before_its_deploy_in_order_of_time() -> None:
    dataset = shipped_dataset("web-shop")
    assert dataset.measured_at is not None
    assert (dataset.measured_at[1:] > dataset.measured_at[:-1]).all()
    assert dataset.split().kind == "time"
    assert 0 < dataset.cost.min() < dataset.cost.max() <= 100
