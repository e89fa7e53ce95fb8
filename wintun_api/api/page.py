"""Serve the pages: the dashboard and the API docs, from the service's own origin."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from importlib.resources import files
from pathlib import Path
from typing import Any

import fastapi_swagger
from fastapi import APIRouter
from fastapi.responses import FileResponse, JSONResponse

from wintun_api.api import static
from wintun_api.api.access import PAGE, SIGN_IN, SIGN_IN_FILE, needs

WEBUI = Path(str(files("wintun_api").joinpath("webui")))
SWAGGER = Path(str(files(fastapi_swagger).joinpath("resources")))

# The Windows registry may declare JavaScript as plain text, so the types are given here.
KINDS = {
    ".html": "text/html",
    ".js": "text/javascript",
    ".css": "text/css",
    ".svg": "image/svg+xml",
}
# The path of a page is its name; that of every other file is the file's.
PAGES = {"index.html": "/", "docs.html": "/docs"}
# What a page names, and what a script needs before it can run.
REFERENCE = re.compile(r'(?:src|href)="(/[^"]+)"')
IMPORT = re.compile(r'\b(?:from|import)\s*"\.(/[^"]+)"')
SWAGGER_FILES = {
    "/docs/swagger-ui.css": ("swagger-ui.css", "text/css"),
    "/docs/swagger-ui-bundle.js": ("swagger-ui-bundle.js", "text/javascript"),
    "/docs/favicon-32x32.png": ("favicon-32x32.png", "image/png"),
}


def sign_in_page() -> str:
    """Return the page for a browser without a cookie: the dashboard asking for a token."""
    return (WEBUI / "index.html").read_text("utf-8")


def build() -> dict[str, Path]:
    """Return the files of the build by their paths; which parts it has, the build decides."""
    found = sorted(one for one in WEBUI.iterdir() if one.suffix in KINDS)
    return {PAGES.get(one.name, f"/{one.name}"): one for one in found}


def sign_in_files() -> frozenset[str]:
    """Return the paths of the files that the sign-in page needs before a browser has signed in."""
    found: set[str] = set()
    left = REFERENCE.findall(sign_in_page())
    while left:
        path = left.pop()
        if path in found:
            continue
        found.add(path)
        if path.endswith(".js"):
            left += IMPORT.findall((WEBUI / path[1:]).read_text("utf-8"))
    return frozenset(found)


def pages(document: Callable[[], dict[str, Any]]) -> APIRouter:
    """Return the routes of the pages and of the OpenAPI document, which one of them shows."""
    router = APIRouter(include_in_schema=False)
    public = sign_in_files()
    for path, file in build().items():
        needed = SIGN_IN_FILE if path in public else PAGE
        served = static.endpoint(static.read(file, KINDS[file.suffix]))
        router.add_api_route(path, needs(needed)(served), methods=["GET"])
    for path, (name, kind) in SWAGGER_FILES.items():
        router.add_api_route(path, needs(PAGE)(_file(SWAGGER / name, kind)), methods=["GET"])

    @router.get("/openapi.json")
    @needs(PAGE)
    async def openapi() -> JSONResponse:
        return JSONResponse(document())

    @router.post("/sign-in")
    @needs(SIGN_IN)
    async def sign_in() -> None:
        """Stand for a request that `security` answers, with the cookie and the key."""

    return router


def _file(path: Path, kind: str) -> Callable[[], Awaitable[FileResponse]]:
    async def serve() -> FileResponse:
        return FileResponse(path, media_type=kind)

    return serve
