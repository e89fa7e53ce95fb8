"""REST routes raise what went wrong, and leave the answer to `problems`."""

from __future__ import annotations

import ast
import inspect
from types import ModuleType

import pytest

from wintun_api.api import adapters, packets, sessions, system


@pytest.mark.parametrize(
    "module", [adapters, sessions, packets, system], ids=lambda module: module.__name__
)
def test_rest_routes_contain_no_try(module: ModuleType) -> None:
    """No route of a resource catches an error or answers with a plain status."""
    tree = ast.parse(inspect.getsource(module))
    routes = [node for node in ast.walk(tree) if isinstance(node, ast.AsyncFunctionDef)]
    assert routes
    for route in routes:
        assert not any(isinstance(node, ast.Try) for node in ast.walk(route)), route.name
    assert "HTTPException" not in inspect.getsource(module)
