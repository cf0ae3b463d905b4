"""The pages that show the OpenAPI document, with their scripts served from here: they work without the internet.

The scripts are those that the package `fastapi-offline` ships; it is imported when one is first asked for.
"""

from importlib.resources import files
from typing import Any, Literal

from fastapi import APIRouter, Request
from fastapi.openapi.docs import get_redoc_html, get_swagger_ui_html
from starlette.responses import FileResponse, HTMLResponse, Response

PLACE = "/docs/files"
"""Where the pages' files stand; as open to everybody as the pages."""
_AGE = "public, max-age=86400"
_SWAGGER: dict[str, Any] = {"tryItOutEnabled": True, "displayRequestDuration": True, "docExpansion": "list"}
File = Literal["swagger-ui-bundle.js", "swagger-ui.css", "redoc.standalone.js", "favicon.png"]

router = APIRouter(include_in_schema=False)


@router.get("/docs", response_class=HTMLResponse)
async def swagger(request: Request) -> HTMLResponse:
    """Swagger UI: every route, to be tried."""
    root = request.scope.get("root_path", "")
    return get_swagger_ui_html(
        openapi_url=f"{root}/openapi.json",
        title="Perfcast",
        oauth2_redirect_url=None,
        swagger_js_url=f"{root}{PLACE}/swagger-ui-bundle.js",
        swagger_css_url=f"{root}{PLACE}/swagger-ui.css",
        swagger_favicon_url=f"{root}{PLACE}/favicon.png",
        swagger_ui_parameters=_SWAGGER,
    )


@router.get("/redoc", response_class=HTMLResponse)
async def redoc(request: Request) -> HTMLResponse:
    """ReDoc: every route, to be read."""
    root = request.scope.get("root_path", "")
    return get_redoc_html(
        openapi_url=f"{root}/openapi.json",
        title="Perfcast",
        redoc_js_url=f"{root}{PLACE}/redoc.standalone.js",
        redoc_favicon_url=f"{root}{PLACE}/favicon.png",
        with_google_fonts=False,
    )


@router.get(PLACE + "/{name}", response_class=FileResponse)
async def file(name: File) -> Response:
    """One of the pages' files."""
    return FileResponse(str(files("fastapi_offline") / "static" / name), headers={"Cache-Control": _AGE})
