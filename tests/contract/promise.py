"""What /v1 promises to its clients: what must not change from one release to the next.

Two comparisons find what breaks clients. Optic's rules (compatible.js) know OpenAPI operations.
`broken` here knows what they do not look at: the names that generated clients are built from, the
members and limits of requests, scopes, and the AsyncAPI document, for whose payloads the diff of
AsyncAPI's own tools has no rules.

Both compare with the documents in openapi/baseline, which are those of the last release. CHANGELOG
may announce a break: in its first section, below a heading *Breaking* or in a list item that begins
with that word, it must name in backticks what breaks.
"""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

HERE = Path(__file__).parent
Schema: TypeAlias = dict[str, Any]

# Limits of a request's values, by the direction in which they must not move.
_UPPER = ("maximum", "exclusiveMaximum", "maxLength", "maxItems")
_LOWER = ("minimum", "exclusiveMinimum", "minLength", "minItems")
_SAME = ("format", "const", "multipleOf", "pattern")


@dataclass(frozen=True, slots=True)
class Break:
    """A change that breaks clients.

    Attributes:
        name: What breaks, as CHANGELOG may name it: `delete_pool`, `Adapter.mtu` or `mtu`.
        text: A sentence for the author of the change.
    """

    name: str
    text: str

    def announced(self, announcement: str) -> bool:
        """Tell whether the announcement names it, or the part behind its last dot."""
        part = self.name.rpartition(".")[2]
        return any(
            name == self.name or name.rpartition(".")[2] == part
            for name in re.findall(r"`([^`]+)`", announcement)
        )


def announcement(changelog: str) -> str:
    """Return what the first section of CHANGELOG says under *Breaking*."""
    section = re.split(r"(?m)^## ", changelog)[1]
    below = r"(?ims)^### [^\n]*breaking[^\n]*\n(.*?)(?=^### |\Z)"
    item = r"(?ms)^[*-] [*_]+Breaking\b.*?(?=^[*-] |^#|\Z)"
    return "\n".join(re.findall(below, section) + re.findall(item, section))


def broken_by_optic(old: Path, *new: Path) -> list[list[Break]]:
    """Return for each new OpenAPI document what breaks clients of the old one, by Optic's rules.

    Values that are added to a set which may grow are left out.
    """
    judged = subprocess.run(
        ["node", "compatible.js", *map(str, (old, *new))],
        cwd=HERE,
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
        check=False,
    )
    assert judged.returncode == 0, judged.stdout + judged.stderr
    names = {
        operation["route"]: name
        for name, operation in _operations(json.loads(old.read_text("utf-8"))).items()
    }
    return [
        [
            Break(_name(names, row["where"], row["pointer"]), f"{row['where']}: {row['error']}")
            for row in json.loads(line)
        ]
        for line in judged.stdout.splitlines()
    ]


def _name(names: dict[str, str], where: str, pointer: str) -> str:
    route = " ".join(where.split()[:2])
    _, *members = pointer.split("/properties/")
    return ".".join([names.get(route, route), *(member.split("/")[0] for member in members)])


def broken_openapi(old: Schema, new: Schema) -> Iterator[Break]:
    """Give what breaks clients of an OpenAPI document and Optic does not look at."""
    yield from _broken_schemas(old, new)
    before, after = _operations(old), _operations(new)
    yield from _gone("", before, after)
    for name in before.keys() & after.keys():
        yield from _broken_operation(name, Pair(old, before[name], new, after[name]))


def broken_asyncapi(old: Schema, new: Schema) -> Iterator[Break]:
    """Give what breaks clients of an AsyncAPI document."""
    yield from _broken_schemas(old, new)
    yield from _gone("", old["components"]["messages"], new["components"]["messages"])
    for part, fixed in (("channels", ("address", "x-subprotocol")), ("operations", ("action",))):
        yield from _gone("", old[part], new[part])
        for name in old[part].keys() & new[part].keys():
            before, after = old[part][name], new[part][name]
            for key in fixed:
                if before.get(key) != after.get(key):
                    yield Break(f"{name}.{key}", f"{key} of {name} changed.")
    for name in old["channels"].keys() & new["channels"].keys():
        before, after = old["channels"][name], new["channels"][name]
        for key in ("messages", "x-close-codes"):
            yield from _gone(name, before.get(key, {}), after.get(key, {}))
        yield from _broken_schema(name, Pair(old, _query(before), new, _query(after)), request=True)
    yield from _broken_frame(old, new)


@dataclass(frozen=True, slots=True)
class Pair:
    """A part of the old document and what it is in the new one, each with its document."""

    old_document: Schema
    old: Schema
    new_document: Schema
    new: Schema

    def of(self, old: Schema, new: Schema) -> Pair:
        """Return the pair of a part of each."""
        return Pair(self.old_document, old, self.new_document, new)

    @property
    def old_types(self) -> set[str]:
        """Return the JSON types that a value of the old schema may have."""
        return _types(self.old_document, self.old)

    @property
    def new_types(self) -> set[str]:
        """Return those of the new schema."""
        return _types(self.new_document, self.new)


def _query(channel: Schema) -> Schema:
    found: Schema = channel.get("bindings", {}).get("ws", {}).get("query", {})
    return found


