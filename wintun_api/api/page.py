"""Serve the pages: the dashboard and the API docs, from the service's own origin."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from importlib.resources import files
from pathlib import Path
from typing import Any

import fastapi_swagger
from fastapi import APIRouter
from fastapi.responses import FileResponse, JSONResponse

from wintun_api.api.access import PAGE, SIGN_IN_FILE, needs

WEBUI = Path(str(files("wintun_api").joinpath("webui")))
SWAGGER = Path(str(files(fastapi_swagger).joinpath("resources")))

# The Windows registry may declare JavaScript as plain text, so the types are given here.
FILES = {
    "/": ("index.html", "text/html"),
    "/app.js": ("app.js", "text/javascript"),
    # Parts that the page and its worker share.
    "/decoder.js": ("decoder.js", "text/javascript"),
    "/engine.js": ("engine.js", "text/javascript"),
    "/filter.js": ("filter.js", "text/javascript"),
    "/worker.js": ("worker.js", "text/javascript"),
    # Parts that the dashboard loads when they are first shown.
    "/captures.js": ("captures.js", "text/javascript"),
    "/compose.js": ("compose.js", "text/javascript"),
    "/hosts.js": ("hosts.js", "text/javascript"),
    "/packets.js": ("packets.js", "text/javascript"),
    "/traffic.js": ("traffic.js", "text/javascript"),
    "/impairment.js": ("impairment.js", "text/javascript"),
    "/app.css": ("app.css", "text/css"),
    "/icon.svg": ("icon.svg", "image/svg+xml"),
    "/docs": ("docs.html", "text/html"),
    "/docs.js": ("docs.js", "text/javascript"),
}
# The files of the sign-in page.
SIGN_IN = frozenset({"/app.js", "/decoder.js", "/engine.js", "/filter.js", "/app.css", "/icon.svg"})
SWAGGER_FILES = {
    "/docs/swagger-ui.css": ("swagger-ui.css", "text/css"),
    "/docs/swagger-ui-bundle.js": ("swagger-ui-bundle.js", "text/javascript"),
    "/docs/favicon-32x32.png": ("favicon-32x32.png", "image/png"),
}


def sign_in_page() -> str:
    """Return the page for a browser without a cookie: the dashboard asking for a token."""
    return (WEBUI / "index.html").read_text("utf-8")


def pages(document: Callable[[], dict[str, Any]]) -> APIRouter:
    """Return the routes of the pages and of the OpenAPI document, which one of them shows."""
    router = APIRouter(include_in_schema=False)
    for folder, table in ((WEBUI, FILES), (SWAGGER, SWAGGER_FILES)):
        for path, (name, kind) in table.items():
            needed = SIGN_IN_FILE if path in SIGN_IN else PAGE
            endpoint = needs(needed)(_file(folder / name, kind))
            router.add_api_route(path, endpoint, methods=["GET"])

    @router.get("/openapi.json")
    @needs(PAGE)
    async def openapi() -> JSONResponse:
        return JSONResponse(document())

    return router


def _file(path: Path, kind: str) -> Callable[[], Awaitable[FileResponse]]:
    async def serve() -> FileResponse:
        return FileResponse(path, media_type=kind)

    return serve
