"""The closed sets of values in the documents: what is said of them beyond their values.

An enum of the code describes itself to those who read the code. A client's author is told here.
The sets in `GROWING` may get new values in a later version of /v1; they carry them once more as
`x-extensible-enum`, and their descriptions say so. The other sets do not change within /v1.
"""

from __future__ import annotations

from typing import Any

from wintun_api.choices import PresetName

TEXTS = {
    "CaptureDirection": "The packets that a capture contains: those `received` from the host, "
    "those `injected` by clients, or `both`.",
    "CaptureState": "The state of a capture. `waiting`: it waits for its trigger. `running`: it "
    "writes packets. `stopped`: it has ended as it was asked to, or with the service. `failed`: it "
    "could not write any more. `repairing`: the service was killed while the capture ran and has "
    "started again; it reads the files, so the counts and the list of files are not complete yet.",
    "CodeKind": "The kind of an error number: a Win32 error code, or a number of another kind that "
    "Windows components return.",
    "Direction": "The packets that a client gets: those `received` from the host, those `injected` "
    "by clients, `both` or `none`.",
    "Ends": "What ends when the last client that holds an adapter has gone. `nothing`: the session "
    "and the adapter stay. `session`: the session ends, if a client that holds the adapter started "
    "it. `adapter`: the session ends and the adapter is deleted.",
    "Full": "What happens to packets of a client when the send ring is full. `drop`: they are "
    "dropped and counted. `wait`: they wait until there is space.",
    "IfExists": "What happens where an adapter with the name of a new one exists in its pool. "
    "`error`: the request is refused. `open`: the service opens that adapter and applies the "
    "settings that the request names. `replace`: the service deletes it and creates it again.",
    "OnChange": "What happens to delayed packets when their impairment is changed or removed. "
    "`deliver`: they are delivered at once, in order. `drop`: they are dropped and counted.",
    "Overflow": "What happens when the queue of a client is full. `drop_oldest`: the oldest "
    "packets are dropped. `drop_newest`: the new packets are dropped. `close`: the connection is "
    "closed with code 4008. `block`: packets stay in the receive ring until there is space.",
    "Scope": "A scope of a token. `read`: read adapters, sessions and events. `capture`: get "
    "packets. `inject`: inject packets. `metrics`: read the metrics. `admin`: everything.",
    "SessionState": "The state of a session: `starting`, `running`, `ending`, `ended`, or `failed` "
    "if it ended with an error.",
}
GROWING = frozenset(
    {
        "CaptureDirection",
        "CaptureState",
        "ClientKind",
        "CodeKind",
        "Direction",
        "Distribution",
        "DriverGeneration",
        "DriverName",
        "Ends",
        "EventType",
        "Full",
        "HostState",
        "IfExists",
        "ImpairmentLossCause",
        "LossCause",
        "OnChange",
        "Overflow",
        "PresetName",
        "ProblemType",
        "ReaderLossCause",
        "RecorderEnd",
        "Scope",
        "StopReason",
        "Subprotocol",
        "TriggerKind",
        "UnavailableCause",
    }
)
MAY_GROW = "Later versions may add values."
# Values that make no good constants in a generated client: what to call them.
NAMED = frozenset({"IpVersion", "PresetName", "ProblemType"})


def described(schemas: dict[str, Any]) -> dict[str, Any]:
    """Return the schemas, by name, with what is to be said of the enums among them."""
    return {
        name: _described(name, schema) if "enum" in schema else schema
        for name, schema in schemas.items()
    }


def _described(name: str, schema: dict[str, Any]) -> dict[str, Any]:
    more: dict[str, Any] = {"description": TEXTS.get(name, schema.get("description"))}
    if name in GROWING:
        if "Later versions" not in more["description"]:
            more["description"] += f" {MAY_GROW}"
        more["x-extensible-enum"] = schema["enum"]
    if name in NAMED:
        more["x-enum-varnames"] = [_constant(name, value) for value in schema["enum"]]
    return {**schema, **more}


def _constant(name: str, value: str | int) -> str:
    if isinstance(value, int):
        return f"IPV{value}"
    if name == "PresetName":
        return PresetName(value).name
    return value.rpartition(":")[2].replace("-", "_").upper()
