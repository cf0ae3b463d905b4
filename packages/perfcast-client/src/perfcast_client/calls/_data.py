"""Workloads, datasets, and the rows that judged a version."""

from urllib.parse import quote

from perfcast_client._call import Call, reading
from perfcast_client.answers import DatasetDetails, DatasetList, DatasetRows, JudgedRows, WorkloadDetails, WorkloadList


def list_workloads() -> Call[WorkloadList]:
    """Every workload by name: what is predicted from what, and which models answer."""
    return Call("GET", "/workloads", reading(WorkloadList))


def get_workload(name: str) -> Call[WorkloadDetails]:
    """A workload's declaration, its models and presets."""
    return Call("GET", f"/workloads/{quote(name, safe='')}", reading(WorkloadDetails))


def list_datasets(
    *, name: str | None = None, workload: str | None = None, limit: int = 50, offset: int = 0
) -> Call[DatasetList]:
    """Datasets, newest first, of a name and workload."""
    query = {"name": name, "workload": workload, "limit": limit, "offset": offset}
    return Call("GET", "/datasets", reading(DatasetList), query=query)


def get_dataset(ref: str) -> Call[DatasetDetails]:
    """A dataset, where it comes from and what its columns hold; `NAME` is its newest, `NAME@DIGEST` exactly that."""
    return Call("GET", _of(ref), reading(DatasetDetails))


def dataset_rows(ref: str, *, limit: int = 1000) -> Call[DatasetRows]:
    """At most so many of a dataset's rows, spread over all of them, the same ones each time."""
    return Call("GET", f"{_of(ref)}/rows", reading(DatasetRows), query={"limit": limit})


def judged_rows(ref: str, *, limit: int = 1000) -> Call[JudgedRows]:
    """At most so many of the rows that judged a version, with its predictions; `Conflict` where it has none."""
    return Call("GET", f"/models/{quote(ref, safe='')}/judged", reading(JudgedRows), query={"limit": limit})


def _of(ref: str) -> str:
    return f"/datasets/{quote(ref, safe='')}"