def _broken_frame(old: Schema, new: Schema) -> Iterator[Break]:
    before, after = (
        document["components"]["messages"].get("Batch", {}).get("payload", {}).get("x-frame", {})
        for document in (old, new)
    )
    if before.get("byte_order") != after.get("byte_order"):
        yield Break("Batch.byte_order", "The byte order of a batch changed.")
    for part in ("header", "after_header"):
        now = {field["name"]: field for field in after.get(part, ())}
        for field in before.get(part, ()):
            name = field["name"]
            if any(field.get(key) != now.get(name, {}).get(key) for key in ("offset", "type")):
                yield Break(f"Batch.{name}", f"The field {name} of a batch is not where it was.")


def _operations(document: Schema) -> dict[str, Schema]:
    return {
        operation["operationId"]: {**operation, "route": f"{method.upper()} {path}"}
        for path, item in document["paths"].items()
        for method, operation in item.items()
    }


def _broken_operation(name: str, pair: Pair) -> Iterator[Break]:
    old, new = pair.old, pair.new
    if old["route"] != new["route"]:
        yield Break(name, f"{name} was {old['route']} and is {new['route']}.")
    if not _roles(new) <= _roles(old):
        yield Break(name, f"{name} requires another scope: {sorted(_roles(new))}.")
    before, after = _parameters(old), _parameters(new)
    yield from _gone(name, before, after)
    for one in before.keys() & after.keys():
        yield from _tighter(f"{name}.{one}", pair.of(before[one], after[one]))
    bodies, bodies_now = _bodies(old), _bodies(new)
    for part in bodies.keys() & bodies_now.keys():
        for key in ("content", "headers"):
            yield from _gone(name, bodies[part].get(key, {}), bodies_now[part].get(key, {}))


def _roles(operation: Schema) -> set[str]:
    return {role for row in operation["security"] for roles in row.values() for role in roles}


def _parameters(operation: Schema) -> dict[str, Schema]:
    return {one["name"]: one["schema"] for one in operation.get("parameters", ())}


def _bodies(operation: Schema) -> dict[str, Schema]:
    return {**operation["responses"], "request": operation.get("requestBody", {})}


def _broken_schemas(old: Schema, new: Schema) -> Iterator[Break]:
    before, after = old["components"]["schemas"], new["components"]["schemas"]
    yield from _gone("", before, after)
    for name in before.keys() & after.keys():
        request = before[name].get("additionalProperties") is False
        yield from _broken_schema(name, Pair(old, before[name], new, after[name]), request=request)


def _broken_schema(name: str, pair: Pair, *, request: bool) -> Iterator[Break]:
    old, new = pair.old, pair.new
    yield from _broken_values(name, old, new)
    before, after = old.get("properties", {}), new.get("properties", {})
    yield from _gone(name, before, after)
    for member in before.keys() & after.keys():
        where, part = f"{name}.{member}", pair.of(before[member], after[member])
        yield from _broken_values(where, before[member], after[member])
        if request:
            yield from _tighter(where, part)
        elif not part.new_types <= part.old_types:
            yield Break(where, f"{where} can be of another type: {sorted(part.new_types)}.")
    required, required_now = set(old.get("required", ())), set(new.get("required", ()))
    for member in sorted(required_now - required if request else required - required_now):
        state = "required" if request else "optional"
        yield Break(f"{name}.{member}", f"{name}.{member} is {state} now.")


def _broken_values(where: str, old: Schema, new: Schema) -> Iterator[Break]:
    if "enum" not in old or "enum" not in new:
        return
    for value in sorted(map(str, set(old["enum"]) - set(new["enum"]))):
        yield Break(f"{where}.{value}", f"{where} has lost the value {value}.")
    if "x-extensible-enum" not in old:
        for value in sorted(map(str, set(new["enum"]) - set(old["enum"]))):
            yield Break(f"{where}.{value}", f"{where} has the new value {value}, and may not grow.")


def _types(document: Schema, schema: Schema) -> set[str]:
    """Return the JSON types that a value may have, those of an array with its items'."""
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        return _types(document, document["components"]["schemas"].get(name, {}))
    if "oneOf" in schema:
        return {kind for one in schema["oneOf"] for kind in _types(document, one)}
    if "type" not in schema:
        return {"string"} if isinstance(schema.get("const"), str) else set()
    kinds = {schema["type"]} if isinstance(schema["type"], str) else set(schema["type"])
    if "number" in kinds:
        kinds.add("integer")
    if "array" in kinds:
        inner = "|".join(sorted(_types(document, schema.get("items", {}))))
        kinds = (kinds - {"array"}) | {f"array of {inner}"}
    return kinds


def _tighter(where: str, pair: Pair) -> Iterator[Break]:
    old, new = pair.old, pair.new
    if not pair.old_types <= pair.new_types:
        yield Break(where, f"{where} may no longer be all that it was.")
    for key in _SAME:
        if key in new and old.get(key) != new[key]:
            yield Break(where, f"{where}: {key} changed.")
    for key in _UPPER:
        if key in new and (key not in old or new[key] < old[key]):
            yield Break(where, f"{where}: {key} is lower.")
    for key in _LOWER:
        if key in new and (key not in old or new[key] > old[key]):
            yield Break(where, f"{where}: {key} is higher.")


def _gone(where: str, old: Schema, new: Schema) -> Iterator[Break]:
    for name in old.keys() - new.keys():
        full = f"{where}.{name}" if where else name
        yield Break(full, f"{full} is gone.")
