"""What can be predicted: `GET /workloads`, `GET /workloads/{name}`."""

from typing import Annotated

from fastapi import APIRouter

from perfcast.api.http._identifiers import timestamp
from perfcast.api.http._reply import Following, Json, Registered, held
from perfcast.api.http._schemas import said
from perfcast.api.workloads._answers import WorkloadDetails, WorkloadList
from perfcast.api.workloads._described import details, known_workloads, outline
from perfcast.errors import UnknownWorkload
from perfcast.workloads import Catalogue

router = APIRouter(prefix="/workloads", tags=["workloads"])
Declared = Annotated[Catalogue, held(Catalogue)]


@router.get("", summary="List the workloads", **said(WorkloadList, "All workloads", 503))
def list_workloads(catalogue: Declared, registry: Registered, follower: Following) -> Json:
    """Every workload by name: what is predicted from what, and by which models.

    `not_loaded` lists files, folders and packages that declare none that can be used, and why.
    """
    defaults = registry.defaults()
    known = known_workloads(catalogue, registry, follower)
    document = {
        "workloads": {name: outline(item, defaults.get(name)) for name, item in known.items()},
        "total_workloads": len(known),
        "not_loaded": [{"place": place, "reason": reason} for place, reason in catalogue.problems.items()],
        "timestamp": timestamp(),
    }
    return Json(document)


@router.get("/{name}", summary="One workload", **said(WorkloadDetails, "The workload", 404, 422, 503))
def show_workload(name: str, catalogue: Declared, registry: Registered, follower: Following) -> Json:
    """All that is declared: features with units and bounds, the cost, rules; presets; the models that answer."""
    known = known_workloads(catalogue, registry, follower)
    if name not in known:
        raise UnknownWorkload(name, known, hint="your own go into the folder that WORKLOADS_DIR names")
    found = details(known[name], registry.defaults().get(name), follower)
    return Json({**found, "timestamp": timestamp()})
