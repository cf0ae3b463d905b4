"""What a caller leaves out is filled in; what is wrong is named."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.drafts import draft, weighted
from tests.workers import Shop, small_dataset

from perfcast.errors import InvalidInput
from perfcast.jobs.queue._submission import FAMILIES
from perfcast.settings import load_settings
from perfcast.training import ENSEMBLE
from perfcast.training.families import families
from perfcast.workloads import builtin_workloads


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Shop]:
    shop = Shop(load_settings(data_dir=tmp_path))
    yield shop
    shop.close()


def wrong_fields(shop: Shop, **asked: Any) -> list[str]:
    with pytest.raises(InvalidInput) as raised:
        shop.complete(**asked)
    return [error.field for error in raised.value.fields]


def test_the_families_named_here_are_those_that_training_has() -> None:
    assert {*families(), ENSEMBLE} == set(FAMILIES)


def test_trials_alone_mean_the_default_model_of_cpu_utilization(place: Shop) -> None:
    record = place.datasets.add(small_dataset(50))
    request = place.complete(n_trials=20)
    assert (request.model, request.workload, request.dataset) == ("cpu-utilization", "cpu-utilization", "simulated")
    assert (request.digest, request.n_trials, request.metric) == (record.digest, 20, "mae")


def test_the_newest_rows_of_the_models_own_line_are_taken(place: Shop) -> None:
    workload = builtin_workloads()["cpu-utilization"]
    place.datasets.add(small_dataset(50))
    newer = place.datasets.add(small_dataset(60))
    place.datasets.add(small_dataset(70, name="shop"))
    place.registry.add("cpu-utilization", draft(workload, weighted(workload)), dataset="simulated")
    assert place.complete().digest == newer.digest
    assert place.complete(model_name="cpu-utilization").digest == newer.digest
    assert place.complete(dataset="shop").model == "cpu-utilization-shop"


def test_an_older_content_can_be_named_by_its_digest(place: Shop) -> None:
    older = place.datasets.add(small_dataset(50))
    place.datasets.add(small_dataset(60))
    assert place.complete(dataset=f"simulated@{older.digest[:10]}").digest == older.digest


def test_without_any_rows_the_caller_is_told_what_to_do(place: Shop) -> None:
    with pytest.raises(InvalidInput, match="perfcast data import") as raised:
        place.complete(n_trials=20)
    assert raised.value.fields[0].field == "dataset"


def test_whatever_is_wrong_is_named_by_its_field(place: Shop) -> None:
    place.datasets.add(small_dataset(50))
    assert wrong_fields(place, n_trials=0, seed=-1) == ["n_trials", "seed"]
    assert wrong_fields(place, families=("xgbost", "polynomial")) == ["families"]
    assert wrong_fields(place, timeout_seconds=0.1) == ["timeout_seconds"]
    assert wrong_fields(place, dataset="simulatd") == ["dataset"]
    assert wrong_fields(place, workload="cpu") == ["workload"]
    assert wrong_fields(place, workload="cnn-execution-time") == ["dataset"]
    assert wrong_fields(place, dataset="simulated", workload="cnn-execution-time") == ["workload"]
    assert wrong_fields(place, model_name="no such/name") == ["model_name"]
    assert wrong_fields(place, metric="mape") == ["metric"]


def test_a_model_of_another_workload_is_refused(place: Shop) -> None:
    convolution = builtin_workloads()["cnn-execution-time"]
    place.datasets.add(small_dataset(50))
    place.registry.add("mine", draft(convolution, weighted(convolution, batch_size=1)))
    assert wrong_fields(place, model_name="mine", dataset="simulated") == ["model_name"]


def test_the_version_to_start_from_is_kept_by_its_number(place: Shop) -> None:
    workload, convolution = builtin_workloads()["cpu-utilization"], builtin_workloads()["cnn-execution-time"]
    place.datasets.add(small_dataset(50))
    for number in (1, 2):
        place.registry.add("mine", draft(workload, weighted(workload)))
        place.registry.point("mine", "champion", number)
    assert place.complete(base="mine").base == "mine:2"
    assert place.complete(base="mine:1").base == "mine:1"
    assert place.complete().base is None
    place.registry.add("theirs", draft(convolution, weighted(convolution, batch_size=1)))
    for wrong in ("theirs:1", "mine:3", "min", "no such/name"):
        assert wrong_fields(place, base=wrong) == ["base"]
