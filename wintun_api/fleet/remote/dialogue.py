"""What is asked and answered over the bus, as JSON: requests for the API of a host's service.

An answer that is longer than a message comes in parts. The first one is the answer to the request;
for each other part the asker asks again, so that it is sent no faster than it is read.

A request has a random id, which every part of its answer repeats: another host could write to the
same inbox, but does not know the id.
"""

from __future__ import annotations

import json
import re
from typing import Annotated, Any, Final, Literal

from pydantic import ConfigDict, Field

from wintun_api.fleet.documents import Document
from wintun_api.fleet.network import is_host

PART: Final = 90 * 1024  # bytes of a body in one message, which has 4/3 of it as base64
MAX_REQUEST: Final = 640 * 1024  # bytes of a request; a server takes 1 MiB
MAX_BODY: Final = 448 * 1024  # bytes of the body of a request
MAX_ANSWER: Final = 16 * 1024 * 1024  # bytes of the body of an answer
MAX_PARTS: Final = -(-MAX_ANSWER // PART)
MAX_PATH: Final = 2048
MAX_QUERY: Final = 8192
URN: Final = "urn:wintun-api:agent:"  # of the problems that an agent has itself

Id = Annotated[str, Field(pattern="^[0-9a-f]{32}$")]
MediaType = Annotated[str, Field(max_length=128, pattern=r"^[\x20-\x7e]*$")]
Header = Annotated[str, Field(max_length=2048, pattern=r"^[\x20-\x7e]*$")]

_INBOX: Final = re.compile(r"_INBOX_([a-z2-7]+)\.[A-Za-z0-9._-]{1,128}")


class _Said(Document):
    model_config = ConfigDict(ser_json_bytes="base64", val_json_bytes="base64")

    def encoded(self) -> bytes:
        """Return it as JSON."""
        return self.model_dump_json(exclude_defaults=True).encode()


class Request(_Said):
    """A request for the API of a host's service.

    Attributes:
        id: A random word, which the answer repeats.
        method: The method of HTTP.
        path: The path, with its parts percent-encoded.
        query: The query, without a question mark.
        content_type: The media type of the body.
        body: The body.
    """

    id: Id
    method: Literal["GET", "POST", "PUT", "PATCH", "DELETE"]
    path: Annotated[str, Field(max_length=MAX_PATH, pattern=r"^/[\x21-\x7e]*$")]
    query: Annotated[str, Field(max_length=MAX_QUERY, pattern=r"^[\x21-\x7e]*$")] = ""
    content_type: MediaType = ""
    body: bytes = b""


class PartRequest(_Said):
    """A request for another part of an answer.

    Attributes:
        id: That of the request which was answered.
        part: The number of the part; the first one has the number 0.
    """

    id: Id
    part: Annotated[int, Field(ge=1, lt=MAX_PARTS)]


class Answer(_Said):
    """An answer, or a part of it.

    Attributes:
        id: That of the request; empty if it could not be read.
        status: The HTTP status.
        content_type: The media type of the body.
        retry_after: What the header `Retry-After` says.
        location: What the header `Location` says.
        parts: How many parts the body has.
        part: The number of this one.
        body: The bytes of this part.
    """

    id: Id | Literal[""]
    status: Annotated[int, Field(ge=200, le=599)]
    content_type: MediaType = ""
    retry_after: Header = ""
    location: Header = ""
    parts: Annotated[int, Field(ge=1, le=MAX_PARTS)] = 1
    part: Annotated[int, Field(ge=0, lt=MAX_PARTS)] = 0
    body: bytes = b""


def asker_of(reply: str) -> str | None:
    """Return the operator that reads answers at a subject; None if it is not an inbox."""
    found = _INBOX.fullmatch(reply)
    return found[1] if found is not None and is_host(found[1]) else None


def problem(slug: str, status: int, title: str, detail: str, hint: str) -> dict[str, Any]:
    """Return a problem document (RFC 9457) of an agent, not of its service."""
    return {"type": URN + slug, "title": title, "status": status, "detail": detail, "hint": hint}


def as_json(document: dict[str, Any]) -> bytes:
    """Return a problem document as the body of an answer."""
    return json.dumps(document).encode()
