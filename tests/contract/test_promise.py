"""The documents break no client of the last release, and the comparison finds what would."""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeAlias

import pytest

from tests.contract.folder import BASELINE, FOLDER
from tests.contract.promise import (
    HERE,
    announcement,
    broken_asyncapi,
    broken_by_optic,
    broken_openapi,
)
from tests.needs import need
from wintun_api import __version__

Document: TypeAlias = dict[str, Any]
Change: TypeAlias = Callable[[Document], None]

CHANGELOG = (FOLDER.parent / "CHANGELOG.md").read_text("utf-8")
OPENAPI: Document = json.loads((FOLDER / "openapi.json").read_text("utf-8"))
ASYNCAPI: Document = json.loads((FOLDER / "asyncapi.json").read_text("utf-8"))
# Enough for Optic, which takes many seconds for the whole document.
SAMPLE = (
    "/v1/system",
    "/v1/adapters",
    "/v1/pools",
    "/v1/pools/{pool}",
    "/v1/sessions/{session_id}/capture.pcapng",
)
NEW = {"type": "string", "description": "A new member."}


def place(document: Document, path: str) -> tuple[Any, Any]:
    """The object or list that holds what the path ends in, and its key. `:` separates keys."""
    *above, last = path.split(":")
    found: Any = document
    for key in above:
        found = found[int(key) if isinstance(found, list) else key]
    return found, int(last) if isinstance(found, list) else last


def remove(path: str) -> Change:
    """Remove what is at the path."""

    def change(document: Document) -> None:
        holder, key = place(document, path)
        del holder[key]

    return change


def put(path: str, value: Any) -> Change:
    """Set what is at the path."""

    def change(document: Document) -> None:
        holder, key = place(document, path)
        holder[key] = value

    return change


def require(schema: str) -> Change:
    """Add a new member that a request must have."""

    def change(document: Document) -> None:
        found = document["components"]["schemas"][schema]
        found["properties"]["owner"] = NEW
        found["required"] = [*found.get("required", ()), "owner"]

    return change


def add_value(schema: str) -> Change:
    """Add a value to an enum, also where it says once more that it may grow."""

    def change(document: Document) -> None:
        found = document["components"]["schemas"][schema]
        for key in {"enum", "x-extensible-enum", "x-enum-varnames"} & found.keys():
            found[key] = [*found[key], "another"]

    return change


def changed(document: Document, change: Change) -> Document:
    """A copy of the document with the change."""
    copied = copy.deepcopy(document)
    change(copied)
    return copied


def sample(document: Document) -> Document:
    """The document with fewer operations, and one sort of error."""
    paths = {path: item for path, item in document["paths"].items() if path in SAMPLE}
    for operation in (operation for item in paths.values() for operation in item.values()):
        operation["responses"] = {
            status: {key: value for key, value in response.items() if key != "links"}
            for status, response in operation["responses"].items()
            if status in ("200", "201", "401")
        }
    return {**document, "paths": paths}


