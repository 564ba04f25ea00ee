"""``/docs``: Swagger UI from an installed package, so that the page asks no other host."""

from __future__ import annotations

from importlib import resources
from pathlib import Path

from fastapi import APIRouter, Request
from fastapi.openapi.docs import get_swagger_ui_html
from fastapi.responses import FileResponse, HTMLResponse

from assistant.api.problems import Problem

router = APIRouter(include_in_schema=False)
_FILES = {
    "swagger-ui-bundle.js": "text/javascript",
    "swagger-ui.css": "text/css",
    "favicon.png": "image/png",
}


def _folder() -> Path:
    return Path(str(resources.files("fastapi_offline"))) / "static"


@router.get("/docs")
async def page(request: Request) -> HTMLResponse:
    """The API by example, to try in the browser."""
    return get_swagger_ui_html(
        openapi_url=str(request.app.openapi_url),
        title="Bedside API",
        swagger_js_url="/docs/swagger-ui-bundle.js",
        swagger_css_url="/docs/swagger-ui.css",
        swagger_favicon_url="/docs/favicon.png",
    )


@router.get("/docs/{name}")
async def asset(name: str) -> FileResponse:
    """One file of Swagger UI."""
    if name not in _FILES:
        raise Problem(404, "没有这个文件。(No such file.)")
    return FileResponse(_folder() / name, media_type=_FILES[name])
