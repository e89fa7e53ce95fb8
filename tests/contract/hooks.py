"""What schemathesis must know about the formats of the API, and about rules beyond schemas.

Schemathesis loads this file by its path (SCHEMATHESIS_HOOKS).
"""

from __future__ import annotations

import struct
import unicodedata
from typing import Any, Literal

import schemathesis
from hypothesis import strategies as st

FORBIDDEN = '\\/:*?"<>|'
# One UTF-16 unit each: a schema counts characters, Windows counts units.
seen = st.characters(max_codepoint=0xFFFF, exclude_categories=("Cc", "Cf", "Cs", "Zl", "Zp"))
shown = ("Lu", "Ll", "Nd", "Po", "Sm")  # of these, every character can be seen


def _has_shape(title: str) -> bool:
    return any(unicodedata.category(one) in shown for one in title)


letters = seen.filter(lambda c: c not in FORBIDDEN)
names = st.text(letters, min_size=1, max_size=127).filter(_has_shape)
titles = st.text(seen, min_size=1, max_size=64).filter(_has_shape)
hosts = st.ip_addresses().filter(lambda ip: not (ip.is_multicast or ip.is_unspecified))
labels = st.from_regex(r"[A-Za-z0-9_]([A-Za-z0-9_-]{0,20}[A-Za-z0-9_])?", fullmatch=True)


@st.composite
def networks(draw: st.DrawFn) -> str:
    """A network of either IP version, without bits beyond its prefix."""
    versions: tuple[Literal[4, 6], ...] = (4, 6)
    version = draw(st.sampled_from(versions))
    bits = 32 if version == 4 else 128
    prefix = draw(st.integers(0, bits))
    top = 223 if version == 4 else 254  # groups begin above
    first = draw(st.integers(1, top)) << (bits - 8)
    address = (first | draw(st.integers(0, 2 ** (bits - 8) - 1))) >> (bits - prefix)
    number = address << (bits - prefix)
    kind = st.ip_addresses(v=version)
    return f"{type(draw(kind))(number)}/{prefix}"


@st.composite
def interfaces(draw: st.DrawFn) -> str:
    """An address of either version with a prefix length."""
    ip = draw(hosts)
    return f"{ip}/{draw(st.integers(1, ip.max_prefixlen))}"


schemathesis.openapi.format("adapter-name", names)
schemathesis.openapi.format("pool-name", names)
schemathesis.openapi.format("capture-name", titles)
schemathesis.openapi.format("ip-address", hosts.map(str))
schemathesis.openapi.format("ip-network", networks())
schemathesis.openapi.format("ip-interface", interfaces())
schemathesis.openapi.format("ip-prefix", networks() | hosts.map(str))
schemathesis.openapi.format("domain", st.lists(labels, min_size=1, max_size=4).map(".".join))


@st.composite
def packets(draw: st.DrawFn) -> bytes:
    """Packets that every driver accepts: their version and least length are right."""
    if draw(st.booleans()):
        return bytes([draw(st.integers(0x40, 0x4F))]) + draw(st.binary(min_size=19, max_size=1400))
    return bytes([draw(st.integers(0x60, 0x6F))]) + draw(st.binary(min_size=39, max_size=1400))


@st.composite
def batches(draw: st.DrawFn) -> bytes:
    """A batch frame of any bytes. Packets that are not valid are counted, not refused."""
    chosen = draw(st.lists(packets() | st.binary(max_size=60), max_size=8))
    lengths = [len(packet) for packet in chosen]
    head = struct.pack("<4sHHIIQQ", b"WTB1", 32, 0, len(chosen), sum(lengths), 0, 0)
    return head + struct.pack(f"<{len(lengths)}H", *lengths) + b"".join(chosen)


def before_load_schema(context: object, raw_schema: dict[str, Any]) -> None:
    """Link adapters to sessions; in the document itself, generators stumble over such a link."""
    # Schemathesis takes requested_guid for the id of a resource that no operation creates. Chains
    # of operations begin with create_adapter all the same.
    answer = raw_schema["paths"]["/v1/system"]["get"]["responses"]["200"]
    answer["links"] = {"create_adapter": {"operationId": "create_adapter"}}
    for path, status in (("/v1/adapters", "201"), ("/v1/adapters/open", "200")):
        links = raw_schema["paths"][path]["post"]["responses"][status]["links"]
        body = {"adapter": "$response.body#/guid"}
        links["start_session"] = {"operationId": "start_session", "requestBody": body}


schemathesis.openapi.media_type("application/octet-stream", packets())
schemathesis.openapi.media_type("application/vnd.wintun-api.batch", batches())

# Rules that a schema cannot express. The service refuses a value with one of these sentences.
BEYOND_SCHEMAS = (
    "is not a valid ring capacity; it must be a power of two",
    "is a character that cannot be seen",
    "is listed twice",
    "two prefix lengths",
    "cannot be the next hop",
    "cannot be the address of an adapter",
    "IPv6 needs",
    # What contradicts itself in an impairment.
    "leave this out",
    "leave one of",
    "put it into one of them",
    "is not a protocol;",
    "is not a port;",
    "use one version of IP",
    "must be later than the step before",
    "ends after the next step begins",
    "is shorter than the steps",
    "must be above 0 for a loop",
    "is empty; give",
    "is the most, so leave some out",
    # What contradicts itself in a capture, and times.
    "cannot be given together",
    "a trigger on=",
    "must come with rotate",
    "must be at least twice as many",
    "is not a time",
    "is before since",
    "urn:wintun-api:problem:invalid-filter",
    "urn:wintun-api:problem:invalid-packet",
    "urn:wintun-api:problem:bad-frame",
)


def filter_failure(context: object, failure: Any, case: object, response: Any) -> bool:
    """Drop failures that are none: rules beyond schemas, and additional headers.

    The schema of the event stream is that of the whole stream; here it is held against each event.
    A request whose query is longer than the server reads never comes to an operation (414).
    """
    if failure.title == "SSE event violates schema" or response.status_code == 414:
        return False
    kind = type(failure).__name__
    if kind == "ServerError":  # a limit that is reached is no fault
        return "urn:wintun-api:problem:recorders-full" not in response.text
    if kind == "RejectedPositiveData":
        return not any(sentence in response.text for sentence in BEYOND_SCHEMAS)
    return not (kind == "AcceptedNegativeData" and "header - object with une" in failure.message)


schemathesis.hook(before_load_schema)
schemathesis.hook(filter_failure)
