"""Errors leave as problem documents, whatever they are."""

from __future__ import annotations

import inspect
import re
from typing import cast

import pytest

from tests.running import RunningService
from wintun_api import errors
from wintun_api.api.problems import INTERNAL, KINDS, close_code, kind_of, problem_of
from wintun_api.settings import Settings


def test_an_unexpected_error(service: RunningService, caplog: pytest.LogCaptureFixture) -> None:
    """A defect is a 500 with a reference that the log explains, and the service goes on."""
    context = service.service.context
    settings, context.settings = context.settings, cast(Settings, None)
    answer = service.http.get("/v1/system")
    context.settings = settings
    assert answer.status_code == 500
    assert answer.headers["content-type"] == "application/problem+json"
    problem = answer.json()
    assert "NoneType" not in answer.text
    reference = re.findall(r"[0-9a-f]{8}", problem["hint"])[0]
    assert reference in caplog.text
    assert service.http.get("/v1/system").status_code == 200


def test_every_error_has_its_row() -> None:
    """No error of the tree falls through to 500, and none shares another one's type."""
    for name, cls in inspect.getmembers(errors, inspect.isclass):
        if issubclass(cls, errors.WintunApiError) and cls is not errors.WintunApiError:
            if name == "InvalidSettings":
                continue  # it ends the start, before there is an API
            assert cls in KINDS, name
    slugs = [kind.slug for kind in KINDS.values()]
    assert len(slugs) == len(set(slugs))


def test_a_subclass_uses_its_base() -> None:
    """An error without a row of its own is told as what it is a kind of."""

    class Special(errors.AdapterExists):
        pass

    assert kind_of(Special("f", 183)).slug == "adapter-exists"
    assert kind_of(ValueError()) is INTERNAL
    assert close_code(errors.SessionEnded("f", 38)) == 4009


def test_driver_errors_tell_all() -> None:
    """Function, unsigned code, hexadecimal and log lines are members of their own."""
    error = errors.DriverError("WintunCreateAdapter", -2147024891)
    error.log = ("first", "second")
    problem = problem_of(error, "/x")
    assert problem["function"] == "WintunCreateAdapter"
    assert problem["win32_code"] == 0x80070005
    assert problem["win32_code_hex"] == "0x80070005"
    assert problem["log"] == ["first", "second"]
    assert "0x80070005" in problem["detail"]
    errno = problem_of(errors.AccessDenied("TUNSETIFF", 1, domain="errno"), "/x")
    assert errno["errno"] == 1
    assert "win32_code" not in errno


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/v1/nothing", 404),
        ("POST", "/v1/adapters/open/x", 404),
        ("PATCH", "/v1/system", 405),
    ],
)
def test_unknown_routes(service: RunningService, method: str, path: str, status: int) -> None:
    """A wrong path or method is a problem document too."""
    answer = service.http.request(method, path)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["hint"]


@pytest.mark.parametrize(
    ("path", "methods"),
    [
        ("/v1/adapters/open", "POST"),
        ("/v1/adapters/deadbabe-cafe-beef-0123-456789abcdef", "DELETE, GET, HEAD, PATCH"),
        ("/", "GET, HEAD"),
    ],
)
def test_allow_names_every_method_of_the_path(
    service: RunningService, path: str, methods: str
) -> None:
    """A 405 says what the path has, over all its routes."""
    answer = service.http.put(path)
    assert answer.status_code == 405
    assert answer.headers["allow"] == methods


@pytest.mark.parametrize("member", ["mtu", "addresses", "dns", "name", "routes"])
def test_null_is_not_missing(service: RunningService, member: str) -> None:
    """A member that may be missing may not be null, where null means nothing."""
    adapter = service.adapter(name="OfficeNet")
    answer = service.http.patch(f"/v1/adapters/{adapter['guid']}", json={member: None})
    assert answer.status_code == 422
    assert [error["field"] for error in answer.json()["errors"]] == [member]


def test_wrong_fields_are_named(service: RunningService) -> None:
    """A 422 names every wrong field as the client wrote it, once."""
    body = {"name": "x", "mtu": 1, "requested_guid": 7, "addresses": ["10.0.0.1"]}
    answer = service.http.post("/v1/adapters", json=body)
    fields = [error["field"] for error in answer.json()["errors"]]
    assert sorted(fields) == ["addresses.0", "mtu", "requested_guid"]