ADAPTER = "components:schemas:Adapter:properties"
LIST = "paths:/v1/adapters:get"
CREATE = "paths:/v1/adapters:post"
# What breaks, and the change that does it. Optic finds each of these.
BREAKING: dict[str, Change] = {
    "Adapter.mtu": remove(f"{ADAPTER}:mtu"),
    "AdapterCreate.owner": require("AdapterCreate"),
    "capture_packets": remove("components:schemas:CaptureDirection:enum:0"),
    "delete_pool": remove("paths:/v1/pools/{pool}:delete"),
    "Adapter.name": put(f"{ADAPTER}:name:type", "integer"),
    "list_adapters": put(f"{LIST}:parameters:0:required", True),
    "create_adapter": remove(f"{CREATE}:responses:201"),
}
# What breaks although Optic sees nothing wrong.
ALSO_BREAKING: dict[str, Change] = {
    "AdapterCreate.routes": remove("components:schemas:AdapterCreate:properties:routes"),
    "AdapterCreate.mtu": put("components:schemas:AdapterCreate:properties:mtu:maximum", 9000),
    "AdapterCreate.name": put("components:schemas:AdapterCreate:properties:name:maxLength", 15),
    "list_adapters": put(f"{LIST}:operationId", "adapters"),
    "list_adapters.pool": remove(f"{LIST}:parameters:0"),
    "create_adapter.Location": remove(f"{CREATE}:responses:201:headers:Location"),
    "Release": remove("components:schemas:Release"),
    "ProblemType.urn:wintun-api:problem:adapter-exists": remove(
        "components:schemas:ProblemType:enum:1"
    ),
    "get_adapter": put("paths:/v1/adapters/{guid}:get:security", [{"bearer": ["admin"]}]),
    "SessionState.another": add_value("SessionState"),
}
ADDITIONS: dict[str, Change] = {
    "nothing": lambda _: None,
    "a member of an answer": put(f"{ADAPTER}:owner", NEW),
    "a member of a request": put("components:schemas:AdapterCreate:properties:owner", NEW),
    "a type of problem": add_value("ProblemType"),
    "a cause of unavailability": add_value("UnavailableCause"),
    "a member of an object that may be null": put(
        "components:schemas:Wanted:properties:owner", NEW
    ),
    "a choice": add_value("CaptureDirection"),
    "a wider limit": put("components:schemas:AdapterCreate:properties:name:maxLength", 300),
    "a description": put(f"{LIST}:description", "Something else."),
    "an operation": put(
        "paths:/v1/pools",
        {"get": {**OPENAPI["paths"]["/v1/adapters"]["get"], "operationId": "list_pools"}},
    ),
}
ASYNC_BREAKING: dict[str, Change] = {
    "Ack.accepted": remove("components:schemas:Ack:properties:accepted"),
    "events.Missed": remove("channels:events:messages:Missed"),
    "events.address": put("channels:events:address", "/v2/events"),
    "captures": remove("channels:captures"),
    "batches.snaplen": remove("channels:batches:bindings:ws:query:properties:snaplen"),
    "batches.4008": remove("channels:batches:x-close-codes:4008"),
    "Overflow.close": remove("components:schemas:Overflow:enum:2"),
    "Batch.count": put("components:messages:Batch:payload:x-frame:header:3:offset", 12),
    "Hello.session": put("components:schemas:Hello:properties:session:type", "integer"),
    "Ended.reason": put("components:schemas:Ended:required", ["type", "state"]),
    "send_control": remove("operations:send_control"),
}
ASYNC_ADDITIONS: dict[str, Change] = {
    "a member": put("components:schemas:Ack:properties:more", NEW),
    "a message": put("channels:batches:messages:More", {}),
    "a choice": add_value("Overflow"),
    "a parameter": put("channels:batches:bindings:ws:query:properties:times", NEW),
}


def unannounced(found: list[Any]) -> list[str]:
    """What breaks clients and CHANGELOG does not name under *Breaking*."""
    said = announcement(CHANGELOG)
    return sorted({one.text for one in found if not one.announced(said)})


def names(found: Any) -> set[str]:
    """What the comparison names."""
    return {one.name for one in found}


@pytest.mark.parametrize(
    ("name", "compare"), [("openapi.json", broken_openapi), ("asyncapi.json", broken_asyncapi)]
)
def test_no_client_is_broken(name: str, compare: Any) -> None:
    """What the last release promised still holds, or CHANGELOG says what does not."""
    old, new = (json.loads((folder / name).read_text("utf-8")) for folder in (BASELINE, FOLDER))
    assert unannounced(list(compare(old, new))) == []


@pytest.mark.heavy
def test_optic_finds_no_broken_client() -> None:
    """Optic's rules find no other break."""
    need("node")
    need_packages()
    (found,) = broken_by_optic(BASELINE / "openapi.json", FOLDER / "openapi.json")
    assert unannounced(found) == []


