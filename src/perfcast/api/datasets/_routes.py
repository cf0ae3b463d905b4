"""Measured rows: `GET /datasets`, `GET /datasets/{ref}`, `GET /datasets/{ref}/rows`."""

from typing import Annotated, Any

from fastapi import APIRouter, Path, Query

from perfcast.api.datasets._answers import DatasetDetails, DatasetList, DatasetRows
from perfcast.api.datasets._described import columns_of, heading, rows_of
from perfcast.api.http._identifiers import timestamp
from perfcast.api.http._reply import Json, held
from perfcast.api.http._schemas import said
from perfcast.datasets import MOST_SHOWN, DatasetRecord, Datasets
from perfcast.errors import PerfcastError

router = APIRouter(prefix="/datasets", tags=["datasets"])
Kept = Annotated[Datasets, held(Datasets)]
Ref = Annotated[str, Path(description="NAME, the newest of that name, or NAME@DIGEST; its beginning will do")]


@router.get("", summary="List the datasets", **said(DatasetList, "Datasets, newest first", 422, 503))
def list_datasets(
    datasets: Kept,
    name: Annotated[str, Query(description="Only those of this name")] = "",
    workload: Annotated[str, Query(description="Only those of this workload")] = "",
    limit: Annotated[int, Query(ge=1, le=500)] = 50,
    offset: Annotated[int, Query(ge=0, le=1_000_000_000)] = 0,
) -> Json:
    """All datasets, newest first. Rows that were kept earlier under the same name stay until nobody needs them."""
    records = datasets.list(name or None)
    newest = {record.name: record.digest for record in reversed(records)}
    records = [record for record in records if workload in ("", record.workload)]
    shown = [
        heading(record, newest=newest[record.name] == record.digest) | _times(datasets, record)
        for record in records[offset : offset + limit]
    ]
    return Json({"datasets": shown, "total": len(records), "limit": limit, "offset": offset, "timestamp": timestamp()})


@router.get("/{ref}", summary="One dataset", **said(DatasetDetails, "The dataset", 404, 422, 503))
def show_dataset(ref: Ref, datasets: Kept) -> Json:
    """Where a dataset comes from, and the range and quantiles of each column."""
    record = _find(datasets, ref)
    overview = datasets.overview(record)
    newest = datasets.find(record.name).digest == record.digest
    document = {
        **heading(record, newest=newest),
        **_times(datasets, record),
        "provenance": record.provenance,
        "cost": overview.workload.cost.name,
        "columns": columns_of(overview),
        "timestamp": timestamp(),
    }
    return Json(document)


@router.get("/{ref}/rows", summary="Some rows", **said(DatasetRows, "The rows", 404, 422, 503))
def show_rows(
    ref: Ref,
    datasets: Kept,
    limit: Annotated[int, Query(ge=1, le=MOST_SHOWN, description="At most so many rows")] = 1000,
) -> Json:
    """Rows spread over the whole dataset, in the order in which they are kept, the same ones each time."""
    record = _find(datasets, ref)
    overview = datasets.overview(record)
    document = {
        **{name: getattr(record, name) for name in ("name", "workload", "digest", "rows")},
        "cost": overview.workload.cost.name,
        **rows_of(overview, limit),
        "timestamp": timestamp(),
    }
    return Json(document)


def _find(datasets: Datasets, ref: str) -> DatasetRecord:
    name, _, digest = ref.partition("@")
    return datasets.find(name, digest or None)


def _times(datasets: Datasets, record: DatasetRecord) -> dict[str, Any]:
    """When its rows were measured, or why that can't be read: one such must not hide the others."""
    try:
        first, last = datasets.times(record) or (None, None)
    except PerfcastError as error:
        return {"measured_from": None, "measured_until": None, "problem": str(error)}
    return {"measured_from": first, "measured_until": last}
