"""Every file of the folder openapi/, by name."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from tests.contract.asyncapi import asyncapi
from tests.contract.vectors import vectors
from wintun_api.api.app import Service
from wintun_api.api.tokens import TokenStore
from wintun_api.settings import Settings


def bare_service() -> Service:
    """Return a service without driver, settings and tokens; it serves only to read its routes."""
    return Service(Settings(), TokenStore(""))


def openapi() -> dict[str, Any]:
    """Return the OpenAPI document."""
    return bare_service().api.contract()


DOCUMENTS: dict[str, Callable[[], dict[str, Any]]] = {
    "asyncapi.json": asyncapi,
    "openapi.json": openapi,
    "wire-vectors.json": vectors,
}
# What clients are built from, and a release promises to keep.
BASELINE = ("asyncapi.json", "openapi.json")


def text_of(document: dict[str, Any]) -> str:
    """Return the document as the text of its file."""
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"