@pytest.mark.heavy
def test_optic_finds_what_breaks(tmp_path: Path) -> None:
    """Each breaking change is found by its name; additions are not."""
    need("node")
    need_packages()
    added = copy.deepcopy(OPENAPI)
    for change in ADDITIONS.values():
        change(added)
    documents = [OPENAPI, added, *(changed(OPENAPI, change) for change in BREAKING.values())]
    paths = [tmp_path / f"{number}.json" for number in range(len(documents))]
    for path, document in zip(paths, documents, strict=True):
        path.write_text(json.dumps(sample(copy.deepcopy(document))), "utf-8")
    found = broken_by_optic(*paths)
    assert found[0] == []
    for name, breaks in zip(BREAKING, found[1:], strict=True):
        print(f"{name}: {breaks[0].text if breaks else None}")
        part = name.rpartition(".")[2]
        assert part in {one.name.rpartition(".")[2] for one in breaks}, name


@pytest.mark.parametrize("name", ALSO_BREAKING)
def test_a_broken_promise_is_found(name: str) -> None:
    """What generated clients are built from stays, and requests may be what they were."""
    assert name in names(broken_openapi(OPENAPI, changed(OPENAPI, ALSO_BREAKING[name])))


@pytest.mark.parametrize("name", ADDITIONS)
def test_an_addition_breaks_nothing(name: str) -> None:
    """New members, operations, choices and wider limits do not break clients."""
    assert list(broken_openapi(OPENAPI, changed(OPENAPI, ADDITIONS[name]))) == []


@pytest.mark.parametrize("name", ASYNC_BREAKING)
def test_a_broken_socket_is_found(name: str) -> None:
    """Channels, messages, close codes, parameters and the batch frame stay."""
    assert name in names(broken_asyncapi(ASYNCAPI, changed(ASYNCAPI, ASYNC_BREAKING[name])))


@pytest.mark.parametrize("name", ASYNC_ADDITIONS)
def test_an_addition_to_a_socket_breaks_nothing(name: str) -> None:
    """New messages, members, choices and parameters do not break clients."""
    assert list(broken_asyncapi(ASYNCAPI, changed(ASYNCAPI, ASYNC_ADDITIONS[name]))) == []


@pytest.mark.parametrize(
    "text",
    [
        "### Breaking\n\n* `Adapter.mtu` is gone.\n",
        "### Breaking changes\n\n* The answer has no `mtu` now.\n\n### Added\n\n* `x`.\n",
        "* *Breaking*: `Adapter.mtu`\n  is gone.\n* More.\n",
        "* **Breaking:** no `mtu`.\n",
    ],
)
def test_an_announced_break_passes(text: str) -> None:
    """CHANGELOG names the member under Breaking, by a heading or in a line."""
    found = list(broken_openapi(OPENAPI, changed(OPENAPI, BREAKING["Adapter.mtu"])))
    said = announcement(f"# Changelog\n\n## Unreleased\n\n{text}\n## 0.1.0\n\nOld.\n")
    assert found
    assert all(one.announced(said) for one in found)


@pytest.mark.parametrize(
    "text",
    [
        "* `Adapter.mtu` is gone.\n",
        "### Breaking\n\n* `Adapter.name` is gone.\n",
        "### Breaking\n\n* The mtu is gone.\n\n### Removed\n\n* `Adapter.mtu`.\n",
        "* *Breaking*: another thing.\n* `Adapter.mtu` is gone.\n",
        "\n## 0.1.0\n\n### Breaking\n\n* `Adapter.mtu` is gone.\n",
    ],
)
def test_another_announcement_does_not_do(text: str) -> None:
    """A break must be named, under Breaking, in the section of the next release."""
    found = list(broken_openapi(OPENAPI, changed(OPENAPI, BREAKING["Adapter.mtu"])))
    said = announcement(f"# Changelog\n\n## Unreleased\n\n{text}\n## 0.0.9\n\nOld.\n")
    assert not any(one.announced(said) for one in found)


def test_the_baseline_is_the_last_release() -> None:
    """Its version is the newest of CHANGELOG; before the first release it is the coming one."""
    released = re.findall(r"(?m)^## \[?(\d+\.\d+\.\d+)", CHANGELOG)
    for name in ("openapi.json", "asyncapi.json"):
        document = json.loads((BASELINE / name).read_text("utf-8"))
        assert document["info"]["version"] == (released[0] if released else __version__)


def need_packages() -> None:
    """Go on only where `npm ci` has installed the comparison."""
    need(str(HERE / "node_modules/.bin/redocly"))
