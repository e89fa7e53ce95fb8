"""JSON schemas in the plain forms that generators of clients understand.

A member with a default is optional, but openapi-typescript makes it required where the schema has
the member `default`, and other generators send the default of the version that they read. So the
default of a request's member is told in its description alone; the service applies it.

Pydantic writes a value that may be null as `anyOf: [X, null]`, of which some generators make a
class of its own. Where X is of one simple type, `type: [X, "null"]` says the same; a reference
keeps its alternative, as `oneOf`. Titles that only repeat a name are left out. Integers without a
limit are `int64`: a counter of bytes, a LUID and an unsigned Win32 error need more than the 31 bits
that compiled languages give an integer without a format.
"""

from __future__ import annotations

import json
from typing import Any

NULL = {"type": "null"}
INTEGER = ("integer", ["integer", "null"])


def plain(node: Any) -> Any:
    """Return the schema, or the document with schemas in it, in plain forms."""
    if isinstance(node, list):
        return [plain(item) for item in node]
    if not isinstance(node, dict):
        return node
    schema = {key: plain(value) for key, value in node.items()}
    if isinstance(schema.get("properties"), dict):
        request = schema.get("additionalProperties") is False
        for member in schema["properties"].values():
            member.pop("title", None)
            default = member.pop("default", None)
            if request and default is not None:
                member["description"] += f" The default is {_words(default)}."
    return _sized(_nullable(_whole(schema)))


def _words(default: object) -> str:
    if default == "":
        return "an empty text"
    if default == []:
        return "an empty list"
    return f"`{default}`" if isinstance(default, str) else f"{json.dumps(default)}"


def _nullable(schema: dict[str, Any]) -> dict[str, Any]:
    options = schema.get("anyOf")
    if not isinstance(options, list) or NULL not in options or len(options) != 2:
        return schema
    rest = {key: value for key, value in schema.items() if key != "anyOf"}
    value = next(option for option in options if option != NULL)
    if "$ref" in value:
        return {**rest, "oneOf": [value, NULL]}
    types = value["type"] if isinstance(value["type"], list) else [value["type"]]
    return {**value, "type": [*types, "null"], **rest}


def _whole(schema: dict[str, Any]) -> dict[str, Any]:
    # Pydantic has limits as 1.0 where a field may be a float; of an integer they are integers.
    if "integer" in schema.get("type", ()):
        for limit in ("minimum", "maximum", "multipleOf"):
            if isinstance(schema.get(limit), float) and schema[limit].is_integer():
                schema[limit] = int(schema[limit])
    return schema


def _sized(schema: dict[str, Any]) -> dict[str, Any]:
    if schema.get("type") not in INTEGER or "maximum" in schema or "enum" in schema:
        return schema
    return {"type": schema["type"], "format": "int64", **schema}
