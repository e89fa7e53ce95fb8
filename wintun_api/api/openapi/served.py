"""The application whose document is the contract."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI
from starlette.routing import Route
from starlette.types import Lifespan

from wintun_api.api.access import Access, access_of
from wintun_api.api.routes import Routes


class Api(FastAPI):
    """The application; its document is the contract, with this origin as the server.

    The framework's own routes of documents are off: like every other route, that of the document
    must say what it needs (page.py).
    """

    def __init__(self, *, lifespan: Lifespan[Any], **options: Any) -> None:
        super().__init__(openapi_url=None, docs_url=None, redoc_url=None, **options)
        self.router = self.routing = Routes(
            redirect_slashes=False, dependency_overrides_provider=self, lifespan=lifespan
        )

    def accesses(self) -> dict[tuple[str, str], Access]:
        """Return what each route of the document needs, by method and path."""
        found = {
            (method, route.path_format): access_of(route)
            for route in self.routing.routes
            if isinstance(route, Route)
            for method in route.methods or ()
        }
        return {key: access for key, access in found.items() if access is not None}

    def openapi(self) -> dict[str, Any]:
        """Return the document that `/openapi.json` serves: /docs then talks to its own origin."""
        if self.openapi_schema is None:
            self.openapi_schema = {**self.contract(), "servers": [{"url": "/"}]}
        return self.openapi_schema

    def contract(self) -> dict[str, Any]:
        """Return the document of the folder openapi/."""
        # Only those who ask for the document need the examples in it.
        from wintun_api.api.openapi.document import finished

        return finished(super().openapi(), self.accesses())
