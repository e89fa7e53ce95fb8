"""The application whose document is the contract."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI


class Api(FastAPI):
    """The application; its document is the contract, with this origin as the server."""

    def openapi(self) -> dict[str, Any]:
        """Return the document that `/openapi.json` serves: /docs then talks to its own origin."""
        if self.openapi_schema is None:
            self.openapi_schema = {**self.contract(), "servers": [{"url": "/"}]}
        return self.openapi_schema

    def contract(self) -> dict[str, Any]:
        """Return the document of the folder openapi/."""
        # Only those who ask for the document need the examples in it.
        from wintun_api.api.contract.openapi import finished

        return finished(super().openapi())
