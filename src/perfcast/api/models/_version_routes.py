"""Versions that come from elsewhere, and versions that go."""

from typing import Annotated, Any

from fastapi import APIRouter, Path, Request
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import FormData, UploadFile
from starlette.exceptions import HTTPException
from starlette.types import Message

from perfcast.api.http._bodies import UPLOAD_BYTES, read_body
from perfcast.api.http._identifiers import timestamp
from perfcast.api.http._reply import Configured, Following, Json, Registered, held
from perfcast.api.http._schemas import said
from perfcast.api.models._answers import VersionAdded, VersionDeleted
from perfcast.api.models._moves import described
from perfcast.errors import FieldError, InvalidInput
from perfcast.registry import parse_reference
from perfcast.serving import LARGEST_MANIFEST, read_statement, upload
from perfcast.workloads import Catalogue

router = APIRouter(prefix="/models", tags=["models"])
_UPLOAD: dict[str, Any] = {
    "required": True,
    "content": {
        "multipart/form-data": {
            "schema": {
                "type": "object",
                "required": ["graph"],
                "properties": {
                    "graph": {
                        "type": "string",
                        "format": "binary",
                        "description": "ONNX, at most 20 MB: from `features` float32 [rows, features] to `cost` "
                        "float32 [rows], with ONNX's own operators only",
                    },
                    "manifest": {
                        "type": "string",
                        "contentMediaType": "application/json",
                        "description": "What is known of it; every part may be left out, and for an existing model all",
                        "examples": ['{"workload": "cpu-utilization", "label": "v1.3.0"}'],
                    },
                },
            },
            "encoding": {"manifest": {"contentType": "application/json"}},
        }
    },
}
_PARTS = ("graph", "manifest")
_HOW = "send multipart/form-data, as `curl -F graph=@model.onnx -F manifest=@manifest.json` does"


@router.post(
    "/{name}/versions",
    summary="Upload a version",
    openapi_extra={"requestBody": _UPLOAD},
    **said(VersionAdded, "It is registered", 409, 413, 422, 503, status=201),
)
async def add(
    name: str,
    request: Request,
    registry: Registered,
    follower: Following,
    settings: Configured,
    catalogue: Annotated[Catalogue, held(Catalogue)],
) -> Json:
    """Register a graph that was made elsewhere, as a candidate; activating it is a call of its own.

    The graph is looked through and tried before it is kept: see `docs/models.md`. Without a calibration in its
    manifest the version is uncalibrated, and its answers have no bounds.
    """
    graph, manifest = await _parts(request, max(settings.max_body_bytes, UPLOAD_BYTES))
    statement = read_statement(manifest)
    version = await run_in_threadpool(upload, registry, name, graph, statement, catalogue.workloads)
    await run_in_threadpool(follower.refresh)
    document = {
        **described(version),
        "calibrated": version.manifest.calibration is not None,
        "graph": version.manifest.graph,
        "created_at": version.created_at,
        "status": "success",
        "timestamp": timestamp(),
    }
    return Json(document, status_code=201, headers={"Location": f"/models/{version.reference}/metrics"})


@router.delete(
    "/{name}/versions/{version}",
    summary="Delete a version",
    **said(VersionDeleted, "It is no more", 404, 409, 422, 503),
)
def delete(
    name: str,
    version: Annotated[str, Path(description="Its number or its label")],
    registry: Registered,
    follower: Following,
) -> Json:
    """Forget a version and its graph, for good. 409 while an alias points to it: move that first."""
    asked = parse_reference(f"{name}:{version}")
    if asked.model != name:
        raise InvalidInput.of("version", "must be a version's number or its label")
    number = asked.number or registry.resolve(str(asked)).number
    registry.delete(name, number)
    follower.refresh()
    return Json({"model_name": name, "model_version": number, "status": "success", "timestamp": timestamp()})


async def _parts(request: Request, most: int) -> tuple[bytes, bytes]:
    """The graph and the manifest; an absent manifest is empty."""
    body = bytes(await read_body(request.scope["headers"], request.receive, most))
    if not request.headers.get("content-type", "").startswith("multipart/form-data"):
        raise InvalidInput.of("body", f"must have the parts graph and manifest; {_HOW}")

    async def receive() -> Message:
        return {"type": "http.request", "body": body, "more_body": False}

    whole = Request(request.scope, receive)
    try:
        async with whole.form(max_files=2, max_fields=2, max_part_size=LARGEST_MANIFEST) as form:
            return await _read(form)
    except HTTPException as error:  # what Starlette makes of a body that is no form
        raise InvalidInput.of("body", f"{error.detail}; {_HOW}") from None


async def _read(form: FormData) -> tuple[bytes, bytes]:
    others = sorted(set(form) - set(_PARTS))
    if others:
        raise InvalidInput([FieldError(name, f"is no part of an upload; {_HOW}") for name in others])
    graph, manifest = form.get("graph"), form.get("manifest", "")
    if not isinstance(graph, UploadFile):
        raise InvalidInput.of("graph", f"must be a file; {_HOW}")
    text: Any = await manifest.read() if isinstance(manifest, UploadFile) else manifest.encode()
    return await graph.read(), text
